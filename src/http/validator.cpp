// SPDX-License-Identifier: BSL-1.0
#include "http/validator.hpp"

#include <asio_retry/http/retry_after.hpp>

#include <algorithm>
#include <iterator>
#include <optional>

namespace asio_retry::http::detail {

namespace {

using boost::beast::http::field;
using boost::beast::http::fields;

/// The value of a field that is there once.
std::optional<std::string_view> only(const fields& all, field name) noexcept {
    const auto [first, last] = all.equal_range(name);
    if (first == last || std::next(first) != last) return std::nullopt;
    return std::string_view(first->value().data(), first->value().size());
}

/// opaque-tag = DQUOTE *etagc DQUOTE
bool is_strong_tag(std::string_view text) noexcept {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
    text = text.substr(1, text.size() - 2);
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte != '"' && byte != 0x7f;
    });
}

}  // namespace

std::string strong_validator(const fields& all, std::chrono::system_clock::time_point now) {
    if (all.find(field::etag) != all.end()) {
        const auto tag = only(all, field::etag);
        return tag && is_strong_tag(*tag) ? std::string(*tag) : std::string();
    }
    const auto modified_text = only(all, field::last_modified);
    const auto date_text = only(all, field::date);
    if (!modified_text || !date_text) return {};
    const auto modified = parse_http_date(*modified_text, now);
    const auto date = parse_http_date(*date_text, now);
    // A date that the clock cannot tell is none to go by, so neither term overflows.
    constexpr auto margin = std::chrono::minutes(1);
    constexpr auto earliest = std::chrono::system_clock::time_point::min() + margin;
    if (!modified || !date || *date < earliest || *date - margin < *modified) return {};
    return std::string(*modified_text);
}

bool has_validator(const fields& all, std::string_view validator) noexcept {
    if (validator.empty()) return false;
    return only(all, validator.front() == '"' ? field::etag : field::last_modified) == validator;
}

}  // namespace asio_retry::http::detail
