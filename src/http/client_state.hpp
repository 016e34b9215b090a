// What the calls of a client share.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CLIENT_STATE_HPP
#define ASIO_RETRY_SRC_HTTP_CLIENT_STATE_HPP

#include "http/block_store.hpp"
#include "http/connection_pool.hpp"
#include "http/core.hpp"
#include "http/failed_addresses.hpp"
#include "http/read_buffer.hpp"
#include "http/resolver.hpp"
#include "http/target_cache.hpp"
#include "http/tls.hpp"
#include "http/wire.hpp"
#include <asio_retry/http/client_config.hpp>
#include <asio_retry/http/endpoint_registry.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace asio_retry::http::detail {

/// Owned by the client and by each call in flight.
class client_state {
public:
    /// Of a `fetch_place`.
    static const std::size_t size_of_place;
    /// So many connections may wait for a response with a buffer of their own.
    static constexpr std::size_t most_waiting_buffers = 64;

    /// `lookup` stands in for getaddrinfo in tests.
    client_state(asio::any_io_executor ex, client_config c, lookup_function lookup = look_up)
        : executor(std::move(ex)),
          config(std::move(c)),
          endpoints(config.endpoints() ? config.endpoints() : only_default(config.policy())),
          input_blocks(read_buffer::usual_size),
          pool(config.pool()),
          places(size_of_place),
          names(std::move(lookup), config.name_cache()),
          tls(config.tls()) {}

    const asio::any_io_executor executor;
    timer_service& timers = timer_service::of(executor);
    const client_config config;
    const bool is_user_agent_valid = is_field_value(config.user_agent());
    const std::shared_ptr<endpoint_registry> endpoints;
    block_store input_blocks;  // of the connections
    connection_pool pool;
    target_cache targets;
    block_store places;
    resolver names;
    failed_addresses failures;
    tls_context tls;

private:
    static std::shared_ptr<endpoint_registry> only_default(const fetch_policy& policy) {
        return std::make_shared<endpoint_registry>(
            endpoint_table(std::move(endpoint_policy().fetch(policy))));
    }
};

}  // namespace asio_retry::http::detail

#endif
