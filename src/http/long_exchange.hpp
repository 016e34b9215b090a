// An exchange of long bodies: sends and reads at the same time, from a source, into a sink.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_LONG_EXCHANGE_HPP
#define ASIO_RETRY_SRC_HTTP_LONG_EXCHANGE_HPP

#include "http/body_delivery.hpp"
#include "http/body_feed.hpp"
#include "http/connection.hpp"
#include "http/duplex.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>

namespace asio_retry::http::detail {

/// Requests from this size on: smaller ones vanish in the socket's buffer in any case.
inline constexpr std::size_t long_request = std::size_t{64} * 1024;

/// Over a connection whose reader has begun. Stands in the call and must not move.
class long_exchange {
public:
    /// `bytes` are the head, of `head_size`, and the body or nothing; `feed` gives the rest of the
    /// request, and is null if that is all.
    long_exchange(connection& c,
                  body_delivery& delivery,
                  asio::const_buffer bytes,
                  std::size_t head_size,
                  body_feed* feed) noexcept
        : connection_(c), delivery_(delivery), unsent_(bytes), head_left_(head_size), feed_(feed) {}

    /// Holds the body back until the server asks for it, for so long at most.
    void expect_continue(nanoseconds wait) noexcept { continue_wait_ = wait; }

    /// Ends with no error when the response has come whole, and with `attempt_timeout` at
    /// `deadline`.
    /** It does not send on when a response has come that says that it need not: any but 1xx and
        2xx. Precondition: the awaiting coroutine does not throw when it is cancelled. */
    asio::awaitable<error_code> run(steady_time deadline);

    /// How much of the bytes has left.
    std::size_t sent() const noexcept { return sent_; }
    /// Whether all of the request has left.
    bool has_sent_all() const noexcept { return sent_all_; }
    /// Whether the body's source is to blame for the error: no other attempt would mend it.
    bool is_own_fault() const noexcept { return own_fault_; }

private:
    asio::awaitable<error_code> exchange(duplex* both, steady_time deadline);
    bool may_send(steady_time now) noexcept;
    asio::awaitable<error_code> send(duplex* both);
    void has_sent(const duplex::result& r) noexcept;

    connection& connection_;
    body_delivery& delivery_;
    asio::const_buffer unsent_;
    std::size_t head_left_;
    std::size_t sent_ = 0;
    body_feed* feed_;
    asio::const_buffer piece_;  // of the feed
    nanoseconds continue_wait_{0};
    steady_time continue_until_{};
    steady_time wake_ = steady_time::max();  // when the body goes even unasked
    error_code send_error_;
    bool sent_all_ = false;
    bool own_fault_ = false;
};

}  // namespace asio_retry::http::detail

#endif
