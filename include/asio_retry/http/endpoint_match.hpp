// Which requests an endpoint is for: an origin, a path and methods.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_ENDPOINT_MATCH_HPP
#define ASIO_RETRY_HTTP_ENDPOINT_MATCH_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::http {

enum class url_scheme : std::uint8_t { http, https };

/// What of a request decides its endpoint; views into strings of the caller's.
class endpoint_key {
public:
    /// `host` in lower case, an IPv6 address in canonical form and without brackets; `path` begins
    /// with a slash and has no dot segments; a query in it is passed over.
    endpoint_key(std::string_view method_name,
                 url_scheme s,
                 std::string_view host_name,
                 std::uint16_t port_number,
                 std::string_view url_path) noexcept
        : method(method_name), host(host_name), path(url_path), port(port_number), scheme(s) {}

    std::string_view method;
    std::string_view host;
    std::string_view path;
    std::uint16_t port;
    url_scheme scheme;
};

/// A pattern of requests. A value; setters chain, and throw std::invalid_argument for what can
/// match nothing, and then change nothing.
/** What is not set matches all. Of the patterns of a table that match a request the most specific
    counts: an exact host before `*.suffix`, a longer suffix before a shorter, any suffix before
    none; then, for the same hosts, a longer path before a shorter (a whole path before a prefix of
    the same length); then named methods before any.
    Thread safety: distinct objects safe; a shared object safe to read. */
class endpoint_match {
public:
    enum class host_kind : std::uint8_t {
        any,     ///< every scheme, host and port
        suffix,  ///< `*.example`: a.example and b.a.example, not example itself
        exact
    };

    endpoint_match() = default;

    /// `scheme://host[:port]`, where the host may be `*.suffix`. Default: any origin.
    /** Scheme and host without regard to case; no port is the scheme's own, 80 or 443. */
    endpoint_match& origin(std::string_view text);

    /// A path, or the beginning of one and `*` for any rest. Default `/*`: any path.
    /** Compared with the request's path without query, after dot segments were removed and with
        percent-encoding normalised on both sides (RFC 3986 6.2.2: `%7e`, `%7E` and `~` are the
        same; so are `%2A` and `*`, by which a path can hold a star of its own). Case counts. `*`
        stands at the end only: what it matches may hold slashes, or be nothing. At most 1,024
        characters. */
    endpoint_match& path(std::string_view pattern);

    /// Methods, in the case in which they are sent. Default none: any method.
    endpoint_match& methods(std::vector<std::string> names);

    /// As `https://pay.example` or `https://*.example:8443`, without the scheme's own port; empty
    /// for any.
    std::string origin() const;
    /// Normalised; with the star of a prefix.
    std::string path() const { return is_prefix_ ? path_ + "*" : path_; }
    /// In ascending order; empty for any.
    const std::vector<std::string>& methods() const noexcept { return methods_; }

    host_kind host_pattern() const noexcept { return host_kind_; }
    /// The host, or the suffix without `*.`; empty for any.
    const std::string& host() const noexcept { return host_; }
    std::uint16_t port() const noexcept { return port_; }
    url_scheme scheme() const noexcept { return scheme_; }
    /// The path without the star.
    const std::string& path_text() const noexcept { return path_; }
    bool is_path_prefix() const noexcept { return is_prefix_; }

    /// Whether this pattern, taken alone, matches the request.
    bool covers(const endpoint_key& key) const;

    /// As text: `POST https://pay.example/v1/charges/*`.
    std::string to_string() const;

    friend bool operator==(const endpoint_match&, const endpoint_match&) = default;

private:
    std::string host_;
    std::string path_ = "/";
    std::vector<std::string> methods_;
    std::uint16_t port_ = 0;
    url_scheme scheme_ = url_scheme::http;
    host_kind host_kind_ = host_kind::any;
    bool is_prefix_ = true;
};

}  // namespace asio_retry::http

#endif
