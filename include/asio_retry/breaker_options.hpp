// When a circuit breaker opens, for how long, and what closes it again.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_BREAKER_OPTIONS_HPP
#define ASIO_RETRY_BREAKER_OPTIONS_HPP

#include <asio_retry/detail/check_number.hpp>
#include <asio_retry/detail/saturate.hpp>

#include <chrono>
#include <stdexcept>

namespace asio_retry {

/// The options of a `circuit_breaker`. A value; setters chain, and throw std::invalid_argument for
/// an impossible value.
class breaker_options {
public:
    using duration = std::chrono::nanoseconds;

    /// No limit, for `slow_call`.
    static constexpr duration unlimited = duration::max();

    breaker_options() = default;

    /// The part of failures at which it opens. From 1e-6 to 1; default 0.5.
    breaker_options& failure_rate(double part) {
        failure_rate_ = detail::check_number("failure_rate", part, 1e-6, 1);
        return *this;
    }
    double failure_rate() const noexcept { return failure_rate_; }

    /// How many results the window must hold before rates count. At least 1; default 20.
    breaker_options& minimum_calls(unsigned n) {
        if (n == 0) throw std::invalid_argument("minimum_calls: 0 is too few; must be 1 or more");
        minimum_calls_ = n;
        return *this;
    }
    unsigned minimum_calls() const noexcept { return minimum_calls_; }

    /// How far back results count. Above 0; default 30 s. It moves in steps of a tenth.
    /** At least twice the attempt timeout, or slow failures never come together in it. */
    template <typename Rep, typename Period>
    breaker_options& window(std::chrono::duration<Rep, Period> d) {
        window_ = detail::check_positive("window", detail::saturating_cast(d));
        return *this;
    }
    duration window() const noexcept { return window_; }

    /// How long it stays open at first. Above 0; default 5 s. Up to a quarter is added at random.
    template <typename Rep, typename Period>
    breaker_options& open_for(std::chrono::duration<Rep, Period> d) {
        open_for_ = detail::check_positive("open_for", detail::saturating_cast(d));
        return *this;
    }
    duration open_for() const noexcept { return open_for_; }

    /// How long it stays open at most, before that addition. Above 0; default 1 min. No limit to
    /// `open_for` itself.
    template <typename Rep, typename Period>
    breaker_options& max_open_for(std::chrono::duration<Rep, Period> d) {
        max_open_for_ = detail::check_positive("max_open_for", detail::saturating_cast(d));
        return *this;
    }
    duration max_open_for() const noexcept { return max_open_for_; }

    /// How many calls decide whether it closes again. At least 1; default 3.
    /** Each should have a timeout: a probe that never ends keeps its place. */
    breaker_options& half_open_probes(unsigned n) {
        if (n == 0) {
            throw std::invalid_argument("half_open_probes: 0 is too few; must be 1 or more");
        }
        half_open_probes_ = n;
        return *this;
    }
    unsigned half_open_probes() const noexcept { return half_open_probes_; }

    /// A call that takes longer, whatever its result, is slow. Above 0; default unlimited.
    template <typename Rep, typename Period>
    breaker_options& slow_call(std::chrono::duration<Rep, Period> d) {
        slow_call_ = detail::check_positive("slow_call", detail::saturating_cast(d));
        return *this;
    }
    duration slow_call() const noexcept { return slow_call_; }

    /// The part of slow calls at which it opens. From 1e-6 to 1; default 0.5.
    breaker_options& slow_call_rate(double part) {
        slow_call_rate_ = detail::check_number("slow_call_rate", part, 1e-6, 1);
        return *this;
    }
    double slow_call_rate() const noexcept { return slow_call_rate_; }

    friend bool operator==(const breaker_options&, const breaker_options&) = default;

private:
    duration window_ = std::chrono::seconds(30);
    duration open_for_ = std::chrono::seconds(5);
    duration max_open_for_ = std::chrono::minutes(1);
    duration slow_call_ = unlimited;
    double failure_rate_ = 0.5;
    double slow_call_rate_ = 0.5;
    unsigned minimum_calls_ = 20;
    unsigned half_open_probes_ = 3;
};

}  // namespace asio_retry

#endif
