// SPDX-License-Identifier: BSL-1.0
#include "http/no_proxy.hpp"
#include "http/target.hpp"
#include <asio_retry/http/error.hpp>
#include <asio_retry/http/proxy.hpp>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace asio_retry::http {

namespace {

constexpr std::uint16_t curls_default_port = 1080;

[[noreturn]] void refuse(const char* why) {
    throw std::invalid_argument(std::string("the URL of the proxy ") + why +
                                "; use http://HOST:PORT");
}

/// Whether the authority of this URL says which port, were it 80.
bool has_port(std::string_view url) {
    const auto begin = url.find("://") + 3;
    std::string_view authority = url.substr(begin, url.find_first_of("/?#", begin) - begin);
    authority.remove_prefix(authority.rfind('@') + 1);
    const auto colon = authority.rfind(':');
    return colon != std::string_view::npos &&
           authority.find(']', colon) == std::string_view::npos && colon + 1 != authority.size();
}

/// The first of the variables that is set and not empty; its name, or null.
template <std::size_t N>
const char* first_set(const std::array<const char*, N>& names) {
    for (const char* name : names) {
        const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): see the header
        if (value != nullptr && *value != '\0') return name;
    }
    return nullptr;
}

std::string value_of(const char* name) {
    return name == nullptr ? std::string()
                           : std::getenv(name);  // NOLINT(concurrency-mt-unsafe): see the header
}

template <std::size_t N>
std::optional<proxy> named_by(const std::array<const char*, N>& names) {
    const char* name = first_set(names);
    if (name == nullptr) return std::nullopt;
    try {
        proxy found(value_of(name));
        found.bypass(no_proxy_from_environment());
        return found;
    } catch (const std::invalid_argument& e) {
        throw std::invalid_argument(std::string(name) + ": " + e.what());
    }
}

}  // namespace

proxy::proxy(std::string_view url) {
    std::string whole(url);
    if (url.find("://") == std::string_view::npos) whole.insert(0, "http://");
    detail::target at;
    const error_code ec = detail::parse_target(whole, at);
    if (ec == error::unsupported_scheme) refuse("has a scheme other than http");
    if (ec) refuse("is malformed");
    if (at.tls) refuse("is https, and TLS to a proxy is not supported");
    if (at.path != "/") refuse("has a path");
    host_ = at.host;
    port_ = has_port(whole) ? at.port : curls_default_port;
    authorization_ = at.authorization;
}

bool proxy::serves(std::string_view host, std::uint16_t port) const {
    return !detail::is_listed(bypass_, host, port);
}

std::string no_proxy_from_environment() {
    return value_of(first_set(std::array{"no_proxy", "NO_PROXY"}));
}

proxies proxies_from_environment() {
    proxies found;
    found.http = named_by(std::array{"http_proxy", "all_proxy", "ALL_PROXY"});
    found.https = named_by(std::array{"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
    return found;
}

}  // namespace asio_retry::http
