// Stops calling an upstream that fails, and lets a few probes find out when it is back.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_CIRCUIT_BREAKER_HPP
#define ASIO_RETRY_CIRCUIT_BREAKER_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/breaker_options.hpp>
#include <asio_retry/breaker_permit.hpp>
#include <asio_retry/breaker_state.hpp>
#include <asio_retry/detail/breaker_rules.hpp>
#include <asio_retry/detail/breaker_word.hpp>
#include <asio_retry/detail/call_window.hpp>
#include <asio_retry/detail/light_mutex.hpp>
#include <asio_retry/detail/saturate.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <utility>

namespace asio_retry {

/// Shared by the calls to one upstream.
/** Closed, it counts results over a sliding window. Where `minimum_calls` or more of them have a
    `failure_rate` of failures or a `slow_call_rate` of slow calls, it opens for `open_for` and up
    to a quarter more at random; twice as long each time that it opens again before it has been
    closed for a whole window, up to `max_open_for`. Then it is half open: `half_open_probes` calls
    pass, and as soon as it is certain whether a rate is reached among so many, it opens again, or
    closes and counts afresh.

        if (auto permit = breaker.acquire(steady_clock::now())) {
            const error_code ec = co_await call();
            ec ? permit.fail(steady_clock::now()) : permit.succeed(steady_clock::now());
        }

    Round retries it stands inside the loop: each attempt asks, after the retry budget has been
    asked and before a place under a concurrency limit is given. Failures of kind connect, timeout,
    connection_lost, throttling and server fail; a success, and a response that is a permanent
    failure, succeed; other errors and cancellations cancel.
    The time is passed in (`steady_clock`, or a manual one). Thread safety: all functions may be
    called on a shared object. While it is closed or open, `acquire` reads two words and writes
    none, and a success adds one to a counter; changes of state and probes take a lock of a few
    instructions. Only construction and `on_change` allocate or throw. */
class circuit_breaker {
public:
    using change_listener = std::function<void(const breaker_change&)>;

    explicit circuit_breaker(const breaker_options& options = {})
        : circuit_breaker(options, seed_from_system()) {}
    /// With randomness of the caller's own, for tests that want the same every time.
    circuit_breaker(const breaker_options& options, std::uint64_t seed) noexcept
        : options_(options),
          windows_{{detail::call_window(options.window()), detail::call_window(options.window())}},
          random_(seed) {}
    /// With the state and the listener of another, say when options change, but none of its
    /// results.
    circuit_breaker(const breaker_options& options, const circuit_breaker& before, steady_time now);
    circuit_breaker(const circuit_breaker&) = delete;
    circuit_breaker& operator=(const circuit_breaker&) = delete;

    /// Leave to make a call now, or a refusal that says when to come back.
    breaker_permit acquire(steady_time now) noexcept;

    /// `open` becomes `half_open` with the time, though it takes a call to make it so.
    breaker_state state(steady_time now) const noexcept;
    breaker_control control() const noexcept { return current().control(); }
    /// When a call may pass: `now` if at once, else as `breaker_permit::retry_at` of a refusal.
    steady_time retry_at(steady_time now) const noexcept;
    /// The results that count now; none but in a closed circuit that is not forced.
    call_counts counts(steady_time now) const noexcept {
        const word w = current();
        return w.mode() == mode::closed ? windows_[w.window()].count(now) : call_counts();
    }

    /// Forces it open, until `reset` or `force_closed`.
    void isolate(steady_time now) noexcept { force(mode::isolated, now); }
    /// Forces it closed: every call passes, and nothing is counted, until `reset` or `isolate`.
    void force_closed(steady_time now) noexcept { force(mode::forced_closed, now); }
    /// Closes it as if new.
    void reset(steady_time now) noexcept { force(mode::closed, now); }

    /// Whom to tell of each change of state; takes the place of the one before.
    /** Called on the thread whose call made the change, outside all locks, so that it may call the
        breaker; it must not throw. It may hear of changes on several threads out of order. Forcing
        what is forced already, and resetting what is closed, is no change. */
    void on_change(change_listener listener);

    const breaker_options& options() const noexcept { return options_; }

private:
    friend class breaker_permit;

    using mode = detail::breaker_mode;
    using word = detail::breaker_word;

    word current() const noexcept { return word(word_.load(std::memory_order_acquire)); }

    static std::uint64_t seed_from_system() {
        std::random_device device;
        return (static_cast<std::uint64_t>(device()) << 32) | device();
    }

    /// What a listener is to be told once the lock is free.
    class announcement {
    public:
        ~announcement() {
            if (listener && *listener) (*listener)(change);
        }
        std::shared_ptr<const change_listener> listener;
        breaker_change change;
    };

    void record(word w, bool failed, bool slow, steady_time now) noexcept;
    void probe_done(word w, bool failed, bool slow, steady_time now) noexcept;
    void probe_cancelled(word w) noexcept;
    breaker_permit acquire_probe(steady_time now) noexcept;
    void force(mode m, steady_time now) noexcept;

    // With the lock held:
    void enter(mode m, steady_time now, announcement& out) noexcept;
    void open(steady_time now, announcement& out) noexcept;
    steady_time after_failing_probes(steady_time now) const noexcept {
        return detail::saturating_add(now, detail::open_time(options_, times_opened_ + 1));
    }

    const breaker_options options_;
    std::atomic<word::bits> word_{0};
    std::atomic<steady_time> retry_at_{steady_time()};
    std::array<detail::call_window, 2> windows_;

    mutable detail::light_mutex mutex_;  // guards what follows, and changes of the two words
    steady_time closed_since_ = steady_time::min();
    detail::probe_round probes_;
    std::uint64_t random_;
    unsigned times_opened_ = 0;  // in a row
    std::shared_ptr<const change_listener> listener_;
};

inline void breaker_permit::end(steady_time now, bool failed) noexcept {
    circuit_breaker* const b = std::exchange(breaker_, nullptr);
    if (b != nullptr)
        b->record(circuit_breaker::word(word_), failed, now - time_ > b->options_.slow_call(), now);
}

inline void breaker_permit::cancel() noexcept {
    circuit_breaker* const b = std::exchange(breaker_, nullptr);
    if (b != nullptr) b->probe_cancelled(circuit_breaker::word(word_));
}

inline breaker_permit circuit_breaker::acquire(steady_time now) noexcept {
    const word w = current();
    switch (w.mode()) {
        case mode::closed:
        case mode::forced_closed: return {*this, w.value(), now};
        case mode::isolated: return breaker_permit(steady_time::max());
        case mode::open: {
            const steady_time t = retry_at_.load(std::memory_order_relaxed);
            if (now < t) return breaker_permit(t);
            break;
        }
        case mode::half_open: break;
    }
    return acquire_probe(now);
}

inline breaker_permit circuit_breaker::acquire_probe(steady_time now) noexcept {
    announcement out;
    const std::lock_guard lock(mutex_);
    if (current().mode() == mode::open && now >= retry_at_.load()) enter(mode::half_open, now, out);
    switch (current().mode()) {
        case mode::closed:
        case mode::forced_closed: return {*this, word_.load(), now};
        case mode::isolated: return breaker_permit(steady_time::max());
        case mode::open: return breaker_permit(retry_at_.load());
        case mode::half_open: break;
    }
    if (!probes_.has_place(options_)) return breaker_permit(after_failing_probes(now));
    probes_.take();
    return {*this, word_.load(), now};
}

inline breaker_state circuit_breaker::state(steady_time now) const noexcept {
    const word w = current();
    const bool over = w.mode() == mode::open && now >= retry_at_.load();
    return over ? breaker_state::half_open : w.state();
}

inline steady_time circuit_breaker::retry_at(steady_time now) const noexcept {
    const std::lock_guard lock(mutex_);
    switch (current().mode()) {
        case mode::isolated: return steady_time::max();
        case mode::open: return std::max(now, retry_at_.load());
        case mode::half_open: return probes_.has_place(options_) ? now : after_failing_probes(now);
        case mode::closed:
        case mode::forced_closed: break;
    }
    return now;
}

inline void circuit_breaker::record(word w, bool failed, bool slow, steady_time now) noexcept {
    if (current() != w || w.mode() == mode::forced_closed) return;
    if (w.mode() == mode::half_open) return probe_done(w, failed, slow, now);
    detail::call_window& window = windows_[w.window()];
    if (!window.add(now, failed, slow)) return;
    const call_counts sum = window.count(now);
    if (sum.calls < options_.minimum_calls() || !detail::unhealthy(sum, options_)) return;
    announcement out;
    const std::lock_guard lock(mutex_);
    if (current() == w) open(now, out);
}

inline void circuit_breaker::probe_done(word w, bool failed, bool slow, steady_time now) noexcept {
    announcement out;
    const std::lock_guard lock(mutex_);
    if (current() != w) return;
    switch (probes_.done(failed, slow, options_)) {
        case detail::probe_decision::open: return open(now, out);
        case detail::probe_decision::close: return enter(mode::closed, now, out);
        case detail::probe_decision::undecided: break;
    }
}

inline void circuit_breaker::probe_cancelled(word w) noexcept {
    if (w.mode() != mode::half_open) return;
    const std::lock_guard lock(mutex_);
    if (current() == w) probes_.give_back();
}

inline void circuit_breaker::force(mode m, steady_time now) noexcept {
    announcement out;
    const std::lock_guard lock(mutex_);
    if (m == current().mode() && m != mode::closed) return;
    times_opened_ = 0;
    enter(m, now, out);
    closed_since_ = steady_time::min();
}

inline void circuit_breaker::open(steady_time now, announcement& out) noexcept {
    if (current().mode() == mode::closed &&
        now >= detail::saturating_add(closed_since_, options_.window())) {
        times_opened_ = 0;
    }
    if (times_opened_ < UINT_MAX - 1) ++times_opened_;
    const auto d =
        detail::jittered_open_time(options_, times_opened_, detail::next_random(random_));
    retry_at_ = detail::saturating_add(now, d);
    enter(mode::open, now, out);
}

inline void circuit_breaker::enter(mode m, steady_time now, announcement& out) noexcept {
    const word old = current();
    std::size_t window = old.window();
    if (m == mode::closed) {
        window = 1 - window;
        windows_[window].clear();
        closed_since_ = now;
    }
    probes_ = {};
    const word next(m, window, old.generation() + 1);
    word_.store(next.value(), std::memory_order_release);
    out.change.from = old.state();
    out.change.to = next.state();
    out.change.control = next.control();
    out.change.generation = next.generation();
    out.change.retry_at = m == mode::isolated ? steady_time::max() : retry_at_.load();
    if (old.state() != next.state() || old.control() != next.control()) out.listener = listener_;
}

/// A half-open one begins its probes anew.
inline circuit_breaker::circuit_breaker(const breaker_options& options,
                                        const circuit_breaker& before,
                                        steady_time now)
    : circuit_breaker(options) {
    const std::lock_guard lock(before.mutex_);
    const word w = before.current();
    const mode m = w.mode() == mode::half_open ? mode::open : w.mode();
    word_ = word(m, 0, w.generation() + 1).value();
    retry_at_ = w.mode() == mode::half_open ? now : before.retry_at_.load();
    closed_since_ = before.closed_since_;
    times_opened_ = before.times_opened_;
    listener_ = before.listener_;
}

inline void circuit_breaker::on_change(change_listener listener) {
    auto shared = std::make_shared<const change_listener>(std::move(listener));
    const std::lock_guard lock(mutex_);
    listener_.swap(shared);
}

}  // namespace asio_retry

#endif
