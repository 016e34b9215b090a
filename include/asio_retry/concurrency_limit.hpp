// How many calls may run at once, and a bounded queue for those that wait for their turn.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_CONCURRENCY_LIMIT_HPP
#define ASIO_RETRY_CONCURRENCY_LIMIT_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/concurrency_options.hpp>
#include <asio_retry/detail/adaptive_limit.hpp>
#include <asio_retry/detail/light_mutex.hpp>
#include <asio_retry/detail/timed_wait.hpp>
#include <asio_retry/error.hpp>

#include <boost/intrusive/list.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

namespace asio_retry {

class concurrency_limit;

/// A call's place among those that run. Gives it back at its end.
/** The limit must outlive it. Thread safety: distinct objects safe. */
class concurrency_lease {
public:
    /// No place.
    concurrency_lease() noexcept = default;
    concurrency_lease(concurrency_lease&& other) noexcept
        : limit_(std::exchange(other.limit_, nullptr)), start_(other.start_) {}
    concurrency_lease& operator=(concurrency_lease&& other) noexcept {
        if (this != &other) {
            release();
            limit_ = std::exchange(other.limit_, nullptr);
            start_ = other.start_;
        }
        return *this;
    }
    ~concurrency_lease() { release(); }

    /// Whether it is a place.
    explicit operator bool() const noexcept { return limit_ != nullptr; }

    /// Gives the place back and tells an adaptive limit how the call went: failures are those that
    /// tell of the peer's health, as for a circuit breaker.
    void succeed(steady_time now) noexcept { end(now, false); }
    void fail(steady_time now) noexcept { end(now, true); }
    /// Gives the place back and tells nothing.
    void release() noexcept;

private:
    friend class concurrency_limit;
    friend class concurrency_ticket;

    concurrency_lease(concurrency_limit& l, steady_time start) noexcept
        : limit_(&l), start_(start) {}

    void end(steady_time now, bool failed) noexcept;

    concurrency_limit* limit_ = nullptr;
    steady_time start_{};
};

/// A caller's place in the queue. Stands in the waiting call and must not move. For drivers that
/// have a frame for it; everybody else calls `async_acquire`.
class concurrency_ticket : public boost::intrusive::list_base_hook<> {
public:
    explicit concurrency_ticket(detail::timer_service& timers) noexcept : served_(timers) {}
    ~concurrency_ticket() { const concurrency_lease unwanted = take({}); }

    /// Whether it has been in the queue since `acquire`, and not been taken.
    bool is_queued() const noexcept { return limit_ != nullptr; }

    /// Waits until it is the caller's turn, until `t` at the latest.
    detail::timed_wait::operation turn(steady_time t) noexcept { return served_.until(t); }

    /// Ends such a wait as cancelled.
    void cancel() noexcept { served_.cancel(); }

    /// What the caller was given; no place if it was not its turn yet. Ends its part.
    concurrency_lease take(steady_time now) noexcept;

private:
    friend class concurrency_limit;

    detail::timed_wait served_;
    concurrency_limit* limit_ = nullptr;
};

/// Shared by the calls to one upstream.
/** Who finds no place waits in order of arrival, if the queue has room; a place that comes free
    goes to the first in it, and whoever no longer wants it passes it on. Nobody overtakes the
    queue.

        if (auto lease = limit.try_acquire(steady_clock::now())) { ... }  // at once or never
        auto lease = co_await limit.async_acquire(ex, deadline, use_awaitable);

    Round retries it stands inside the loop, so that a delay holds no place, and inside the circuit
    breaker, so that a queue does not build up behind an open circuit; ask that again after a wait.
    Thread safety: all functions may be called on a shared object. A place is taken and given back
    with one compare-and-swap each while nobody waits. It must outlive leases, tickets and waits. */
class concurrency_limit {
public:
    explicit concurrency_limit(const concurrency_options& options = {}) noexcept
        : options_(options), limit_(options) {}
    concurrency_limit(const concurrency_limit&) = delete;
    concurrency_limit& operator=(const concurrency_limit&) = delete;

    /// A place, if one is free and nobody waits for it.
    concurrency_lease try_acquire(steady_time now) noexcept {
        word_type w = word_.load(std::memory_order_relaxed);
        while (has_room(w)) {
            if (word_.compare_exchange_weak(w, w + one_running, std::memory_order_acquire)) {
                return {*this, now};
            }
        }
        return {};
    }

    /// A place; or none, and then the ticket is in the queue, unless that is full.
    /** Then await `ticket.turn(deadline)` and call `ticket.take`. */
    concurrency_lease acquire(steady_time now, concurrency_ticket& ticket) noexcept;

    /// Waits for a place, until `deadline` at the latest.
    /** Completion signature: `void(error_code, concurrency_lease)`.
        Errors: `error::queue_full` at once; `error::deadline_exceeded`; `operation_aborted` if
        cancelled.
        Per-operation cancellation: every type, while it waits; a place that was given at the same
        time is passed on.
        Executor: the handler's associated executor, by default `ex`; never completes inline.
        Allocation: one block from the handler's allocator (by default Asio's recycling one). */
    template <typename Executor, typename CompletionToken>
    auto async_acquire(const Executor& ex, steady_time deadline, CompletionToken&& token);

    /// How many may run at once: `max_concurrency`, or less where the limit adapts.
    std::uint32_t limit() const noexcept { return limit_.value(); }
    std::uint32_t running() const noexcept { return running_in(word_.load()); }
    std::uint32_t waiting() const noexcept { return waiting_in(word_.load()); }

    const concurrency_options& options() const noexcept { return options_; }

private:
    friend class concurrency_lease;
    friend class concurrency_ticket;

    /// How many run, in the lower half, and how many wait: these change under the lock only, and
    /// while there are any, so do the others.
    using word_type = std::uint64_t;
    static constexpr word_type one_running = 1;
    static constexpr word_type one_waiting = word_type{1} << 32U;

    static std::uint32_t running_in(word_type w) noexcept { return static_cast<std::uint32_t>(w); }
    static std::uint32_t waiting_in(word_type w) noexcept {
        return static_cast<std::uint32_t>(w >> 32U);
    }
    bool has_room(word_type w) const noexcept {
        return waiting_in(w) == 0 && running_in(w) < limit_.value();
    }

    void leave() noexcept;
    void serve() noexcept;

    const concurrency_options options_;
    detail::adaptive_limit limit_;
    std::atomic<word_type> word_{0};
    detail::light_mutex mutex_;
    boost::intrusive::list<concurrency_ticket> queue_;
};

inline void concurrency_lease::release() noexcept {
    if (limit_ != nullptr) std::exchange(limit_, nullptr)->leave();
}

inline void concurrency_lease::end(steady_time now, bool failed) noexcept {
    if (limit_ == nullptr) return;
    if (!limit_->limit_.is_fixed()) {
        limit_->limit_.ended(start_, now, failed, limit_->running());
    }
    release();
}

inline concurrency_lease concurrency_ticket::take(steady_time now) noexcept {
    if (limit_ == nullptr) return {};
    concurrency_limit& limit = *std::exchange(limit_, nullptr);
    const std::lock_guard lock(limit.mutex_);
    if (!is_linked()) return {limit, now};
    limit.queue_.erase(limit.queue_.iterator_to(*this));
    limit.word_.fetch_sub(concurrency_limit::one_waiting, std::memory_order_relaxed);
    return {};
}

inline concurrency_lease concurrency_limit::acquire(steady_time now,
                                                    concurrency_ticket& ticket) noexcept {
    if (auto lease = try_acquire(now)) return lease;
    const std::lock_guard lock(mutex_);
    word_type w = word_.load(std::memory_order_relaxed);
    for (;;) {
        const bool room = has_room(w);
        if (!room && waiting_in(w) >= options_.queue()) return {};
        const word_type next = room ? w + one_running : w + one_waiting;
        if (!word_.compare_exchange_weak(w, next, std::memory_order_acquire)) continue;
        if (room) return {*this, now};
        ticket.limit_ = this;
        queue_.push_back(ticket);
        return {};
    }
}

inline void concurrency_limit::leave() noexcept {
    word_type w = word_.load(std::memory_order_relaxed);
    while (waiting_in(w) == 0) {
        if (word_.compare_exchange_weak(w, w - one_running, std::memory_order_release)) return;
    }
    const std::lock_guard lock(mutex_);
    word_.fetch_sub(one_running, std::memory_order_release);
    serve();
}

/// Gives what is free to those that wait. Wakes under the lock, so that no ticket is gone before.
inline void concurrency_limit::serve() noexcept {
    while (!queue_.empty() && running_in(word_.load()) < limit_.value()) {
        concurrency_ticket& first = queue_.front();
        queue_.pop_front();
        word_.fetch_add(one_running - one_waiting, std::memory_order_relaxed);
        first.served_.wake();
    }
}

}  // namespace asio_retry

#include <asio_retry/detail/acquire_op.hpp>

#endif
