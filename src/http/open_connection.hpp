// Makes a connection: name lookup, connect, tunnel, TLS handshake, all under one deadline.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_OPEN_CONNECTION_HPP
#define ASIO_RETRY_SRC_HTTP_OPEN_CONNECTION_HPP

#include "http/client_state.hpp"
#include "http/connection.hpp"
#include "http/target.hpp"
#include <asio_retry/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>

namespace asio_retry::http::detail {

/// What came of it: a connection or an error, and in either case the peer's address if it got so
/// far.
class opened {
public:
    opened() = default;

    std::unique_ptr<connection> made;
    error_code error;
    shared_text remote;
    std::optional<nanoseconds> retry_after;  ///< a proxy refused, and asked for so long
};

/// Ends with `error::connect_timeout` at `deadline`, and with `operation_aborted` when cancelled.
/** Precondition: the awaiting coroutine does not throw when it is cancelled. State and target must
    outlive the call. */
asio::awaitable<opened> open_connection(client_state* state,
                                        const target* to,
                                        steady_time deadline);

}  // namespace asio_retry::http::detail

#endif
