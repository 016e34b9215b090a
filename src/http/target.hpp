// Where a request goes: an http or https URL taken apart into what the wire and the pool need.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_TARGET_HPP
#define ASIO_RETRY_SRC_HTTP_TARGET_HPP

#include <asio_retry/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace asio_retry::http {
class proxy;
}

namespace asio_retry::http::detail {

class target {
public:
    target() = default;

    bool tls = false;
    std::uint16_t port = 0;
    /// In lower case; an IPv6 address in its canonical form, without brackets.
    std::string host;
    /// The value of the Host field: brackets round IPv6, no default port.
    std::string authority;
    /// Path and query for the request line; dot segments removed, percent-encoding as it was.
    std::string path;
    /// The URL without credentials and fragment, fit for logs.
    std::string display;
    /// The value of the Authorization field that the URL's credentials give; empty if it has none.
    std::string authorization;
    /// The proxy on the way there, of the client's configuration; null if there is none.
    const http::proxy* via = nullptr;
};

/// Takes an absolute URL apart, as strictly as RFC 3986 has it. On error `out` is unchanged.
/** Refused besides: any scheme but http and https (`error::unsupported_scheme`); and with
    `error::invalid_url` an empty host, a host with percent-encoding, non-ASCII characters or an
    IPv6 zone, one that looks like an IPv4 address and is none (`127.1`, `0x7f000001`: RFC 3986
    7.4), port 0 or above 65535, and credentials that Basic authentication cannot carry (RFC 7617
    2). Brackets in the query, which many frameworks write, are percent-encoded. */
error_code parse_target(std::string_view url, target& out);

/// Takes a reference apart that is relative to `base` (RFC 3986 5.2.2).
/** On error `out` is unchanged. As servers send such things, characters behind the authority that
    a URL cannot hold (spaces, non-ASCII, <>"{}|^`[]) are percent-encoded; RFC 9110 10.2.2 permits
    it. Backslashes and control characters are refused: parsers disagree on what they mean. */
error_code resolve_target(const target& base, std::string_view reference, target& out);

/// "example.com:443"; IPv6 in brackets, and the port in any case.
std::string server_of(const target& t);

/// Whether both have the same scheme, host and port.
bool same_origin(const target& a, const target& b) noexcept;

}  // namespace asio_retry::http::detail

#endif
