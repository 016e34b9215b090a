// SPDX-License-Identifier: BSL-1.0
#include <tool/credentials.hpp>

#include <algorithm>

namespace asio_retry::tool {

std::string without_credentials(std::string_view url) {
    const auto scheme_end = url.find("://");
    const auto begin = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
    const auto end = std::min(url.find_first_of("/?#", begin), url.size());
    const auto at = url.substr(0, end).rfind('@');
    if (at == std::string_view::npos || at < begin) return std::string(url);
    return std::string(url.substr(0, begin)) + std::string(url.substr(at + 1));
}

std::string shown_as_no_url(std::string_view text) {
    auto shown = without_credentials(text);
    const auto at = shown.rfind('@');
    return at == std::string::npos ? shown : "***" + shown.substr(at);
}

std::string without_credentials_in_urls(std::string_view value) {
    std::string shown;
    for (;;) {
        const auto slashes = value.find("//");
        if (slashes == std::string_view::npos) return shown.append(value);
        const auto begin = slashes + 2;
        const bool is_authority = slashes == 0 || value[slashes - 1] == ':';
        const auto end = std::min(value.find_first_of("/?# \",;<>", begin), value.size());
        const auto at = value.substr(begin, end - begin).rfind('@');
        shown.append(value.substr(0, begin));
        value.remove_prefix(is_authority && at != std::string_view::npos ? begin + at + 1 : begin);
    }
}

}  // namespace asio_retry::tool
