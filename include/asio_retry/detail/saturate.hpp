// Arithmetic on durations and times that stops at the ends of their range instead of overflowing.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_SATURATE_HPP
#define ASIO_RETRY_DETAIL_SATURATE_HPP

#include <chrono>
#include <cstdint>
#include <limits>
#include <ratio>
#include <type_traits>

namespace asio_retry::detail {

using std::chrono::nanoseconds;

/// d * n, at most `nanoseconds::max()`. Negative d counts as zero.
constexpr nanoseconds saturating_multiply(nanoseconds d, std::uint64_t n) noexcept {
    std::int64_t result = 0;
    if (d.count() <= 0 || n == 0) return nanoseconds::zero();
    if (n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
        __builtin_mul_overflow(d.count(), static_cast<std::int64_t>(n), &result)) {
        return nanoseconds::max();
    }
    return nanoseconds(result);
}

/// a + b for durations that are not negative.
constexpr nanoseconds saturating_add(nanoseconds a, nanoseconds b) noexcept {
    std::int64_t result = 0;
    if (__builtin_add_overflow(a.count(), b.count(), &result)) return nanoseconds::max();
    return nanoseconds(result);
}

/// t + d, at most `time_point::max()`.
template <typename Clock>
constexpr std::chrono::time_point<Clock, nanoseconds> saturating_add(
    std::chrono::time_point<Clock, nanoseconds> t, nanoseconds d) noexcept {
    std::int64_t result = 0;
    if (__builtin_add_overflow(t.time_since_epoch().count(), d.count(), &result)) {
        return std::chrono::time_point<Clock, nanoseconds>::max();
    }
    return std::chrono::time_point<Clock, nanoseconds>(nanoseconds(result));
}

/// Any duration as nanoseconds; what does not fit becomes the nearest end, NaN becomes zero.
template <typename Rep, typename Period>
constexpr nanoseconds saturating_cast(std::chrono::duration<Rep, Period> d) noexcept {
    if constexpr (std::is_same_v<std::chrono::duration<Rep, Period>, nanoseconds>) {
        return d;
    } else {
        using floating = std::chrono::duration<long double, std::nano>;
        const floating exact = std::chrono::duration_cast<floating>(d);
        if (exact.count() != exact.count()) return nanoseconds::zero();
        if (exact >= floating(nanoseconds::max())) return nanoseconds::max();
        if (exact <= floating(nanoseconds::min())) return nanoseconds::min();
        return std::chrono::duration_cast<nanoseconds>(d);
    }
}

/// A parameter that takes any duration, and is it in nanoseconds.
class saturated {
public:
    template <typename Rep, typename Period>
    constexpr saturated(std::chrono::duration<Rep, Period> d) noexcept
        : value_(saturating_cast(d)) {}
    constexpr operator nanoseconds() const noexcept { return value_; }

private:
    nanoseconds value_;
};

}  // namespace asio_retry::detail

#endif
