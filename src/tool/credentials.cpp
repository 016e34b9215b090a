// SPDX-License-Identifier: BSL-1.0
#include "http/hidden_credentials.hpp"
#include "http/target.hpp"

#include <tool/credentials.hpp>
#include <tool/fetch_values.hpp>

#include <algorithm>
#include <array>

namespace asio_retry::tool {

namespace {

/// What follows the authority: it may hold a whole URL.
std::string without_nested_credentials(std::string_view rest) {
    const bool may_hold_url = rest.find("//") != std::string_view::npos ||
                              rest.find("%2F") != std::string_view::npos ||
                              rest.find("%2f") != std::string_view::npos;
    if (!may_hold_url) return std::string(rest);
    return std::string(rest.substr(0, 1)) + http::detail::hide_credentials(rest.substr(1));
}

}  // namespace

std::string without_credentials(std::string_view url) {
    const auto scheme_end = url.find("://");
    const auto begin = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
    const auto end = std::min(url.find_first_of("/?#", begin), url.size());
    const auto at = url.substr(begin, end - begin).rfind('@');
    const auto host = at == std::string_view::npos ? begin : begin + at + 1;
    return std::string(url.substr(0, begin)) + std::string(url.substr(host, end - host)) +
           without_nested_credentials(url.substr(end));
}

std::string shown_as_no_url(std::string_view text) {
    auto shown = without_credentials(text);
    const auto at = http::detail::last_at_sign(shown);
    return at == std::string::npos ? shown : "***" + shown.substr(at);
}

std::string shown_reference(std::string_view reference) {
    http::detail::target to;
    const bool is_url = !http::detail::parse_target(reference, to) && to.authorization.empty();
    const auto at = http::detail::last_at_sign(reference);
    if (!is_url || at == std::string_view::npos) return shown_as_no_url(reference);
    const auto authority = reference.find("//") + 2;
    const auto path_begin = std::min(reference.find_first_of("/?#", authority), at);
    const auto path = reference.substr(path_begin, at - path_begin);
    const bool may_hide_more =
        path.find_first_of("?#:\\%") != std::string_view::npos || path.find("//") != path.npos;
    return may_hide_more ? shown_as_no_url(reference) : std::string(reference);
}

std::string shown_field_value(std::string_view name, std::string_view value) {
    constexpr std::array<std::string_view, 4> secret{
        "Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"};
    constexpr std::array<std::string_view, 3> references{"Location", "Content-Location", "Referer"};
    const auto is_named = [&](std::string_view each) { return same_name(each, name); };
    if (std::any_of(secret.begin(), secret.end(), is_named)) return "(hidden)";
    if (std::any_of(references.begin(), references.end(), is_named)) return shown_reference(value);
    return http::detail::hide_credentials(value);
}

}  // namespace asio_retry::tool
