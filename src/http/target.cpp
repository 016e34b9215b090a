// SPDX-License-Identifier: BSL-1.0
#include "http/target.hpp"

#include "http/std_view.hpp"
#include <asio_retry/http/error.hpp>

#include <boost/asio/ip/address_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace asio_retry::http::detail {

namespace {

namespace urls = boost::urls;

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lower_case(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), to_lower);
    return result;
}

constexpr bool is_bracket(char c) noexcept { return c == '[' || c == ']'; }

/// What servers send behind the authority although no URL can hold it.
constexpr bool is_stray(char c) noexcept {
    return static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view(" <>\"{}|^`[]").find(c) != std::string_view::npos;
}

/// The text with the characters that match percent-encoded.
std::string encoded(std::string_view text, bool (*matches)(char) noexcept) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string result;
    result.reserve(text.size());
    for (const char c : text) {
        if (matches(c)) {
            const auto byte = static_cast<unsigned char>(c);
            result += {'%', digits[byte >> 4], digits[byte & 0xf]};
        } else {
            result += c;
        }
    }
    return result;
}

/// RFC 4648 4.
std::string base64(std::string_view bytes) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t n) -> std::uint32_t {
            return i + n < bytes.size() ? static_cast<unsigned char>(bytes[i + n]) : 0;
        };
        const std::uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
        text += digits[group >> 18];
        text += digits[group >> 12 & 63];
        text += i + 1 < bytes.size() ? digits[group >> 6 & 63] : '=';
        text += i + 2 < bytes.size() ? digits[group & 63] : '=';
    }
    return text;
}

bool has_control(std::string_view text) noexcept {
    return std::any_of(
        text.begin(), text.end(), [](unsigned char c) { return c < 32 || c == 127; });
}

/// RFC 7617 2: no colon in the user, no control characters. Nothing if Basic cannot carry it.
std::optional<std::string> basic_authorization(const urls::url_view& url) {
    if (!url.has_userinfo()) return std::string();
    const std::string user = url.user();
    const std::string password = url.password();
    if (user.empty() && password.empty()) return std::string();
    if (user.find(':') != std::string::npos || has_control(user) || has_control(password)) {
        return std::nullopt;
    }
    return "Basic " + base64(user + ":" + password);
}

/// Whether the resolver would take the name for a number (WHATWG URL, "ends in a number").
bool ends_in_number(std::string_view name) noexcept {
    if (name.ends_with('.')) name.remove_suffix(1);
    const auto dot = name.rfind('.');
    std::string_view label = dot == std::string_view::npos ? name : name.substr(dot + 1);
    if (label.empty()) return false;
    if (std::all_of(label.begin(), label.end(), is_digit)) return true;
    if (!label.starts_with("0x") && !label.starts_with("0X")) return false;
    label.remove_prefix(2);
    return label.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

/// The host as `target` keeps it; nothing if it is refused.
std::optional<std::string> host_of(const urls::url_view& url) {
    const std::string_view name = view(url.encoded_host());
    switch (url.host_type()) {
        case urls::host_type::ipv4: return std::string(name);
        // Boost.URL 1.81 shortens a single zero, against RFC 5952 4.2.2; Asio asks the system.
        case urls::host_type::ipv6:
            return boost::asio::ip::address_v6(url.host_ipv6_address().to_bytes()).to_string();
        case urls::host_type::name:
            if (name.empty() || name.front() == '.' || name.find("..") != std::string_view::npos ||
                ends_in_number(name) || name.find('%') != std::string_view::npos) {
                return std::nullopt;
            }
            return lower_case(name);
        default: return std::nullopt;
    }
}

std::optional<std::uint16_t> port_of(const urls::url_view& url, std::uint16_t fallback) noexcept {
    const std::string_view digits = view(url.port());
    if (digits.empty()) return fallback;
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failure != std::errc() || port == 0) return std::nullopt;
    return port;
}

/// RFC 3986 5.2.4, for a path that is empty or begins with a slash.
std::string without_dot_segments(std::string_view path) {
    std::string result;
    result.reserve(path.size() + 1);
    while (!path.empty()) {
        const std::string_view segment = path.substr(0, path.find('/', 1));
        path.remove_prefix(segment.size());
        if (segment == "/..") result.resize(std::min(result.rfind('/'), result.size()));
        if (segment != "/." && segment != "/..") {
            result += segment;
        } else if (path.empty()) {
            result += '/';
        }
    }
    if (result.empty()) result = "/";
    return result;
}

std::string in_brackets(const std::string& host) {
    return host.find(':') != std::string::npos ? "[" + host + "]" : host;
}

std::string authority_of(const target& t, std::uint16_t default_port) {
    return t.port != default_port ? server_of(t) : in_brackets(t.host);
}

error_code take_apart(const urls::url_view& url, target& out) {
    target result;
    const auto scheme = lower_case(view(url.scheme()));
    result.tls = scheme == "https";
    if (!result.tls && scheme != "http") return error::unsupported_scheme;

    // Boost.URL 1.81 takes "//a@b@c" for the host b and a path "@c".
    const std::string_view path = view(url.encoded_path());
    if (!url.has_authority() || (!path.empty() && path.front() != '/')) return error::invalid_url;

    const std::uint16_t default_port = result.tls ? 443 : 80;
    auto host = host_of(url);
    const auto port = port_of(url, default_port);
    auto authorization = basic_authorization(url);
    if (!host || !port || !authorization) return error::invalid_url;
    result.host = std::move(*host);
    result.port = *port;
    result.authorization = std::move(*authorization);
    result.authority = authority_of(result, default_port);
    result.path = without_dot_segments(path);
    if (url.has_query()) result.path.append("?").append(view(url.encoded_query()));
    result.display = scheme + "://" + result.authority + result.path;
    out = std::move(result);
    return {};
}

/// The reference made absolute (RFC 3986 5.2.2), with dot segments still in it.
std::string absolute(const target& base, const urls::url_view& reference) {
    const std::string_view path = view(reference.encoded_path());
    std::string url = base.tls ? "https:" : "http:";
    if (reference.has_authority()) {
        url.append("//").append(view(reference.encoded_authority())).append(path);
    } else {
        const std::string_view base_path =
            std::string_view(base.path).substr(0, base.path.find('?'));
        url.append("//").append(base.authority);
        if (path.empty()) {
            url.append(reference.has_query() ? base_path : std::string_view(base.path));
        } else if (path.front() == '/') {
            url.append(path);
        } else {
            url.append(base_path.substr(0, base_path.rfind('/') + 1)).append(path);
        }
    }
    if (reference.has_query()) url.append("?").append(view(reference.encoded_query()));
    return url;
}

/// Where the authority of a reference ends; 0 if it has none.
std::size_t end_of_authority(std::string_view reference) noexcept {
    const auto slashes = reference.find("//");
    if (slashes == std::string_view::npos || reference.find_first_of("/?#") < slashes) return 0;
    if (slashes != 0 && reference[slashes - 1] != ':') return 0;
    return std::min(reference.find_first_of("/?#", slashes + 2), reference.size());
}

}  // namespace

error_code parse_target(std::string_view url, target& out) {
    std::string repaired;
    const auto query = url.substr(0, url.find('#')).find('?');
    if (query != std::string_view::npos &&
        url.find_first_of("[]", query) != std::string_view::npos) {
        repaired.append(url.substr(0, query)).append(encoded(url.substr(query), is_bracket));
        url = repaired;
    }
    const auto parsed = urls::parse_uri({url.data(), url.size()});
    return parsed ? take_apart(*parsed, out) : error_code(error::invalid_url);
}

error_code resolve_target(const target& base, std::string_view reference, target& out) {
    reference = reference.substr(0, reference.find('#'));
    const auto split = end_of_authority(reference);
    std::string repaired(reference.substr(0, split));
    repaired += encoded(reference.substr(split), is_stray);
    const auto parsed = urls::parse_uri_reference(repaired);
    if (!parsed) return error::invalid_url;
    if (parsed->has_scheme()) return take_apart(*parsed, out);
    return parse_target(absolute(base, *parsed), out);
}

std::string server_of(const target& t) {
    return in_brackets(t.host) + ":" + std::to_string(t.port);
}

bool same_origin(const target& a, const target& b) noexcept {
    return a.tls == b.tls && a.port == b.port && a.host == b.host;
}

}  // namespace asio_retry::http::detail
