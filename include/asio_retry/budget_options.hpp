// What the retries of an upstream's callers may cost together, and what they earn.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_BUDGET_OPTIONS_HPP
#define ASIO_RETRY_BUDGET_OPTIONS_HPP

#include <asio_retry/detail/check_number.hpp>
#include <asio_retry/failure.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>

namespace asio_retry {

/// What a `retry_budget` holds, costs and earns, in tokens.
/** Kept to a thousandth of a token. In the long run retries take at most `success_refund / cost` of
    the successful calls, and `refill_per_second / cost` a second; `capacity / cost` of them may
    come in one burst. The default allows one retry for five successes (for ten, after timeouts),
    one in 50 seconds besides, and bursts of 20: with it a server gets over an outage almost as soon
    as without retries, as test/fleet measures.
    Setters chain; they throw std::invalid_argument for an impossible value and then change
    nothing. */
class budget_options {
public:
    budget_options() = default;

    /// The AWS SDKs' quota ("retry behavior", standard mode): 500 tokens, 5 a retry, 10 after a
    /// timeout; a success returns the cost of the retry that brought it, or earns 1 if none was
    /// needed.
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

    /// The cost of a retry whose kind of failure has none of its own, and of a hedge. 0 to 1e9;
    /// default 5.
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

    /// The cost of a retry after this kind of failure. 0 to 1e9; default `retry_cost`, but for
    /// timeouts.
    /** Throws also for `permanent` and `cancelled`, which are never retried. */
    budget_options& cost(failure_kind failed, double tokens) {
        if (failed == failure_kind::permanent || failed == failure_kind::cancelled) {
            throw std::invalid_argument("cost: failures of kind " + std::string(to_string(failed)) +
                                        " are never retried");
        }
        cost_[index(failed)] = detail::check_number("cost", tokens, 0, most);
        return *this;
    }
    /// The same as `retry_cost` again.
    budget_options& cost(failure_kind failed, std::nullopt_t) noexcept {
        cost_[index(failed)].reset();
        return *this;
    }
    double cost(failure_kind failed) const noexcept {
        return own_cost(failed).value_or(retry_cost_);
    }
    /// Nothing where it is `retry_cost`.
    std::optional<double> own_cost(failure_kind failed) const noexcept {
        return cost_[index(failed)];
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

    /// What time alone earns. 0 to 1e5; default 0.1.
    /** More than nothing, so that callers whose calls succeed in retries only are not left without
        for ever; little, as in a large fleet it adds up to a load that keeps a server down. */
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
    double refill_per_second_ = 0.1;
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

}  // namespace asio_retry

#endif
