// What the calls of a client share.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CLIENT_STATE_HPP
#define ASIO_RETRY_SRC_HTTP_CLIENT_STATE_HPP

#include "http/connection_pool.hpp"
#include "http/resolver.hpp"
#include "http/tls.hpp"
#include <asio_retry/http/client_config.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <utility>

namespace asio_retry::http::detail {

/// Owned by the client and by each call in flight.
class client_state {
public:
    /// `lookup` stands in for getaddrinfo in tests.
    client_state(asio::any_io_executor ex, client_config c, lookup_function lookup = look_up)
        : executor(std::move(ex)),
          config(std::move(c)),
          pool(config.pool()),
          names(std::move(lookup)),
          tls(config.tls()) {}

    const asio::any_io_executor executor;
    const client_config config;
    connection_pool pool;
    resolver names;
    tls_context tls;
};

}  // namespace asio_retry::http::detail

#endif
