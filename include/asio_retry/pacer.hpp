// Spreads callers over what is left of a server's quota, instead of running into its refusal.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_PACER_HPP
#define ASIO_RETRY_PACER_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/light_mutex.hpp>
#include <asio_retry/detail/saturate.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace asio_retry {

/// What a server says of a quota: so many calls are left, until it is filled again.
class quota_signal {
public:
    quota_signal(std::uint64_t calls_left, std::chrono::nanoseconds until_reset) noexcept
        : remaining(calls_left), reset(until_reset) {}

    std::uint64_t remaining;
    std::chrono::nanoseconds reset;
    /// How many calls a whole window has; 0 if it is not known.
    std::uint64_t quota = 0;
    /// How long a whole window is; zero if it is not known.
    std::chrono::nanoseconds window{0};

    friend bool operator==(const quota_signal&, const quota_signal&) = default;
};

/// Gives callers their turns, evenly over the time in which a quota has to last.
/** Knows only what it is told; before that, and when a window is over, everybody goes at once. With
    `n` calls left until the reset, turns are a `n`-th of that time apart, so that a caller alone
    hardly ever waits and a crowd does; with none left they begin at the reset. Turns after the
    reset keep the distance that the whole quota gives, if that is known.

    Time is passed in and must not go far backwards. Thread safety: a shared object safe; a call
    takes a lock for some ten instructions.

        if (const auto turn = pacer.take_turn(now, deadline)) { ... wait until *turn, and call ...
            pacer.told(signal, now) }  */
class pacer {
public:
    pacer() noexcept = default;
    pacer(const pacer&) = delete;
    pacer& operator=(const pacer&) = delete;

    /// When the caller may go: `now` for at once. Nothing, and no turn is taken, if it would have
    /// to wait and that would not end before `latest`.
    std::optional<steady_time> take_turn(steady_time now,
                                         steady_time latest = steady_time::max()) noexcept {
        const std::lock_guard lock(mutex_);
        const bool pacing = now < reset_;
        steady_time turn = std::max(now, next_);
        if (pacing && left_ == 0) turn = std::max(turn, opens_);
        if (turn > now && turn >= latest) return std::nullopt;
        if (!pacing && turn == now) return turn;
        step_ = distance(turn);
        last_ = turn;
        next_ = detail::saturating_add(turn, step_);
        if (turn < reset_ && left_ > 0) --left_;
        return turn;
    }

    /// Gives a turn back that was not used: the next caller has it, if nobody has taken a later
    /// one.
    void give_back(steady_time turn) noexcept {
        const std::lock_guard lock(mutex_);
        if (turn >= since_ && turn < reset_) ++left_;
        if (turn == last_) next_ = std::min(next_, turn);
    }

    /// Takes what the server said at `now`. With `random` bits, turns that wait for the reset begin
    /// up to a tenth of the wait, and no more than a second, after it: all of a server's clients
    /// are told the same reset.
    /** Answers come late and in any order: while a window lasts (its reset differs by up to a
        second, as times are rounded), the lowest number counts. Turns that are still waited for are
        taken off it. */
    void told(const quota_signal& said, steady_time now, std::uint64_t random = 0) noexcept {
        if (said.reset <= std::chrono::nanoseconds::zero()) return;
        const steady_time reset = detail::saturating_add(now, said.reset);
        const std::lock_guard lock(mutex_);
        const std::uint64_t left = said.remaining - std::min(said.remaining, waiting(now));
        if (now < reset_ && reset <= detail::saturating_add(reset_, std::chrono::seconds(1))) {
            left_ = std::min(left_, left);
            return;
        }
        left_ = left;
        since_ = now;
        reset_ = reset;
        opens_ = detail::saturating_add(reset, part_of(said.reset, random));
        const auto window = said.window.count() > 0 ? said.window : said.reset;
        after_ = said.quota > 0 ? divide(window, said.quota) : std::chrono::nanoseconds::zero();
    }

private:
    static std::chrono::nanoseconds divide(std::chrono::nanoseconds d, std::uint64_t n) noexcept {
        return std::chrono::nanoseconds(
            static_cast<std::int64_t>(static_cast<std::uint64_t>(d.count()) / n));
    }

    /// Uniform up to a tenth of `d`, a second at most.
    static std::chrono::nanoseconds part_of(std::chrono::nanoseconds d,
                                            std::uint64_t random) noexcept {
        const std::chrono::nanoseconds most =
            std::min<std::chrono::nanoseconds>(d / 10, std::chrono::seconds(1));
        return std::chrono::nanoseconds(
            static_cast<std::int64_t>(random % (static_cast<std::uint64_t>(most.count()) + 1)));
    }

    /// Between this turn and the next one.
    std::chrono::nanoseconds distance(steady_time turn) noexcept {
        if (turn >= reset_) return after_;
        const auto d = divide(reset_ - turn, std::max<std::uint64_t>(left_, 1));
        if (after_ == std::chrono::nanoseconds::zero()) after_ = d;
        return d;
    }

    /// How many turns lie ahead, at the distance of the last ones.
    std::uint64_t waiting(steady_time now) const noexcept {
        if (next_ <= now || step_.count() <= 0) return 0;
        return static_cast<std::uint64_t>((next_ - now).count() - 1) /
               static_cast<std::uint64_t>(step_.count());
    }

    detail::light_mutex mutex_;
    std::uint64_t left_ = 0;                  // in this window, turns given taken off
    steady_time since_ = steady_time::max();  // when the window was told of
    steady_time reset_ = steady_time::min();  // when it ends
    steady_time opens_ = steady_time::min();  // when turns of the next one begin
    steady_time next_ = steady_time::min();   // the next turn, if that is not past
    steady_time last_ = steady_time::min();   // the latest turn given
    std::chrono::nanoseconds step_{0};        // between the latest turn and the next
    std::chrono::nanoseconds after_{0};       // between turns after the reset
};

}  // namespace asio_retry

#endif
