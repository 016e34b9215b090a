// Hands the body of a response to a sink as it is read.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_BODY_DELIVERY_HPP
#define ASIO_RETRY_SRC_HTTP_BODY_DELIVERY_HPP

#include "http/connection.hpp"
#include "http/content_decoder.hpp"
#include "http/core.hpp"
#include <asio_retry/http/body_sink.hpp>
#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/observer.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace asio_retry::http::detail {

/// Of one attempt, over a connection whose reader has begun. Stands in the call and must not move.
class body_delivery {
public:
    /// With a null `sink` it only reads. A body that the sink does not take is read into memory.
    /// The policy must outlive it.
    body_delivery(connection& c,
                  body_sink* sink,
                  const fetch_policy& policy,
                  timer_service& timers,
                  std::string url);

    /// Who is told how far it is; may be null.
    void watch(observer* o, std::string operation) noexcept {
        observer_ = o;
        operation_ = std::move(operation);
    }

    /// Takes what the connection has read; with an `end` that is an error, that was the last of it.
    /** Of a body that is much larger than what was read of it not all is handed on at `deadline`,
        or when the caller cancels. Precondition: the awaiting coroutine does not throw when it is
        cancelled. */
    asio::awaitable<error_code> take(error_code end, steady_time deadline);

    /// Whether the sink has taken the response for its own.
    bool is_under_way() const noexcept { return delivers_; }
    /// Whether the sink has been given bytes.
    bool has_written() const noexcept { return received_ != 0; }
    /// Whether the sink is to blame for the error: no other attempt would mend it.
    bool is_own_fault() const noexcept { return own_fault_; }

private:
    asio::awaitable<error_code> decide();
    asio::awaitable<error_code> begin(const response* head);
    asio::awaitable<error_code> write(steady_time deadline);
    asio::awaitable<error_code> write_piece();
    asio::awaitable<error_code> finish();
    error_code begin_decoding(const response& head);
    error_code next_piece(std::string_view& read);
    bool has_more() const noexcept { return decoder_ && decoder_->stopped(); }
    error_code blame(const std::exception_ptr& e) noexcept;

    connection& connection_;
    body_sink* sink_;
    const fetch_policy& policy_;
    timer_service& timers_;
    std::optional<content_decoder> decoder_;
    std::string url_;
    observer* observer_ = nullptr;
    std::string operation_;
    std::string read_;   // and not yet handed on, where that is not the piece itself
    std::string piece_;  // of the plain body
    std::uint64_t received_ = 0;
    bool decided_ = false;
    bool delivers_ = false;
    bool own_fault_ = false;
};

}  // namespace asio_retry::http::detail

#endif
