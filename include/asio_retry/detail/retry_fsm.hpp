// The retry decision: a machine without I/O, clock or randomness of its own.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_RETRY_FSM_HPP
#define ASIO_RETRY_DETAIL_RETRY_FSM_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/failure.hpp>
#include <asio_retry/retry_policy.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

namespace asio_retry::detail {

/// What the driver is to do next.
class retry_action {
public:
    enum class type : std::uint8_t { attempt, wait, finish };

    static constexpr retry_action make_attempt() noexcept {
        return {type::attempt, nanoseconds::zero(), delay_source::none, reason::success};
    }
    static constexpr retry_action wait_for(nanoseconds delay, delay_source source) noexcept {
        return {type::wait, delay, source, reason::success};
    }
    static constexpr retry_action finish(reason why) noexcept {
        return {type::finish, nanoseconds::zero(), delay_source::none, why};
    }

    nanoseconds delay;  ///< of a wait; zero for a repeat at once
    type what;
    delay_source source;  ///< of a wait
    reason why;           ///< of a finish

private:
    constexpr retry_action(type t, nanoseconds d, delay_source s, reason r) noexcept
        : delay(d), what(t), source(s), why(r) {}
};

/// Counts the attempts of one call and decides what follows each.
/** Inputs: `start`, then in turn `attempt_done` and, after a wait, `wait_done`; `cancel` at any
    time. The time is passed in and must not go backwards; random bits are drawn from the function
    passed in, only when a delay is drawn. Once finished, every further input answers the same
    finish. The policy is passed in too, so that the machine stays small; it must be the same one
    for the whole call. */
class retry_fsm {
public:
    retry_action start(const retry_policy& policy, steady_time now) noexcept {
        if (finished_) return finish(end_);
        deadline_ = std::min(policy.deadline(), saturating_add(now, policy.total_timeout()));
        if (now >= deadline_) return finish(reason::deadline_exceeded);
        number_ = 1;
        return retry_action::make_attempt();
    }

    /// Takes the verdict on an attempt that has ended.
    template <typename Random>
    retry_action attempt_done(const retry_policy& policy,
                              steady_time now,
                              const verdict& v,
                              Random&& random) {
        if (finished_) return finish(end_);
        resending_ = false;
        if (!v.is_failure()) return finish(reason::success);
        if (v.kind() == failure_kind::cancelled) return finish(reason::cancelled);
        if (v.kind() == failure_kind::permanent) return finish(reason::permanent_failure);
        if (now >= deadline_) return finish(reason::deadline_exceeded);
        if (v.is_stale_connection() && !resent_ && v.veto() == reason::success) {
            resent_ = resending_ = true;
            return retry_action::wait_for(nanoseconds::zero(), delay_source::stale_connection);
        }
        ++failures_[index(v.kind())];
        if (exhausted(policy, v.kind())) return finish(reason::attempts_exhausted);
        if (v.veto() != reason::success) return finish(v.veto());
        return schedule(policy, now, v, random);
    }

    /// A wait has run its time.
    retry_action wait_done(steady_time now) noexcept {
        if (finished_) return finish(end_);
        if (now >= deadline_) return finish(reason::deadline_exceeded);
        if (!resending_) ++number_;
        return retry_action::make_attempt();
    }

    /// The attempt that was allowed last is not to be made after all.
    retry_action refuse_attempt(reason why) noexcept {
        // A resend has the number of an attempt that was made.
        if (!finished_ && !resending_) --number_;
        return finish(finished_ ? end_ : why);
    }

    /// The retry that was scheduled last is not to be made after all.
    retry_action refuse_retry(reason why) noexcept { return finish(finished_ ? end_ : why); }

    /// The caller cancelled.
    retry_action cancel() noexcept { return finish(finished_ ? end_ : reason::cancelled); }

    /// After `retry_after_too_long`, the wait that was asked for.
    nanoseconds asked() const noexcept { return previous_; }

    /// Number of the current or last attempt; 0 if none was made.
    unsigned number() const noexcept { return number_; }
    /// End of the call; `steady_time::max()` if it has none.
    steady_time deadline() const noexcept { return deadline_; }
    /// When an attempt that starts now has to end.
    steady_time attempt_deadline(const retry_policy& policy, steady_time now) const noexcept {
        return std::min(deadline_, saturating_add(now, policy.attempt_timeout()));
    }

    /// Whether no failure of the attempt in progress could be retried, by the limits on attempts.
    attempt_place place(const retry_policy& policy) const noexcept {
        if (!policy.counts_by_kind()) {
            return number_ < policy.max_attempts() ? attempt_place::not_last : attempt_place::last;
        }
        for (std::size_t i = 0; i < index(failure_kind::permanent); ++i) {
            const auto own = policy.on(static_cast<failure_kind>(i)).max_attempts();
            if (own ? failures_[i] + 1 < *own : number_ < policy.max_attempts()) {
                return attempt_place::not_last;
            }
        }
        return attempt_place::last;
    }

private:
    /// Permanent failures and cancellations, the last two kinds, are not counted.
    static constexpr std::size_t retried_kinds = 5;
    static_assert(static_cast<std::size_t>(failure_kind::server) + 1 == retried_kinds);

    static std::size_t index(failure_kind kind) noexcept { return static_cast<std::size_t>(kind); }

    retry_action finish(reason why) noexcept {
        finished_ = true;
        end_ = why;
        return retry_action::finish(why);
    }

    /// A kind with a limit of its own counts its own failures; all others share the call's
    /// attempts.
    bool exhausted(const retry_policy& policy, failure_kind kind) const noexcept {
        const auto own = policy.on(kind).max_attempts();
        return own ? failures_[index(kind)] >= *own : number_ >= policy.max_attempts();
    }

    template <typename Random>
    retry_action schedule(const retry_policy& policy,
                          steady_time now,
                          const verdict& v,
                          Random& random) {
        const auto& own = policy.on(v.kind()).backoff();
        const backoff& schedule = own ? *own : policy.backoff();
        const unsigned n = own ? failures_[index(v.kind())] : number_;
        const nanoseconds ceiling = schedule.ceiling(n, previous_);
        const bool draw = schedule.is_random() && ceiling > nanoseconds::zero();
        previous_ = draw ? schedule.spread(ceiling, random()) : ceiling;

        const nanoseconds left = deadline_ - now;
        const auto asked = v.retry_after();
        if (asked && *asked > policy.max_retry_after()) return ask_too_much(*asked);
        if (!asked || *asked < previous_) {
            if (previous_ >= left) return finish(reason::deadline_exceeded);
            return retry_action::wait_for(previous_, delay_source::backoff);
        }
        if (*asked == nanoseconds::zero()) {
            return retry_action::wait_for(*asked, delay_source::backoff);
        }
        if (*asked >= left) return ask_too_much(*asked);
        // Never earlier than asked: the jitter goes upward, as far as the deadline leaves room.
        const nanoseconds room = left - *asked - nanoseconds(1);
        const nanoseconds extra =
            draw ? uniform_up_to(std::min(ceiling, room), random()) : nanoseconds::zero();
        return retry_action::wait_for(*asked + extra, delay_source::retry_after);
    }

    retry_action ask_too_much(nanoseconds asked) noexcept {
        previous_ = asked;
        return finish(reason::retry_after_too_long);
    }

    steady_time deadline_ = steady_time::max();
    nanoseconds previous_{0};  // delay; after the end, the wait that was asked for
    std::array<std::uint32_t, retried_kinds> failures_{};
    unsigned number_ = 0;
    reason end_ = reason::success;
    bool finished_ = false;
    bool resent_ = false;
    bool resending_ = false;  // until the resend has ended
};

}  // namespace asio_retry::detail

#endif
