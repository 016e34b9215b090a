// SPDX-License-Identifier: BSL-1.0
#include "http/hidden_credentials.hpp"

#include <algorithm>
#include <array>

namespace asio_retry::http::detail {

namespace {

constexpr auto nowhere = std::string_view::npos;
constexpr std::string_view stars = "***";
constexpr std::string_view separators = " \t,;<>()[]{}\"'=&?";

/// What stands before the user name or the password of a URL, however it is written; %25 for what
/// is encoded twice.
std::size_t first_mark(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 7> marks{"//", "\\", "%3A", "%3a", "%2F", "%2f", "%25"};
    std::size_t first = nowhere;
    for (const auto mark : marks) first = std::min(first, text.find(mark));
    // A colon before a blank is one of a sentence.
    auto colon = text.find(':');
    while (colon < text.size() && text.substr(colon + 1).starts_with(' ')) {
        colon = text.find(':', colon + 1);
    }
    return std::min(first, colon);
}

/// Where the word begins that a place is in; npos + 1 is 0.
std::size_t word_begin(std::string_view text, std::size_t place) noexcept {
    return text.substr(0, place).find_last_of(separators) + 1;
}

/// As `last_at_sign`, without those that have been dealt with: a text may be a part of another.
std::size_t last_open_at_sign(std::string_view text) noexcept {
    for (;;) {
        const auto at = last_at_sign(text);
        if (at == nowhere || text.substr(0, at).substr(word_begin(text, at)) != stars) return at;
        text = text.substr(0, at);
    }
}

}  // namespace

std::size_t last_at_sign(std::string_view text) noexcept {
    std::size_t last = nowhere;
    for (const std::string_view sign : {"@", "%40", "%2540"}) {
        const auto at = text.rfind(sign);
        if (at != nowhere && (last == nowhere || at > last)) last = at;
    }
    return last;
}

std::string hide_credentials(std::string_view text) {
    const auto at = last_open_at_sign(text);
    if (at == nowhere) return std::string(text);
    const auto mark = first_mark(text.substr(0, at));
    if (mark == nowhere) return std::string(text);
    std::string shown(text.substr(0, word_begin(text, mark)));
    return shown.append(stars).append(text.substr(at));
}

}  // namespace asio_retry::http::detail
