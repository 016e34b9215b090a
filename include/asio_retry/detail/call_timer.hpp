// What times a call: the deadline of its attempt, or its backoff.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_CALL_TIMER_HPP
#define ASIO_RETRY_DETAIL_CALL_TIMER_HPP

#include <asio_retry/detail/timer_service.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace asio_retry::detail {

/// Every type at once: an operation that knows only terminal cancellation ends as promptly as one
/// that knows them all.
inline constexpr asio::cancellation_type any_cancellation = asio::cancellation_type::terminal |
                                                            asio::cancellation_type::partial |
                                                            asio::cancellation_type::total;

/// The base of a `Call`, which must not move: cancels its attempt, also at a point in time, and
/// waits between attempts.
/** Up to three parties take part in an attempt with a deadline: the one that initiates the
    operation, the operation's completion, and the expiry if it fires. The last of them continues
    the call, so that none is left with a dangling reference whatever the threads do.

    The call has `timers()` and `executor()`; goes on in `attempt_done()`, called on the executor,
    and `backoff_done()`, called anywhere; ends in `abandon()` if the context is destroyed; and
    calls `forsake()` before its end. */
template <typename Call>
class call_timer : private timer_entry {
public:
    call_timer() noexcept : timer_entry(&on_fire) {}

    /// Before the end of a call that may have been dropped in the middle of an attempt.
    void forsake() noexcept {
        if (parties_ == 0) return;  // not armed, or ended as it should
        call().timers().withdraw(*this);
        if (posted_ != nullptr) *posted_ = nullptr;
    }

    /// What cancels the attempt's operation; not connected if nothing will.
    asio::cancellation_slot slot() noexcept {
        if (!cancellable_) return {};
        if (!signal_) signal_.emplace();
        return signal_->slot();
    }

    /// Before an operation without deadline is initiated.
    void begin_unlimited(bool cancellable) noexcept {
        phase_.store(phase::unlimited, std::memory_order_relaxed);
        cancellable_ = cancellable;
    }

    /// Before an operation is initiated that is to end at `t`.
    void begin_until(steady_time t) {
        parties_.store(3, std::memory_order_relaxed);
        phase_.store(phase::initiating, std::memory_order_relaxed);
        cancellable_ = true;
        call().timers().schedule(*this, t);
    }

    /// After the latter was initiated. True if the caller is to continue the call.
    bool initiated() {
        if (phase_.exchange(phase::running) != phase::expired) return leave(1);
        // The time was over before: now it can be cancelled, but on the executor only.
        asio::post(call().executor(), expiry(*this));
        return false;
    }

    /// When the operation has completed, and there is nothing to cancel any more. True if the
    /// caller is to continue the call.
    bool completed() noexcept {
        if (!has_deadline()) return true;
        if (signal_) signal_->slot().clear();
        return leave(call().timers().withdraw(*this) ? 2 : 1);
    }

    /// Instead of both, if nothing was initiated.
    bool never_began() noexcept { return leave(call().timers().withdraw(*this) ? 3 : 2); }

    /// Whether the time ran out before the operation completed. Takes down what cancelled it.
    bool end_attempt() noexcept {
        signal_.reset();
        return std::exchange(expired_, false);
    }

    /// Waits until `t`, and goes on in `backoff_done()` on the executor.
    void back_off(steady_time t) {
        phase_ = phase::backing_off;
        call().timers().schedule(*this, t);
    }

    /// Passes the caller's cancellation on to the operation, or ends the backoff. Call on the
    /// executor. The call may be gone afterwards.
    void cancel_step() {
        if (phase_ != phase::backing_off) return emit();
        call().timers().withdraw(*this, [this] { call().backoff_done(); });
    }

private:
    enum class phase : std::uint8_t { unlimited, initiating, running, expired, backing_off };

    bool has_deadline() const noexcept { return phase_ != phase::unlimited; }

    Call& call() noexcept { return static_cast<Call&>(*this); }

    void emit() {
        if (signal_) signal_->emit(any_cancellation);
    }

    bool leave(int parties) noexcept { return parties_.fetch_sub(parties) == parties; }

    /// Brings the expiry to the executor. Knows by the link whether the call is still there.
    class expiry {
    public:
        explicit expiry(call_timer& timer) : link_(std::make_unique<call_timer*>(&timer)) {
            timer.posted_ = link_.get();
        }
        expiry(expiry&&) noexcept = default;
        ~expiry() {
            if (call_timer* const timer = take()) timer->drop_expiry();
        }

        void operator()() {
            if (call_timer* const timer = take()) timer->expire();
        }

    private:
        call_timer* take() noexcept {
            const auto link = std::move(link_);
            if (!link || *link == nullptr) return nullptr;
            (*link)->posted_ = nullptr;
            return *link;
        }

        std::unique_ptr<call_timer*> link_;
    };

    static void on_fire(timer_entry& entry, timer_event event) noexcept {
        auto& self = static_cast<call_timer&>(entry);
        if (self.phase_ == phase::backing_off) {
            if (event == timer_event::abandoned) return self.call().abandon();
            return self.call().backoff_done();
        }
        if (event == timer_event::abandoned) return;
        asio::post(self.call().executor(), expiry(self));
    }

    void expire() {
        expired_ = true;
        if (phase_.exchange(phase::expired) == phase::running) emit();
        if (leave(1)) call().attempt_done();
    }

    void drop_expiry() noexcept {
        if (leave(1)) call().abandon();
    }

    std::optional<asio::cancellation_signal> signal_;  // once the attempt's operation asked for it
    call_timer** posted_ = nullptr;                    // in the expiry on its way
    std::atomic<int> parties_{0};
    std::atomic<phase> phase_{phase::unlimited};
    bool cancellable_ = false;
    bool expired_ = false;

protected:
    bool cancelled_ = false;  ///< by the caller; here, where there is room for it
};

}  // namespace asio_retry::detail

#endif
