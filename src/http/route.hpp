// The way to a server: through a Unix domain socket, through a proxy, or straight.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_ROUTE_HPP
#define ASIO_RETRY_SRC_HTTP_ROUTE_HPP

#include "http/failed_addresses.hpp"
#include "http/resolver.hpp"
#include "http/target.hpp"
#include <asio_retry/http/client_config.hpp>

#include <cstdint>
#include <string>

// A client's configuration does not change. So two connections to one scheme, host and port go the
// same way, and its pool and its TLS sessions need no more than these for a key.

namespace asio_retry::http::detail {

/// The path of the socket that stands in for this server; null if none does.
const std::string* socket_to(const client_config& config, const target& to);

/// The proxy for this server; null if it is reached without one.
const proxy* proxy_to(const client_config& config, const target& to);

/// Whom to connect to: the proxy if there is one, else the server.
class next_stop {
public:
    explicit next_stop(const target& to);

    const std::string& host;
    const std::uint16_t port;
};

/// The addresses that need no lookup: numeric hosts, and those that the configuration fixes.
addresses known_addresses(const client_config& config, const next_stop& at);

/// In the order of trying.
endpoints in_order(const addresses& found, std::uint16_t port);

}  // namespace asio_retry::http::detail

#endif
