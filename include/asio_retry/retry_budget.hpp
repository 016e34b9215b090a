// How much retrying the callers of one upstream may do together: a token bucket without a lock.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_RETRY_BUDGET_HPP
#define ASIO_RETRY_RETRY_BUDGET_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/budget_options.hpp>
#include <asio_retry/failure.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>

namespace asio_retry {

/// Shared by the calls to one upstream: their retries, hedges and resumed downloads alike.
/** Every call that succeeds says so; every further attempt asks first. What was granted is granted
    once: any number of threads together never get more than the bucket held and earned.
    The time is passed in (`steady_clock`, or a manual one); times out of order are safe, and at
    worst see less. Thread safety: all functions may be called on a shared object. They neither lock
    nor allocate nor throw; a full budget is only read. */
class retry_budget {
public:
    /// A full budget.
    explicit retry_budget(const budget_options& options = {}) noexcept;

    /// One with `available` tokens at `now`, say those of its predecessor when options change.
    retry_budget(const budget_options& options, double available, steady_time now) noexcept
        : retry_budget(options) {
        base_ = std::clamp<units>(to_units(available), 0, capacity_) - refilled(now);
    }

    /// Takes the cost of a retry after this failure. False, and nothing taken, if that is not
    /// there.
    bool try_spend(failure_kind failed, steady_time now) noexcept {
        return take(costs_[static_cast<std::size_t>(failed)], now);
    }

    /// The same for an attempt that no failure calls for, a hedge: it costs `retry_cost`.
    bool try_spend(steady_time now) noexcept { return take(retry_cost_, now); }

    /// Returns what was spent on a retry that was not made after all.
    void give_back(failure_kind failed, steady_time now) noexcept {
        earn(costs_[static_cast<std::size_t>(failed)], now);
    }
    void give_back(steady_time now) noexcept { earn(retry_cost_, now); }

    /// An attempt failed. `permanent` and `cancelled` failures say nothing of the peer's load and
    /// cost nothing.
    void attempt_failed(failure_kind failed, steady_time now) noexcept;

    /// A call succeeded in its first attempt.
    void call_succeeded(steady_time now) noexcept { earn(refund_, now); }

    /// A call succeeded in a retry, which had been spent for after the failure `retried`.
    void call_succeeded(failure_kind retried, steady_time now) noexcept {
        const auto cost = costs_[static_cast<std::size_t>(retried)];
        earn(options_.returns_retry_cost() ? cost : refund_, now);
    }

    /// What is left, in tokens: 0 to the capacity.
    double available(steady_time now) const noexcept {
        return static_cast<double>(std::max<units>(level(base_.load(relaxed), refilled(now)), 0)) /
               units_per_token;
    }

    const budget_options& options() const noexcept { return options_; }

private:
    using units = std::int64_t;

    static constexpr double units_per_token = 1000;
    static constexpr auto relaxed = std::memory_order_relaxed;

    static units to_units(double tokens) noexcept {
        return static_cast<units>(std::llround(tokens * units_per_token));
    }

    /// What time has earned since the clock's epoch. 292 years at the highest rate fit.
    units refilled(steady_time now) const noexcept {
        __extension__ using uint128 = unsigned __int128;
        const auto t = std::max<std::int64_t>(now.time_since_epoch().count(), 0);
        return static_cast<units>((static_cast<uint128>(t) * refill_per_ns_) >> 64);
    }

    units level(units base, units earned) const noexcept {
        return std::min(base + earned, capacity_);
    }

    bool take(units cost, steady_time now) noexcept;
    void earn(units amount, steady_time now) noexcept;

    budget_options options_;
    units capacity_;
    units floor_;
    units retry_cost_;
    units refund_;
    units failure_cost_;
    std::array<units, failure_kind_count> costs_{};
    std::uint64_t refill_per_ns_;  // in 2^-64 units
    // The level less `refilled`: the whole state in one word, so that no refill needs claiming and
    // each change is one compare-and-swap.
    std::atomic<units> base_;
};

inline retry_budget::retry_budget(const budget_options& options) noexcept
    : options_(options),
      capacity_(to_units(options.capacity())),
      floor_(to_units(options.floor())),
      retry_cost_(to_units(options.retry_cost())),
      refund_(to_units(options.success_refund())),
      failure_cost_(to_units(options.failure_cost())),
      refill_per_ns_(static_cast<std::uint64_t>(std::ldexp(
          static_cast<long double>(options.refill_per_second()) * units_per_token / 1e9L, 64))),
      base_(capacity_) {
    for (std::size_t i = 0; i < costs_.size(); ++i) {
        costs_[i] = to_units(options.cost(static_cast<failure_kind>(i)));
    }
}

inline bool retry_budget::take(units cost, steady_time now) noexcept {
    const units earned = refilled(now);
    units base = base_.load(relaxed);
    for (;;) {
        const units have = level(base, earned);
        if (have < cost || have <= floor_) return false;
        if (cost == 0) return true;
        if (base_.compare_exchange_weak(base, have - cost - earned, relaxed)) return true;
    }
}

inline void retry_budget::earn(units amount, steady_time now) noexcept {
    const units earned = refilled(now);
    units base = base_.load(relaxed);
    for (;;) {
        const units have = level(base, earned);
        const units next = std::min(have + amount, capacity_);
        if (next == have || base_.compare_exchange_weak(base, next - earned, relaxed)) return;
    }
}

inline void retry_budget::attempt_failed(failure_kind failed, steady_time now) noexcept {
    if (failure_cost_ == 0 || failed >= failure_kind::permanent) return;
    const units earned = refilled(now);
    units base = base_.load(relaxed);
    for (;;) {
        const units have = level(base, earned);
        const units next = std::max(have - failure_cost_, std::min<units>(have, 0));
        if (next == have || base_.compare_exchange_weak(base, next - earned, relaxed)) return;
    }
}

}  // namespace asio_retry

#endif
