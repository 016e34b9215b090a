// Time for all calls of an execution context: one steady_timer serves every deadline and backoff.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_TIMER_SERVICE_HPP
#define ASIO_RETRY_DETAIL_TIMER_SERVICE_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/light_mutex.hpp>
#include <asio_retry/detail/timer_heap.hpp>
#include <asio_retry/retry_policy.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

namespace asio = boost::asio;

/// The executor without the strands round it, where they can be told.
template <typename Executor>
asio::any_io_executor without_strands(const Executor& ex);

template <typename Inner>
asio::any_io_executor without_strands(const asio::strand<Inner>& ex) {
    return without_strands(ex.get_inner_executor());
}

template <typename Executor>
asio::any_io_executor without_strands(const Executor& ex) {
    if constexpr (std::is_same_v<Executor, asio::any_io_executor>) {
        using on_context = asio::strand<asio::io_context::executor_type>;
        using on_pool = asio::strand<asio::thread_pool::executor_type>;
        if (auto* e = ex.template target<on_context>()) return without_strands(*e);
        if (auto* e = ex.template target<on_pool>()) return without_strands(*e);
        if (auto* e = ex.template target<asio::strand<Executor>>()) return without_strands(*e);
    }
    return ex;
}

/// Serves the timer entries of one execution context, and its clock and randomness.
/** The timer stays armed when an entry leaves, so that an attempt which ends in time costs two heap
    operations and never touches the timer. On an io_context the armed timer is taken out of the
    count of outstanding work, so that it does not keep `run()` from returning; on contexts where
    that cannot be done it is cancelled when the last entry leaves. Pending entries do count. All
    functions are thread-safe. */
class timer_service : public asio::execution_context::service {
public:
    static inline asio::execution_context::id id;

    explicit timer_service(asio::execution_context& context)
        : service(context), random_state_(seed_from_system()) {}

    ~timer_service() override { services_ended_.fetch_add(1, std::memory_order_relaxed); }

    /// The service of the executor's context. Remembers the one that this thread asked for last, as
    /// use_service takes a lock.
    template <typename Executor>
    static timer_service& of(const Executor& ex) {
        auto& context = asio::query(ex, asio::execution::context);
        const auto ended = services_ended_.load(std::memory_order_relaxed);
        lookup& last = last_lookup_;
        if (last.context != &context || last.services_ended != ended) {
            auto& timers = asio::use_service<timer_service>(context);
            if (!timers.attached_.load(std::memory_order_acquire)) timers.attach(ex);
            last = {&context, &timers, ended};
        }
        return *last.timers;
    }

    /// The steady clock's time, or the manual clock's while one is in force.
    steady_time now() const noexcept {
        const auto manual = manual_now_.load(std::memory_order_acquire);
        if (manual != no_manual_clock) return steady_time(std::chrono::nanoseconds(manual));
        return std::chrono::steady_clock::now();
    }

    /// 64 random bits (SplitMix64: Steele, Lea, Flood, 2014).
    std::uint64_t random() noexcept {
        std::uint64_t z = random_state_.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    void seed(std::uint64_t value) noexcept { random_state_ = value; }

    /// Has the entry expire at `t`. Precondition: it is not pending. It may fire before this
    /// returns. A pending entry counts as outstanding work of the service's context.
    void schedule(timer_entry& entry, steady_time t) {
        const std::lock_guard lock(mutex_);
        push(entry, t);
    }

    /// The same, unless the entry has been woken: then answers false, and it is not pending. The
    /// waking is spent with that.
    bool schedule_unless(bool& woken, timer_entry& entry, steady_time t) {
        const std::lock_guard lock(mutex_);
        if (std::exchange(woken, false)) return false;
        push(entry, t);
        return true;
    }

    /// Takes an entry back. False if it is not pending: it has fired, and its function has been or
    /// is about to be called, or it was never scheduled.
    bool withdraw(timer_entry& entry) noexcept {
        return withdraw(entry, [] {});
    }

    /// The same, and calls `then` if it was pending, before it ceases to count as work: what `then`
    /// posts does so by that time.
    template <typename Then>
    bool withdraw(timer_entry& entry, Then&& then) {
        bool last = false;
        {
            const std::lock_guard lock(mutex_);
            if (!remove(entry)) return false;
            last = heap_.empty();
        }
        then();
        if (last) went_empty();
        return true;
    }

    /// As `withdraw`, or sets `woken` if it is not pending, in one step. If this answers false, the
    /// entry may be gone already.
    template <typename Then>
    bool wake(bool& woken, timer_entry& entry, Then&& then) {
        bool last = false;
        {
            const std::lock_guard lock(mutex_);
            woken = !remove(entry);
            if (woken) return false;
            last = heap_.empty();
        }
        then();
        if (last) went_empty();
        return true;
    }

    /// Puts the manual clock in force, at time `t`.
    void use_manual_time(steady_time t) noexcept {
        const std::lock_guard lock(mutex_);
        if (timer_) disarm();
        manual_now_ = t.time_since_epoch().count();
    }

    /// Returns to the steady clock.
    void use_steady_time() noexcept {
        const std::lock_guard lock(mutex_);
        manual_now_ = no_manual_clock;
        if (!heap_.empty()) arm();
    }

    /// Moves the manual clock and fires what is due. Times in the past are ignored.
    void advance_to(steady_time t) {
        if (t > now()) manual_now_ = t.time_since_epoch().count();
        fire_due();
    }

    /// When the next entry expires; `steady_time::max()` if there is none.
    steady_time next_expiry() const noexcept {
        const std::lock_guard lock(mutex_);
        return heap_.empty() ? steady_time::max() : heap_.next_expiry();
    }

    /// How many entries are pending.
    std::size_t pending() const noexcept {
        const std::lock_guard lock(mutex_);
        return heap_.size();
    }

private:
    static constexpr std::int64_t no_manual_clock = INT64_MIN;

    /// What `of` found. Good until any service ends: another context may then stand at that
    /// address, and who knows of that one knows of the end.
    struct lookup {
        const asio::execution_context* context;
        timer_service* timers;
        std::uint64_t services_ended;
    };
    static inline std::atomic<std::uint64_t> services_ended_{0};
    static inline constinit thread_local lookup last_lookup_{};

    static std::uint64_t seed_from_system() {
        std::random_device device;
        return (static_cast<std::uint64_t>(device()) << 32) | device();
    }

    void shutdown() noexcept override {
        // One by one: what an entry destroys may withdraw others.
        while (timer_entry* const e = heap_.take_any()) e->fire(timer_event::abandoned);
        timer_.reset();
    }

    bool is_manual() const noexcept { return manual_now_.load() != no_manual_clock; }

    /// The first executor of this context that is seen is what the timer runs on; not its strand,
    /// which may be busy with something else.
    template <typename Executor>
    void attach(const Executor& ex) {
        const std::lock_guard lock(mutex_);
        if (attached_) return;
        const asio::any_io_executor plain = without_strands(ex);
        if (auto* e = plain.target<asio::io_context::executor_type>()) {
            untracked_ = &e->context();
        }
        // An executor that counts as work would keep the context running for ever.
        timer_.emplace(asio::any_io_executor(
            asio::prefer(plain, asio::execution::outstanding_work.untracked)));
        attached_.store(true, std::memory_order_release);
    }

    void push(timer_entry& entry, steady_time t) {
        heap_.push(entry, t);
        if (heap_.size() == 1 && untracked_ != nullptr) {
            untracked_->get_executor().on_work_started();
        }
        // What is due already needs no move of the manual clock, but nobody's stack either.
        if (is_manual() && t > now()) return;
        // An armed timer is all that counts where entries do not, also if none is ever to expire.
        if (t < armed_until_ || (untracked_ == nullptr && !armed_)) arm();
    }

    bool remove(timer_entry& entry) noexcept {
        if (!heap_.contains(entry)) return false;
        heap_.erase(entry);
        return true;
    }

    void went_empty() noexcept {
        if (untracked_ != nullptr) return untracked_->get_executor().on_work_finished();
        const std::lock_guard lock(mutex_);
        if (heap_.empty()) disarm();
    }

    /// For the next expiry. On an io_context the armed timer itself is no outstanding work; entries
    /// are, and if none is ever to expire no timer is needed.
    void arm() {
        armed_until_ = heap_.next_expiry();
        if (armed_until_ == steady_time::max() && untracked_ != nullptr) return disarm();
        armed_ = true;
        timer_->expires_at(is_manual() ? steady_time() : armed_until_);
        timer_->async_wait([this](const error_code& ec) {
            if (untracked_ != nullptr) untracked_->get_executor().on_work_started();
            if (!ec) fire_due();
        });
        if (untracked_ != nullptr) untracked_->get_executor().on_work_finished();
    }

    void disarm() noexcept {
        armed_until_ = steady_time::max();
        if (std::exchange(armed_, false)) timer_->cancel();
    }

    /// Fires outside the lock: what fires may at once schedule again.
    void fire_due() {
        timer_entry* due = nullptr;
        bool drained = false;
        {
            const std::lock_guard lock(mutex_);
            due = heap_.take_due(now());
            if (due != nullptr && heap_.empty()) drained = true;
            if (heap_.empty() || is_manual()) {
                disarm();
            } else {
                arm();
            }
        }
        while (due != nullptr) {
            timer_entry* const next = due->next();
            due->fire(timer_event::expired);
            due = next;
        }
        if (drained && untracked_ != nullptr) untracked_->get_executor().on_work_finished();
    }

    mutable light_mutex mutex_;
    timer_heap heap_;
    std::optional<asio::steady_timer> timer_;
    asio::io_context* untracked_ = nullptr;
    steady_time armed_until_ = steady_time::max();
    bool armed_ = false;  // a wait of the timer is pending, or its handler on the way
    std::atomic<bool> attached_{false};
    std::atomic<std::int64_t> manual_now_{no_manual_clock};
    std::atomic<std::uint64_t> random_state_;
};

/// Draws from the policy's generator, or else from the context's.
inline auto random_of(const retry_policy& policy, timer_service& timers) noexcept {
    return [&policy, &timers] { return policy.random() ? (*policy.random())() : timers.random(); };
}

}  // namespace asio_retry::detail

#endif
