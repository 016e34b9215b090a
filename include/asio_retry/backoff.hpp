// The schedule of delays between attempts: constant, linear, exponential, decorrelated or custom.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_BACKOFF_HPP
#define ASIO_RETRY_BACKOFF_HPP

#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/jitter.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace asio_retry {

/// A schedule of delays: a value that answers how long to wait before retry n.
/** The n-th delay (n counts from 1) before jitter, always held in [0, cap]:

        constant      base
        linear        base * n
        exponential   base * factor^(n-1)
        decorrelated  uniform(base, 3 * previous); itself random, so that no jitter is added
        custom        whatever the callable answers; negative counts as zero

    The cap is applied *before* the jitter (and, for decorrelated, to the range that is drawn from),
    so that capped delays stay spread and no two clients line up at the cap. All arithmetic
    saturates. Jitter is `jitter::full` unless told.
    Thread safety: distinct objects safe; a shared object safe to read. A custom callable is shared
    by the copies of the schedule and may be called from several threads at once. */
class backoff {
public:
    using duration = std::chrono::nanoseconds;
    /// Takes any duration, of hours or of fractions of a second; what does not fit is the longest.
    using saturated = detail::saturated;
    /// Given n (from 1) and the delay before the previous retry (zero if none), the next delay. Must
    /// not throw.
    using custom_function = std::function<duration(unsigned n, duration previous)>;

    enum class kind : std::uint8_t { constant, linear, exponential, decorrelated, custom };

    /// exponential(100 ms, cap 10 s, factor 2) with full jitter.
    constexpr backoff() noexcept = default;

    /// @throws std::invalid_argument if the delay is negative (in all factories).
    static backoff constant(saturated delay) { return backoff(kind::constant, delay, delay, 1); }

    /// @throws std::invalid_argument also if cap < step.
    static backoff linear(saturated step, saturated cap = default_cap) {
        return backoff(kind::linear, step, cap, 1);
    }

    /// @throws std::invalid_argument also if cap < base, or factor is below 1 or not a number.
    static backoff exponential(saturated base, saturated cap = default_cap, double factor = 2) {
        return backoff(kind::exponential, base, cap, factor);
    }

    /// @throws std::invalid_argument also if cap < base.
    static backoff decorrelated(saturated base, saturated cap = default_cap) {
        return backoff(kind::decorrelated, base, cap, 1);
    }

    /// @throws std::invalid_argument if the function is empty or the cap negative.
    static backoff custom(custom_function function, saturated cap = duration::max()) {
        if (!function) throw std::invalid_argument("backoff: the custom function is empty");
        backoff result(kind::custom, duration::zero(), cap, 1);
        result.custom_ = std::make_shared<const custom_function>(std::move(function));
        return result;
    }

    /// No wait at all: retries follow at once.
    static backoff none() { return constant(duration::zero()); }

    /// Without effect on a decorrelated schedule.
    backoff& jitter(asio_retry::jitter j) noexcept {
        if (kind_ != kind::decorrelated) jitter_ = j;
        return *this;
    }

    kind type() const noexcept { return kind_; }
    duration base() const noexcept { return base_; }
    duration cap() const noexcept { return cap_; }
    double factor() const noexcept { return factor_; }
    asio_retry::jitter jitter() const noexcept {
        return kind_ == kind::decorrelated ? asio_retry::jitter::none : jitter_;
    }

    /// The n-th delay under its cap, before jitter: the most that `delay` can answer.
    duration ceiling(unsigned n, duration previous) const;

    /// A delay drawn below its ceiling with 64 random bits.
    duration spread(duration ceiling, std::uint64_t random) const noexcept {
        if (kind_ == kind::decorrelated) {
            return base_ + detail::uniform_up_to(ceiling - base_, random);
        }
        return apply_jitter(jitter_, ceiling, random);
    }

    /// The wait before retry n >= 1, from the previous wait and 64 random bits.
    duration delay(unsigned n, duration previous, std::uint64_t random) const {
        return spread(ceiling(n, previous), random);
    }

    /// Whether delays are drawn at random.
    bool is_random() const noexcept {
        return kind_ == kind::decorrelated || jitter_ != asio_retry::jitter::none;
    }

    /// Equal in every value; custom schedules are equal if they share one callable.
    friend bool operator==(const backoff&, const backoff&) = default;

    static constexpr duration default_cap = std::chrono::seconds(10);

private:
    backoff(kind k, duration base, duration cap, double factor);

    duration base_ = std::chrono::milliseconds(100);
    duration cap_ = default_cap;
    double factor_ = 2;
    std::shared_ptr<const custom_function> custom_;
    kind kind_ = kind::exponential;
    asio_retry::jitter jitter_ = asio_retry::jitter::full;
};

constexpr std::string_view to_string(backoff::kind k) noexcept {
    switch (k) {
        case backoff::kind::constant: return "constant";
        case backoff::kind::linear: return "linear";
        case backoff::kind::exponential: return "exponential";
        case backoff::kind::decorrelated: return "decorrelated";
        case backoff::kind::custom: return "custom";
    }
    return "unknown";
}

namespace detail {

/// min(cap, base * factor^(n-1)); the loop ends at the cap, so that it is short for any n.
inline nanoseconds exponential_delay(nanoseconds base, nanoseconds cap, double factor, unsigned n) {
    if (factor == 1 || base == nanoseconds::zero()) return base;
    auto d = static_cast<double>(base.count());
    const auto limit = static_cast<double>(cap.count());
    for (unsigned i = 1; i < n && d < limit; ++i) {
        const double next = d * factor;
        if (next == d) break;
        d = next;
    }
    return d >= limit ? cap : nanoseconds(static_cast<std::int64_t>(d));
}

}  // namespace detail

inline backoff::duration backoff::ceiling(unsigned n, duration previous) const {
    switch (kind_) {
        case kind::constant: return base_;
        case kind::linear: return std::min(cap_, detail::saturating_multiply(base_, n));
        case kind::exponential: return detail::exponential_delay(base_, cap_, factor_, n);
        case kind::decorrelated:
            return std::min(cap_, detail::saturating_multiply(std::max(base_, previous), 3));
        case kind::custom: return std::clamp((*custom_)(n, previous), duration::zero(), cap_);
    }
    return base_;
}

inline backoff::backoff(kind k, duration base, duration cap, double factor)
    : base_(base), cap_(cap), factor_(factor), kind_(k) {
    if (base < duration::zero()) {
        throw std::invalid_argument("backoff: the delay is negative; it must be 0 or more");
    }
    if (cap < base) {
        throw std::invalid_argument(
            "backoff: the cap is below the base; it must be at least the base");
    }
    if (!(factor >= 1) || factor > 1e9) {
        throw std::invalid_argument("backoff: the factor must be a number from 1 to 1e9");
    }
}

}  // namespace asio_retry

#endif
