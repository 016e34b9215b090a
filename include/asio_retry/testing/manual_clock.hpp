// A clock that tests move by hand: hours of backoff pass in milliseconds.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TESTING_MANUAL_CLOCK_HPP
#define ASIO_RETRY_TESTING_MANUAL_CLOCK_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/detail/timer_service.hpp>

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>

namespace asio_retry::testing {

/// While it lives, all delays, timeouts and records of the library on its execution context follow
/// it.
/** Nothing else does: sockets and Asio's own timers stay on real time. What the program retries
    needs no change. Typical use:

        asio::io_context context;
        testing::manual_clock clock(context);
        co_spawn(context, call(), handler);   // retries with backoffs of minutes
        clock.run(context);                   // returns at once, in the right order

    Make it before the first call starts and at most one for a context. It must not outlive the
    context. Thread safety: all functions may be called from any thread. */
class manual_clock {
public:
    using duration = std::chrono::nanoseconds;

    /// Starts at one day after the epoch of the steady clock.
    explicit manual_clock(boost::asio::execution_context& context)
        : timers_(boost::asio::use_service<detail::timer_service>(context)) {
        timers_.use_manual_time(steady_time(std::chrono::hours(24)));
    }

    /// Returns the context to the real clock.
    ~manual_clock() { timers_.use_steady_time(); }

    manual_clock(const manual_clock&) = delete;
    manual_clock& operator=(const manual_clock&) = delete;

    steady_time now() const noexcept { return timers_.now(); }

    /// Moves the time forward; what is due by then becomes ready, and runs when the context does.
    /// What is due when it begins to wait needs no move.
    /** Negative durations are ignored; the end of time is not passed. */
    void advance(duration d) { timers_.advance_to(detail::saturating_add(now(), d)); }

    /// Moves the time to the next expiry, if there is one. Answers whether there was.
    bool advance_to_next() {
        const steady_time next = timers_.next_expiry();
        if (next == steady_time::max()) return false;
        timers_.advance_to(next);
        return true;
    }

    /// When the next delay or timeout ends; `steady_time::max()` if nothing waits.
    steady_time next_expiry() const noexcept { return timers_.next_expiry(); }

    /// How many delays and timeouts are pending.
    std::size_t pending() const noexcept { return timers_.pending(); }

    /// Makes the jitter the same in each run of a test.
    void seed(std::uint64_t value) noexcept { timers_.seed(value); }

    /// Runs what is ready, then moves to the next expiry, and so on until nothing waits any more.
    /** For contexts whose only outside events are this clock's: it does not wait for sockets. */
    void run(boost::asio::io_context& context) { run_until(context, steady_time::max()); }

    /// The same for a span of time, all of which has passed when it returns.
    void run_for(boost::asio::io_context& context, duration d) {
        const steady_time end = detail::saturating_add(now(), d);
        run_until(context, end);
        timers_.advance_to(end);
        poll(context);
    }

private:
    static void poll(boost::asio::io_context& context) {
        context.restart();
        context.poll();
    }

    void run_until(boost::asio::io_context& context, steady_time end) {
        poll(context);
        while (next_expiry() <= end && advance_to_next()) poll(context);
    }

    detail::timer_service& timers_;
};

}  // namespace asio_retry::testing

#endif
