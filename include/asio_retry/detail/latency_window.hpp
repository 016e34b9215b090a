// How long the latest calls took: their 95th percentile, in fixed memory and without a lock.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_LATENCY_WINDOW_HPP
#define ASIO_RETRY_DETAIL_LATENCY_WINDOW_HPP

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace asio_retry::detail {

/// Thread-safe. Remembers the latest 256 latencies, to the microsecond, up to 71 minutes.
class latency_window {
public:
    void record(std::chrono::nanoseconds latency) noexcept {
        const auto n = next_.fetch_add(1, std::memory_order_relaxed);
        latest_[n % size].store(to_microseconds(latency), std::memory_order_relaxed);
    }

    /// The latency that at least 95 of 100 calls do not exceed, or nothing before there were 32
    /// calls.
    /** Found anew once in 32 calls: a load, otherwise. */
    std::optional<std::chrono::nanoseconds> p95() const noexcept {
        const auto n = next_.load(std::memory_order_relaxed);
        if (n < step) return std::nullopt;
        auto found_at = found_at_.load(std::memory_order_relaxed);
        if (n - found_at >= step &&
            found_at_.compare_exchange_strong(found_at, n, std::memory_order_relaxed)) {
            p95_.store(find(std::min<std::size_t>(n, size)), std::memory_order_relaxed);
        }
        // Another thread may be finding the first one just now.
        const auto us = p95_.load(std::memory_order_relaxed);
        if (us == 0) return std::nullopt;
        return std::chrono::microseconds(us);
    }

private:
    static constexpr std::size_t size = 256;
    static constexpr std::uint64_t step = 32;

    /// Rounded up and never 0, so that 0 means that there is none.
    static std::uint32_t to_microseconds(std::chrono::nanoseconds d) noexcept {
        const auto us = std::chrono::ceil<std::chrono::microseconds>(d).count();
        return static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, UINT32_MAX));
    }

    std::uint32_t find(std::size_t count) const noexcept {
        std::array<std::uint32_t, size> all{};
        for (std::size_t i = 0; i < count; ++i) {
            all[i] = latest_[i].load(std::memory_order_relaxed);
        }
        const auto end = all.begin() + static_cast<std::ptrdiff_t>(count);
        // ceil(0.95 (n + 1)): the next call exceeds it with a chance of 1 in 20 at most, not about
        // so.
        const std::size_t rank = ((count + 1) * 95 + 99) / 100;
        const auto place = all.begin() + static_cast<std::ptrdiff_t>(rank - 1);
        std::nth_element(all.begin(), place, end);
        return std::max(*place, std::uint32_t{1});
    }

    std::atomic<std::uint64_t> next_{0};
    mutable std::atomic<std::uint64_t> found_at_{0};
    mutable std::atomic<std::uint32_t> p95_{0};
    std::array<std::atomic<std::uint32_t>, size> latest_{};
};

}  // namespace asio_retry::detail

#endif
