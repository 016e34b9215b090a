// Ends the operations of a socket at a point in time.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_IO_DEADLINE_HPP
#define ASIO_RETRY_SRC_HTTP_IO_DEADLINE_HPP

#include "http/core.hpp"

#include <sys/socket.h>

#include <atomic>

namespace asio_retry::http::detail {

/// Shuts a socket down when its time comes. Stands in the waiting call and must not move.
/** A shutdown, other than a cancellation, may come from any thread, cannot be lost between two
    operations, and ends those that are begun after it too; a socket that has come to its deadline
    is closed in any case. The caller arms it, runs operations, and then disarms it before it lets
    the socket go:

        deadline.arm(t, socket);
        ... co_await operations ...
        while (!deadline.disarmed()) deadline.joined(co_await deadline.fired());  */
class io_deadline : private timer_entry {
public:
    explicit io_deadline(timer_service& timers) noexcept
        : timer_entry(&on_fire), timers_(timers), fired_(timers) {}
    ~io_deadline() { timers_.withdraw(*this); }

    void arm(steady_time t, int socket) {
        expired_ = false;
        if (t == steady_time::max()) return;
        socket_ = socket;
        armed_ = true;
        timers_.schedule(*this, t);
    }

    /// Withdraws it. If that comes too late, the expiry may still be at work: `fired()` tells.
    bool disarmed() noexcept {
        if (!armed_ || timers_.withdraw(*this)) armed_ = false;
        return !armed_;
    }

    /// Waits for the end of an expiry that `disarmed` came too late for.
    timed_wait::operation fired() noexcept { return fired_.until(steady_time::max()); }
    void joined(wait_result r) noexcept { armed_ = r != wait_result::woken; }

    /// Whether the time came before it was disarmed.
    bool expired() const noexcept { return expired_; }

private:
    static void on_fire(timer_entry& entry, timer_event event) noexcept {
        auto& self = static_cast<io_deadline&>(entry);
        if (event == timer_event::abandoned) return;
        self.expired_ = true;
        ::shutdown(self.socket_, SHUT_RDWR);
        self.fired_.wake();
    }

    timer_service& timers_;
    timed_wait fired_;
    int socket_ = -1;
    bool armed_ = false;
    std::atomic<bool> expired_ = false;
};

}  // namespace asio_retry::http::detail

#endif
