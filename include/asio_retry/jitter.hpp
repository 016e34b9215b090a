// Randomisation of delays, so that clients which failed together do not come back together.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_JITTER_HPP
#define ASIO_RETRY_JITTER_HPP

#include <chrono>
#include <cstdint>
#include <string_view>

namespace asio_retry {

/// How a delay d is randomised (M. Brooker, "Exponential Backoff And Jitter", AWS, 2015).
enum class jitter : std::uint8_t {
    none,  ///< d itself: clients that failed together return together
    full,  ///< uniform(0, d); the default
    equal  ///< d/2 + uniform(0, d/2): never less than half
};

constexpr std::string_view to_string(jitter j) noexcept {
    switch (j) {
        case jitter::none: return "none";
        case jitter::full: return "full";
        case jitter::equal: return "equal";
    }
    return "unknown";
}

namespace detail {

/// uniform(0, limit), both ends included, from 64 random bits (D. Lemire, 2019, without rejection:
/// the bias is below limit / 2^64). A limit below zero counts as zero.
constexpr std::chrono::nanoseconds uniform_up_to(std::chrono::nanoseconds limit,
                                                 std::uint64_t random) noexcept {
    if (limit.count() <= 0) return std::chrono::nanoseconds::zero();
    __extension__ using uint128 = unsigned __int128;
    const auto range = static_cast<std::uint64_t>(limit.count()) + 1;
    const auto scaled = static_cast<std::uint64_t>((static_cast<uint128>(random) * range) >> 64);
    return std::chrono::nanoseconds(static_cast<std::int64_t>(scaled));
}

}  // namespace detail

/// The delay `d` randomised by `j` with 64 random bits. Never negative, never above `d`.
constexpr std::chrono::nanoseconds apply_jitter(jitter j,
                                                std::chrono::nanoseconds d,
                                                std::uint64_t random) noexcept {
    if (d.count() <= 0) return std::chrono::nanoseconds::zero();
    switch (j) {
        case jitter::none: return d;
        case jitter::full: return detail::uniform_up_to(d, random);
        case jitter::equal: {
            const auto half = d / 2;
            return d - half + detail::uniform_up_to(half, random);
        }
    }
    return d;
}

}  // namespace asio_retry

#endif
