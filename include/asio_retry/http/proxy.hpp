// An HTTP proxy: where it is, who it is told we are, and which hosts are reached without it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_PROXY_HPP
#define ASIO_RETRY_HTTP_PROXY_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asio_retry::http {

/// An HTTP proxy. A value; setters chain.
/** A request for an http URL is sent to it with the whole URL; for an https URL a tunnel through it
    is opened (CONNECT), in which TLS is spoken with the server alone. Its credentials go to the
    proxy and to nobody else; a `Proxy-Authorization` field of a request is never sent through a
    tunnel. The tunnel is part of making a connection, and so under the connect timeout. A proxy
    that refuses it is `error::proxy_authentication`, `proxy_refused` or `proxy_unavailable`. */
class proxy {
public:
    /// `http://user:password@proxy.example:3128`; scheme, credentials and port may be left out.
    /** The port is then 1080, as in curl. Credentials are sent with Basic authentication, percent-
        encoding taken off.
        @throws std::invalid_argument for another scheme (https and SOCKS proxies are not
        supported), and for what is malformed. The text does not repeat the URL. */
    explicit proxy(std::string_view url);

    /// Reaches these hosts without the proxy. Default none.
    /** A list with commas or spaces between, in the way of curl's NO_PROXY: `*` is every host;
        `example.com`, and `.example.com` as well, is that host and all below it; `10.1.2.3`, `::1`
        are addresses and `10.0.0.0/8`, `fd00::/8` ranges of them, for URLs that name an address.
        Each may be followed by a port, which then has to be the same: `example.com:8080`,
        `[::1]:80`. Case and a dot at the end do not matter. What is none of these is passed
        over. */
    proxy& bypass(std::string list) {
        bypass_ = std::move(list);
        return *this;
    }
    const std::string& bypass() const noexcept { return bypass_; }

    /// Whether this host is to be reached through the proxy; an IPv6 address without brackets.
    bool serves(std::string_view host, std::uint16_t port) const;

    /// In lower case; an IPv6 address without brackets.
    const std::string& host() const noexcept { return host_; }
    std::uint16_t port() const noexcept { return port_; }
    /// The value of the Proxy-Authorization field; empty without credentials. Not for logs.
    const std::string& authorization() const noexcept { return authorization_; }

    friend bool operator==(const proxy&, const proxy&) = default;

private:
    std::string host_;
    std::string authorization_;
    std::string bypass_;
    std::uint16_t port_ = 0;
};

/// The proxies for http and for https URLs.
class proxies {
public:
    proxies() = default;
    /// The same for both.
    explicit proxies(const proxy& both) : http(both), https(both) {}

    std::optional<proxy> http;
    std::optional<proxy> https;

    friend bool operator==(const proxies&, const proxies&) = default;
};

/// The proxies that the environment names, as curl reads it.
/** `http_proxy` for http URLs; only in lower case, as a web server hands the `Proxy` field of a
    request to its CGI programs as `HTTP_PROXY`. `https_proxy` or `HTTPS_PROXY` for https URLs;
    `all_proxy` or `ALL_PROXY` where there is no other; `no_proxy` or `NO_PROXY` as `proxy::bypass`.
    Lower case comes first; empty is as good as not set. Reads the environment: not while another
    thread changes it. @throws std::invalid_argument that names the variable which is no proxy. */
proxies proxies_from_environment();

/// The hosts that the environment has reached without a proxy: `no_proxy` or else `NO_PROXY`.
std::string no_proxy_from_environment();

}  // namespace asio_retry::http

#endif
