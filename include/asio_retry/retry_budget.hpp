// How much retrying the callers of one upstream may do together: a token bucket without a lock.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_RETRY_BUDGET_HPP
#define ASIO_RETRY_RETRY_BUDGET_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/check_number.hpp>
#include <asio_retry/failure.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace asio_retry {

/// What a `retry_budget` holds, costs and earns, in tokens.
/** Kept to a thousandth of a token. In the long run retries take at most `success_refund / cost` of
    the successful calls, and `refill_per_second / cost` a second; `capacity / cost` of them may come
    in one burst. The default allows one retry for five successes (one for ten after a timeout), one in five
    seconds besides, and bursts of 20: test/fleet holds the measurements that it rests on.
    Setters chain; they throw std::invalid_argument for an impossible value. */
class budget_options {
public:
    budget_options() = default;

    /// The AWS SDKs' quota ("retry behavior", standard mode): 500 tokens, 5 a retry, 10 after a
    /// timeout; a success returns the cost of the retry that brought it, or earns 1 if none was needed.
    static budget_options aws();

    /// gRPC's retry throttle (gRFC A6): every failure takes one token, every success earns
    /// `token_ratio`, and retries are made while more than half of `max_tokens` are left.
    static budget_options grpc_throttle(double max_tokens = 10, double token_ratio = 0.1);

    /// Retries up to this part of the successes, and `retries_per_second` besides, which may be
    /// saved up for ten seconds.
    static budget_options ratio(double ratio = 0.2, double retries_per_second = 1);

    /// What it holds at most, and at first. 0 to 1e9; default 100. 0 allows no retry.
    budget_options& capacity(double tokens) {
        capacity_ = detail::check_number("capacity", tokens, 0, most);
        return *this;
    }
    double capacity() const noexcept { return capacity_; }

    /// The cost of a retry whose kind of failure has none of its own, and of a hedge. 0 to 1e9; default 5.
    budget_options& retry_cost(double tokens) {
        retry_cost_ = detail::check_number("retry_cost", tokens, 0, most);
        return *this;
    }
    double retry_cost() const noexcept { return retry_cost_; }

    /// The cost of a retry after a timeout, the dearest failure. 0 to 1e9; default 10.
    budget_options& timeout_cost(double tokens) {
        cost_[index(failure_kind::timeout)] = detail::check_number("timeout_cost", tokens, 0, most);
        return *this;
    }
    double timeout_cost() const noexcept { return cost(failure_kind::timeout); }

    /// The cost of a retry after this kind of failure. 0 to 1e9; default `retry_cost`, but for timeouts.
    /** Throws also for `permanent` and `cancelled`, which are never retried. */
    budget_options& cost(failure_kind failed, double tokens) {
        if (failed == failure_kind::permanent || failed == failure_kind::cancelled) {
            throw std::invalid_argument("cost: failures of kind " + std::string(to_string(failed)) +
                                        " are never retried");
        }
        cost_[index(failed)] = detail::check_number("cost", tokens, 0, most);
        return *this;
    }
    double cost(failure_kind failed) const noexcept {
        return cost_[index(failed)].value_or(retry_cost_);
    }

    /// What every failed attempt takes, retried or not; never below empty. 0 to 1e9; default 0.
    budget_options& failure_cost(double tokens) {
        failure_cost_ = detail::check_number("failure_cost", tokens, 0, most);
        return *this;
    }
    double failure_cost() const noexcept { return failure_cost_; }

    /// A retry needs more than this in the budget. 0 to 1e9; default 0.
    budget_options& floor(double tokens) {
        floor_ = detail::check_number("floor", tokens, 0, most);
        return *this;
    }
    double floor() const noexcept { return floor_; }

    /// What a successful call earns. 0 to 1e9; default 1.
    budget_options& success_refund(double tokens) {
        success_refund_ = detail::check_number("success_refund", tokens, 0, most);
        return *this;
    }
    double success_refund() const noexcept { return success_refund_; }

    /// A call that succeeds in a retry earns that retry's cost instead. Default false.
    /** It keeps the budget full where repeats help, at the price of up to twice the load. */
    budget_options& returns_retry_cost(bool yes) {
        returns_retry_cost_ = yes;
        return *this;
    }
    bool returns_retry_cost() const noexcept { return returns_retry_cost_; }

    /// What time alone earns, for callers that call too seldom to earn it. 0 to 1e5; default 1.
    budget_options& refill_per_second(double tokens) {
        refill_per_second_ = detail::check_number("refill_per_second", tokens, 0, 1e5);
        return *this;
    }
    double refill_per_second() const noexcept { return refill_per_second_; }

    friend bool operator==(const budget_options&, const budget_options&) = default;

private:
    static constexpr double most = 1e9;

    static std::size_t index(failure_kind kind) noexcept { return static_cast<std::size_t>(kind); }

    double capacity_ = 100;
    double retry_cost_ = 5;
    double failure_cost_ = 0;
    double floor_ = 0;
    double success_refund_ = 1;
    double refill_per_second_ = 1;
    std::array<std::optional<double>, failure_kind_count> cost_{std::nullopt,
                                                                std::optional<double>(10)};
    bool returns_retry_cost_ = false;
};

inline budget_options budget_options::aws() {
    return budget_options()
        .capacity(500)
        .retry_cost(5)
        .timeout_cost(10)
        .success_refund(1)
        .returns_retry_cost(true)
        .refill_per_second(0);
}

inline budget_options budget_options::grpc_throttle(double max_tokens, double token_ratio) {
    return budget_options()
        .capacity(max_tokens)
        .floor(max_tokens / 2)
        .failure_cost(1)
        .retry_cost(0)
        .timeout_cost(0)
        .success_refund(token_ratio)
        .refill_per_second(0);
}

inline budget_options budget_options::ratio(double ratio, double retries_per_second) {
    return budget_options()
        .capacity(std::max(10 * retries_per_second, 10.0))
        .retry_cost(1)
        .timeout_cost(1)
        .success_refund(ratio)
        .refill_per_second(retries_per_second);
}

/// Shared by the calls to one upstream: their retries, hedges and resumed downloads alike.
/** Every call that succeeds says so; every further attempt asks first. What was granted is granted
    once: any number of threads together never get more than the bucket held and earned.
    The time is passed in (`steady_clock`, or a manual one); times out of order are safe, and at worst
    see less. Thread safety: all functions may be called on a shared object. They neither lock nor
    allocate nor throw; a full budget is only read. */
class retry_budget {
public:
    /// A full budget.
    explicit retry_budget(const budget_options& options = {}) noexcept;

    /// One with `available` tokens at `now`, say those of its predecessor when options change.
    retry_budget(const budget_options& options, double available, steady_time now) noexcept
        : retry_budget(options) {
        base_ = std::clamp<units>(to_units(available), 0, capacity_) - refilled(now);
    }

    /// Takes the cost of a retry after this failure. False, and nothing taken, if that is not there.
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
