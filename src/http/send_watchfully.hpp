// Sends a long request and looks out for a response that comes before its end.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_SEND_WATCHFULLY_HPP
#define ASIO_RETRY_SRC_HTTP_SEND_WATCHFULLY_HPP

#include "http/connection.hpp"
#include <asio_retry/error.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>

namespace asio_retry::http::detail {

/// Requests from this size on: smaller ones vanish in the socket's buffer in any case.
inline constexpr std::size_t long_request = std::size_t{64} * 1024;

/// Ends when all has been sent, or there is no point in sending more: the response has begun, the
/// peer has closed, or an error, which it answers. What has been read is with the reader.
/** Without TLS only. `sent` counts up. Ends with `attempt_timeout` at `deadline`; a cancellation just
    ends it. Precondition: the awaiting coroutine does not throw when it is cancelled. */
asio::awaitable<error_code> send_watchfully(connection* c,
                                            asio::const_buffer bytes,
                                            std::size_t* sent,
                                            steady_time deadline);

}  // namespace asio_retry::http::detail

#endif
