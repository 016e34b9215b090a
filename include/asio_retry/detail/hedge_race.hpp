// Several attempts at one thing, side by side, until one of them decides.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_HEDGE_RACE_HPP
#define ASIO_RETRY_DETAIL_HEDGE_RACE_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/spawned_attempt.hpp>
#include <asio_retry/detail/timed_wait.hpp>
#include <asio_retry/detail/timer_service.hpp>
#include <asio_retry/hedge_options.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <array>
#include <optional>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

/// The lanes of a race that are or were under way. Used on one executor that runs one thing at a
/// time.
/** A contest is what the race is about:

        timed_wait& changed()       that which the race waits on; woken when `due` has changed
        awaitable<void> lane(n)     what lane n runs; keeps its outcome itself, throws nothing
        steady_time due(n)          when lane n, not the first, is to start; max() if not now
        bool admits(n, now)         whether it may, now that it is due; if not, no other will
        bool decides(n)             whether the outcome of lane n, which has ended, decides */
template <typename Executor, typename Contest>
class hedge_race {
public:
    hedge_race(Contest& contest, const Executor& ex) : contest_(contest), executor_(ex) {}

    void start_lane() {
        auto body = contest_.lane(started_);
        lanes_[started_].emplace(executor_);
        lanes_[started_++]->start(std::move(body), contest_.changed());
        ++running_;
    }

    bool is_over() const noexcept { return running_ == 0; }

    steady_time due() const {
        return open_ && started_ < lanes_.size() ? contest_.due(started_) : steady_time::max();
    }

    /// Takes in what has happened: lanes that have ended, and the time.
    void go_on(steady_time now) {
        for (unsigned n = 0; n < started_; ++n) {
            if (!lanes_[n] || !lanes_[n]->has_ended()) continue;
            lanes_[n].reset();
            --running_;
            if (!decided_ && contest_.decides(n)) {
                decided_ = true;
                stop();
            }
        }
        if (running_ == 0 || now < due()) return;
        open_ = contest_.admits(started_, now);
        if (open_) start_lane();
    }

    /// Starts no more lanes, and asks those that run to end.
    void stop() {
        open_ = false;
        for (auto& each : lanes_) {
            if (each) each->cancel();
        }
    }

private:
    Contest& contest_;
    Executor executor_;
    std::array<std::optional<spawned_attempt<Executor>>, hedge_options::most_extra + 1> lanes_;
    unsigned started_ = 0;
    unsigned running_ = 0;
    bool open_ = true;  // to further lanes
    bool decided_ = false;
};

/// Runs a race until all of its lanes have ended. A cancellation reaches all of them.
template <typename Executor, typename Contest>
asio::awaitable<void, Executor> run_race(Contest* contest, timer_service* timers) {
    hedge_race<Executor, Contest> race(*contest, co_await asio::this_coro::executor);
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    race.start_lane();
    while (!race.is_over()) {
        const wait_result r = co_await contest->changed().until(race.due());
        const bool cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
        if (r == wait_result::cancelled || cancelled) race.stop();
        race.go_on(timers->now());
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
}

/// The same from any coroutine: where it might run on several threads at once, on a strand.
template <typename Executor, typename Contest>
asio::awaitable<void, Executor> run_race_apart(Contest* contest, timer_service* timers) {
    const Executor ex = co_await asio::this_coro::executor;
    auto race = run_race<Executor>(contest, timers);
    if (attempt_executor(ex) == ex) {
        co_await std::move(race);
    } else {
        auto apart = run_until(std::move(race), *timers, steady_time::max());
        co_await std::move(apart);
    }
}

}  // namespace asio_retry::detail

#endif
