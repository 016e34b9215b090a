// SPDX-License-Identifier: BSL-1.0
#include "http/hidden_credentials.hpp"
#include "http/path_text.hpp"
#include "http/target.hpp"
#include "http/wire.hpp"
#include <asio_retry/http/endpoint.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace asio_retry::http {

namespace {

constexpr std::array<std::string_view, 10> usual_methods{
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"};

constexpr std::size_t longest_host = 253;  // RFC 1035 2.3.4, as text

std::string quoted(std::string_view text) { return "'" + detail::hide_credentials(text) + "'"; }

[[noreturn]] void refuse_origin(std::string_view text, const std::string& why) {
    throw std::invalid_argument("origin: " + quoted(text) + " " + why +
                                "; write https://pay.example, https://*.example or "
                                "http://127.0.0.1:8080");
}

[[noreturn]] void refuse_path(std::string_view text, const std::string& why) {
    throw std::invalid_argument("path: " + quoted(text) + " " + why);
}

std::string upper_case(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return result;
}

constexpr bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool has_dot_segment(std::string_view path) {
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const auto segment = path.substr(0, path.find('/'));
        if (segment == "." || segment == "..") return true;
        path.remove_prefix(segment.size());
    }
    return false;
}

/// Characters that a path of a URL can hold (RFC 3986 3.3).
bool is_path_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/%-._~!$&'()*+,;=:@").find(c) != std::string_view::npos;
}

void check_path(std::string_view pattern, std::string_view text) {
    if (!text.starts_with('/')) refuse_path(pattern, "does not begin with a slash");
    if (text.size() > detail::longest_pattern) {
        refuse_path(pattern.substr(0, 20), "... is longer than 1,024 characters");
    }
    if (text.find('*') != std::string_view::npos) {
        refuse_path(pattern,
                    "has a star before its end, where alone it may stand; "
                    "for a star in the path itself write %2A");
    }
    const auto wrong = std::find_if_not(text.begin(), text.end(), is_path_character);
    if (wrong != text.end()) {
        refuse_path(pattern,
                    *wrong == '?' || *wrong == '#'
                        ? "has a query or fragment, which are not looked at; leave it out"
                        : "has a character that no path can hold; percent-encode it");
    }
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        const auto digits = text.substr(at + 1, 2);
        if (digits.size() < 2 || !is_hex(digits[0]) || !is_hex(digits[1])) {
            refuse_path(pattern, "has a % without two hexadecimal digits; write %25 for the sign");
        }
    }
}

std::string authority_of(const endpoint_match& m) {
    const std::string& host = m.host();
    std::string text;
    if (m.host_pattern() == endpoint_match::host_kind::suffix) text = "*.";
    text += host.find(':') == std::string::npos ? host : "[" + host + "]";
    const unsigned own_port = m.scheme() == url_scheme::https ? 443 : 80;
    if (m.port() != own_port) text += ":" + std::to_string(m.port());
    return text;
}

}  // namespace

endpoint_match& endpoint_match::origin(std::string_view text) {
    const auto scheme_end = text.find("://");
    if (scheme_end == std::string_view::npos) refuse_origin(text, "has no scheme");
    const auto rest = text.substr(scheme_end + 3);
    if (rest.find_first_of("@?#") != std::string_view::npos ||
        (rest.find('/') != std::string_view::npos && rest.find('/') + 1 != rest.size())) {
        refuse_origin(text, "is more than scheme, host and port");
    }
    const bool is_suffix = rest.starts_with("*.");
    const auto plain = is_suffix ? rest.substr(2) : rest;
    if (plain.find('*') != std::string_view::npos || (is_suffix && plain.empty())) {
        refuse_origin(text, "has a star that is not the first label of several");
    }
    std::string url(text.substr(0, scheme_end + 3));
    url.append(is_suffix ? "any." : "").append(plain);
    detail::target t;
    if (const error_code ec = detail::parse_target(url, t)) refuse_origin(text, ec.message());
    if (t.host.size() > longest_host) refuse_origin(text, "is longer than host names are");
    host_ = is_suffix ? t.host.substr(4) : t.host;
    host_kind_ = is_suffix ? host_kind::suffix : host_kind::exact;
    port_ = t.port;
    scheme_ = t.tls ? url_scheme::https : url_scheme::http;
    return *this;
}

endpoint_match& endpoint_match::path(std::string_view pattern) {
    const bool is_prefix = pattern.ends_with('*');
    const auto text = pattern.substr(0, pattern.size() - (is_prefix ? 1 : 0));
    check_path(pattern, text);
    const detail::normal_path normal(text);
    if (has_dot_segment(normal.text())) {
        refuse_path(pattern, "has a dot segment, which requests are sent without; leave it out");
    }
    path_ = normal.text();
    is_prefix_ = is_prefix;
    return *this;
}

endpoint_match& endpoint_match::methods(std::vector<std::string> names) {
    for (const auto& each : names) {
        if (!detail::is_token(each)) {
            throw std::invalid_argument("methods: " + quoted(each) +
                                        " is not a method; write GET, POST or the like");
        }
        const auto upper = upper_case(each);
        if (upper != each &&
            std::binary_search(usual_methods.begin(), usual_methods.end(), upper)) {
            throw std::invalid_argument("methods: " + quoted(each) + " should be " + upper);
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    methods_ = std::move(names);
    return *this;
}

std::string endpoint_match::origin() const {
    if (host_kind_ == host_kind::any) return "";
    return (scheme_ == url_scheme::https ? "https://" : "http://") + authority_of(*this);
}

bool endpoint_match::covers(const endpoint_key& key) const {
    if (host_kind_ != host_kind::any && (key.scheme != scheme_ || key.port != port_)) return false;
    if (host_kind_ == host_kind::exact && key.host != host_) return false;
    if (host_kind_ == host_kind::suffix) {
        const auto size = host_.size() + 1;
        if (key.host.size() <= size || !key.host.ends_with(host_)) return false;
        if (key.host[key.host.size() - size] != '.') return false;
    }
    const detail::normal_path path(key.path);
    if (is_prefix_ ? !path.text().starts_with(path_) : path.text() != path_) return false;
    return methods_.empty() || std::binary_search(methods_.begin(), methods_.end(), key.method);
}

std::string endpoint_match::to_string() const {
    std::string text;
    for (const auto& each : methods_) text += (text.empty() ? "" : ",") + each;
    if (!text.empty()) text += ' ';
    return text + (host_kind_ == host_kind::any ? "any origin " : origin()) + path();
}

endpoint::endpoint(std::string name, endpoint_match match, endpoint_policy policy)
    : name_(std::move(name)), match_(std::move(match)), policy_(std::move(policy)) {
    const auto is_control = [](unsigned char c) { return c < 32 || c == 127; };
    if (name_.empty()) throw std::invalid_argument("name: is empty; every endpoint needs one");
    if (name_.size() > 200) {
        throw std::invalid_argument("name: has " + std::to_string(name_.size()) +
                                    " characters; must have 200 or fewer");
    }
    if (std::any_of(name_.begin(), name_.end(), is_control)) {
        throw std::invalid_argument("name: has control characters");
    }
    if (name_ == default_name) {
        throw std::invalid_argument(
            "name: 'default' is the endpoint of all requests that match no other");
    }
    if (match_ == endpoint_match()) {
        throw std::invalid_argument(
            "match: matches every request; name an origin, a path or methods, or use the default");
    }
}

}  // namespace asio_retry::http
