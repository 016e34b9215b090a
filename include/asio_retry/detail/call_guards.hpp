// What a call asks of the retry budget and the circuit breaker of its policy, and tells them.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_CALL_GUARDS_HPP
#define ASIO_RETRY_DETAIL_CALL_GUARDS_HPP

#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/failure.hpp>
#include <asio_retry/retry_budget.hpp>
#include <asio_retry/retry_policy.hpp>

#include <optional>
#include <utility>

namespace asio_retry::detail {

/// A call's dealings with its guards. Every function is passed the policy that names them.
/** Kept out of line, as most calls have none. The policy must outlive it. */
class call_guards {
public:
    /// Whether an attempt may be made: it needs a permit of the breaker. A resend has it already.
    [[gnu::noinline]] bool admit(const retry_policy& policy, steady_time now) noexcept {
        if (permit_ || !policy.circuit_breaker()) return true;
        permit_ = policy.circuit_breaker()->acquire(now);
        return static_cast<bool>(permit_);
    }

    /// Gives the permit back.
    void release() noexcept { permit_.cancel(); }

    /// The attempt that was admitted begins: what its retry cost is spent for good.
    void begin() noexcept { granted_ = false; }

    /// What was admitted or granted is not made after all.
    [[gnu::noinline]] void withdraw(const retry_policy& policy, steady_time now) noexcept {
        permit_.cancel();
        if (std::exchange(granted_, false)) policy.retry_budget()->give_back(*retried_, now);
    }

    /// Tells breaker and budget what came of an attempt.
    [[gnu::noinline]] void settle(const retry_policy& policy,
                                  const verdict& v,
                                  const error_code& ec,
                                  steady_time now) noexcept {
        tell_breaker(v, ec, now);
        if (!policy.retry_budget()) return;
        if (v.is_failure()) {
            policy.retry_budget()->attempt_failed(v.kind(), now);
        } else if (retried_) {
            policy.retry_budget()->call_succeeded(*retried_, now);
        } else {
            policy.retry_budget()->call_succeeded(now);
        }
    }

    /// Whether the budget grants a retry after this kind of failure.
    [[gnu::noinline]] bool spend(const retry_policy& policy,
                                 failure_kind kind,
                                 steady_time now) noexcept {
        if (!policy.retry_budget()) return true;
        if (!policy.retry_budget()->try_spend(kind, now)) return false;
        retried_ = kind;
        granted_ = true;
        return true;
    }

    /// After a refusal by the breaker: when it will let a probe through.
    steady_time retry_at() const noexcept { return permit_.retry_at(); }

private:
    void tell_breaker(const verdict& v, const error_code& ec, steady_time now) noexcept {
        const bool failed = v.is_failure() && v.kind() < failure_kind::permanent;
        const bool answered = !v.is_failure() || (v.kind() == failure_kind::permanent && !ec);
        if (failed) {
            permit_.fail(now);
        } else if (answered) {
            permit_.succeed(now);
        } else {
            permit_.cancel();
        }
    }

    breaker_permit permit_;
    std::optional<failure_kind> retried_;  // what the last retry was granted for
    bool granted_ = false;                 // that retry has not begun
};

}  // namespace asio_retry::detail

#endif
