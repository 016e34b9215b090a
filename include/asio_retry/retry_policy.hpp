// How a call is retried: a value of options with chainable setters, each default documented.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_RETRY_POLICY_HPP
#define ASIO_RETRY_RETRY_POLICY_HPP

#include <asio_retry/backoff.hpp>
#include <asio_retry/classifier.hpp>
#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/observer.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio_retry {

class circuit_breaker;
class retry_budget;

/// 64 uniform random bits a call. May be called from several threads at once.
using random_function = std::function<std::uint64_t()>;

/// What a policy says of one failure kind; what is not set is inherited from the policy.
class kind_limits {
public:
    kind_limits() = default;

    /// How many attempts of a call may end in this kind before it gives up; at least 1, which means
    /// no retry. Takes the place of the policy's limit for this kind.
    /** @throws std::invalid_argument if n is 0. */
    kind_limits& max_attempts(unsigned n) {
        if (n == 0) throw std::invalid_argument("max_attempts: 0 is too few; 1 means no retry");
        max_attempts_ = n;
        return *this;
    }
    /// A schedule of its own, which counts only the failures of this kind.
    kind_limits& backoff(asio_retry::backoff schedule) {
        backoff_ = std::move(schedule);
        return *this;
    }

    std::optional<unsigned> max_attempts() const noexcept { return max_attempts_; }
    const std::optional<asio_retry::backoff>& backoff() const noexcept { return backoff_; }

    friend bool operator==(const kind_limits&, const kind_limits&) = default;

private:
    std::optional<unsigned> max_attempts_;
    std::optional<asio_retry::backoff> backoff_;
};

/// The options of a call. A value: cheap to copy, compared by its options.
/** Copies share one immutable block until a setter changes one of them, so that passing a policy by
    value costs a reference count. Setters chain:

        const auto policy = retry_policy()
                                .max_attempts(5)
                                .attempt_timeout(2s)
                                .on(failure_kind::timeout, kind_limits().max_attempts(2));

    A policy that was moved from may only be assigned to or destroyed.
    Thread safety: distinct objects safe, even when copied from one another; a shared object safe to
    read. Setters throw std::invalid_argument for an impossible value and then change nothing. */
class retry_policy {
public:
    using duration = std::chrono::nanoseconds;

    /// No limit, for the durations below.
    static constexpr duration unlimited = duration::max();

    retry_policy() : options_(defaults()) {}

    /// One attempt and no retry.
    static retry_policy never() { return std::move(retry_policy().max_attempts(1)); }

    /// How many attempts a call may make, the first included; at least 1. Default 3.
    retry_policy& max_attempts(unsigned n) {
        if (n == 0) throw std::invalid_argument("max_attempts: 0 is too few; 1 means no retry");
        edit().max_attempts = n;
        return *this;
    }
    unsigned max_attempts() const noexcept { return options_->max_attempts; }

    /// Bound on one attempt, in which it is cancelled. Above 0; default unlimited.
    /** Cut to what is left of the total timeout. The attempt then counts as `failure_kind::timeout`
        with `error::attempt_timeout`, unless it still ends in success or in another error. */
    template <typename Rep, typename Period>
    retry_policy& attempt_timeout(std::chrono::duration<Rep, Period> d) {
        edit().attempt_timeout = positive("attempt_timeout", detail::saturating_cast(d));
        return *this;
    }
    duration attempt_timeout() const noexcept { return options_->attempt_timeout; }

    /// Bound on the whole call, delays included. 0 or more; default unlimited.
    template <typename Rep, typename Period>
    retry_policy& total_timeout(std::chrono::duration<Rep, Period> d) {
        edit().total_timeout = not_negative("total_timeout", detail::saturating_cast(d));
        return *this;
    }
    duration total_timeout() const noexcept { return options_->total_timeout; }

    /// The same as a point in time (of the steady clock); the earlier of the two counts. Default
    /// none.
    retry_policy& deadline(steady_time t) {
        edit().deadline = t;
        return *this;
    }
    steady_time deadline() const noexcept { return options_->deadline; }

    /// The schedule of delays. Default exponential from 100 ms to 10 s with full jitter.
    retry_policy& backoff(asio_retry::backoff schedule) {
        edit().schedule = std::move(schedule);
        return *this;
    }
    const asio_retry::backoff& backoff() const noexcept { return options_->schedule; }

    /// Limits and schedule of one kind. `permanent` and `cancelled` are never retried.
    /** @throws std::invalid_argument for those two. */
    retry_policy& on(failure_kind kind, kind_limits limits) {
        if (kind == failure_kind::permanent || kind == failure_kind::cancelled) {
            throw std::invalid_argument("on: failures of kind " + std::string(to_string(kind)) +
                                        " are never retried; classify the error as another kind");
        }
        options& o = edit();
        o.by_kind[static_cast<std::size_t>(kind)] = std::move(limits);
        o.counts_by_kind = std::any_of(o.by_kind.begin(), o.by_kind.end(), [](const auto& l) {
            return l.max_attempts().has_value();
        });
        return *this;
    }
    /// Whether some kind has a limit of its own on the attempts.
    bool counts_by_kind() const noexcept { return options_->counts_by_kind; }
    const kind_limits& on(failure_kind kind) const noexcept {
        return options_->by_kind[static_cast<std::size_t>(kind)];
    }

    /// The longest wait a peer may ask for before the call gives up. 0 or more; default 30 s.
    template <typename Rep, typename Period>
    retry_policy& max_retry_after(std::chrono::duration<Rep, Period> d) {
        edit().max_retry_after = not_negative("max_retry_after", detail::saturating_cast(d));
        return *this;
    }
    duration max_retry_after() const noexcept { return options_->max_retry_after; }

    /// Verdicts that replace rows of `default_verdict`. Default none.
    retry_policy& classifier(error_classifier classify) {
        edit().classify = share(std::move(classify));
        return *this;
    }
    bool has_classifier() const noexcept { return options_->classify != nullptr; }
    /// The verdict of this policy on an error.
    verdict classify(const error_code& ec) const {
        if (options_->classify) {
            if (const auto v = (*options_->classify)(ec)) return *v;
        }
        return default_verdict(ec);
    }

    /// Who grants retries, shared by the calls to one upstream. Default nobody: all are granted.
    /** Asked before each retry; a refusal ends the call as `budget_exhausted` with the failure that
        was about to be retried. A resend on a fresh connection costs nothing. */
    retry_policy& retry_budget(std::shared_ptr<asio_retry::retry_budget> shared) {
        options& o = edit();
        o.budget = std::move(shared);
        o.has_guards = o.budget || o.breaker;
        return *this;
    }
    const std::shared_ptr<asio_retry::retry_budget>& retry_budget() const noexcept {
        return options_->budget;
    }

    /// Who lets attempts through, shared by the calls to one upstream. Default nobody: all pass.
    /** Asked before each attempt; a refusal ends the call as `circuit_open`, at once, and the
        report says when to come back. Failures of a retried kind count as failures; values, also
        those that are permanent failures, as successes; permanent errors and cancellations not at
        all. */
    retry_policy& circuit_breaker(std::shared_ptr<asio_retry::circuit_breaker> shared) {
        options& o = edit();
        o.breaker = std::move(shared);
        o.has_guards = o.budget || o.breaker;
        return *this;
    }
    const std::shared_ptr<asio_retry::circuit_breaker>& circuit_breaker() const noexcept {
        return options_->breaker;
    }

    /// Whether there is a budget or a breaker.
    bool has_guards() const noexcept { return options_->has_guards; }

    /// How many attempts the report remembers: the latest ones. At least 1; default 32.
    retry_policy& max_history(std::size_t n) {
        edit().max_history = std::max<std::size_t>(n, 1);
        return *this;
    }
    std::size_t max_history() const noexcept { return options_->max_history; }

    /// What the operation is called in logs and error texts. Default empty.
    retry_policy& name(std::string text) {
        edit().name = std::move(text);
        return *this;
    }
    const std::string& name() const noexcept { return options_->name; }

    /// Who watches. Default nobody.
    retry_policy& observer(std::shared_ptr<asio_retry::observer> o) {
        edit().watcher = std::move(o);
        return *this;
    }
    const std::shared_ptr<asio_retry::observer>& observer() const noexcept {
        return options_->watcher;
    }

    /// The randomness of jitter, for tests that want the same every time. Default: a generator
    /// of the execution context, seeded from the system. Must not throw.
    retry_policy& random(random_function generate) {
        edit().generate = share(std::move(generate));
        return *this;
    }
    const std::shared_ptr<const random_function>& random() const noexcept {
        return options_->generate;
    }

    /// This policy for a call within an attempt of another: it makes one attempt where the outer
    /// call may make more, and ends with the outer attempt.
    /** So that a chain of calls does not multiply its attempts: 3 within 3 are at most 5, not 9. In
        the outer call's last attempt it retries as ever.

            co_await retry(outer, [&](attempt a) { return retry(inner.nested_in(a), read); });  */
    retry_policy nested_in(const attempt& outer) const;

    /// Equal in every option; functions, observers, budget and breaker are
    /// equal if they are the same object.
    friend bool operator==(const retry_policy& a, const retry_policy& b) {
        return a.options_ == b.options_ || *a.options_ == *b.options_;
    }

private:
    class options {
    public:
        options() = default;
        friend bool operator==(const options&, const options&) = default;

        duration attempt_timeout = unlimited;
        duration total_timeout = unlimited;
        steady_time deadline = steady_time::max();
        duration max_retry_after = std::chrono::seconds(30);
        std::size_t max_history = 32;
        std::shared_ptr<const error_classifier> classify;
        std::shared_ptr<asio_retry::observer> watcher;
        std::shared_ptr<asio_retry::retry_budget> budget;
        std::shared_ptr<asio_retry::circuit_breaker> breaker;
        std::shared_ptr<const random_function> generate;
        asio_retry::backoff schedule;
        std::array<kind_limits, failure_kind_count> by_kind;
        std::string name;
        unsigned max_attempts = 3;
        bool has_guards = false;
        bool counts_by_kind = false;
    };

    static const std::shared_ptr<options>& defaults() {
        static const auto shared = std::make_shared<options>();
        return shared;
    }

    /// The block to write to: a new one, as a use_count of 1 does not say that what the last other
    /// owner read on its thread happened before.
    options& edit() {
        options_ = std::make_shared<options>(*options_);
        return *options_;
    }

    template <typename Function>
    static std::shared_ptr<const Function> share(Function f) {
        return f ? std::make_shared<const Function>(std::move(f)) : nullptr;
    }

    static duration positive(const char* what, duration d) {
        if (d <= duration::zero()) {
            throw std::invalid_argument(std::string(what) + ": must be above 0");
        }
        return d;
    }

    static duration not_negative(const char* what, duration d) {
        if (d < duration::zero()) {
            throw std::invalid_argument(std::string(what) + ": is negative; must be 0 or more");
        }
        return d;
    }

    std::shared_ptr<options> options_;
};

inline retry_policy retry_policy::nested_in(const attempt& outer) const {
    retry_policy inner(*this);
    options& o = inner.edit();
    o.deadline = std::min(o.deadline, outer.deadline());
    if (outer.is_last()) return inner;
    o.max_attempts = 1;
    for (kind_limits& limits : o.by_kind) {
        if (limits.max_attempts()) limits.max_attempts(1);
    }
    return inner;
}

}  // namespace asio_retry

#endif
