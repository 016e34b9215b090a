// What an attempt waits for before it begins: its turn by the server's quota, and a place to run.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_ATTEMPT_GATE_HPP
#define ASIO_RETRY_SRC_HTTP_ATTEMPT_GATE_HPP

#include "http/core.hpp"
#include <asio_retry/concurrency_limit.hpp>
#include <asio_retry/failure.hpp>
#include <asio_retry/http/endpoint_registry.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstdint>

namespace asio_retry::http::detail {

/// How an attempt came to the gate.
enum class passage : std::uint8_t {
    open,      ///< it may begin
    closed,    ///< it has to wait
    too_late,  ///< its turn comes, or would have come, after the deadline
    full,      ///< there is no place, nor one in the queue
    cancelled
};

/// Stands in the call. Holds the place of the attempt that has passed, until that ends.
class attempt_gate {
public:
    attempt_gate() noexcept = default;
    attempt_gate(const attempt_gate&) = delete;
    attempt_gate& operator=(const attempt_gate&) = delete;

    /// Takes the guards of an endpoint, which the caller keeps alive.
    void guard(const endpoint_handle& e, bool paces) noexcept {
        limit_ = e ? e.concurrency_limit().get() : nullptr;
        pacer_ = e && paces ? &e.pacer() : nullptr;
    }

    /// Whether the next attempt has to pass it.
    bool stands() const noexcept {
        return (limit_ != nullptr || pacer_ != nullptr) && !has_passed_;
    }

    /// Passes it if that can be done at once.
    passage pass(steady_time now, steady_time deadline) noexcept;

    /// After `closed`: waits, until the deadline at the latest.
    /** Precondition: the awaiting coroutine does not throw when it is cancelled. */
    asio::awaitable<passage> wait(timer_service* timers, steady_time deadline);

    /// The attempt has ended with this verdict; its place goes to another.
    void leave(const verdict& v, const error_code& ec, steady_time now) noexcept;

    /// There is no attempt after all; what it has taken goes to another.
    void leave_unused() noexcept;

    /// Nobody has to wait for a place.
    bool has_room() const noexcept {
        return limit_ == nullptr || (limit_->waiting() == 0 && limit_->running() < limit_->limit());
    }

private:
    passage fail(passage why) noexcept;

    concurrency_limit* limit_ = nullptr;
    pacer* pacer_ = nullptr;
    concurrency_lease place_;
    steady_time turn_{};
    bool has_passed_ = false;
};

}  // namespace asio_retry::http::detail

#endif
