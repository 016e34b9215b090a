// A limit that creeps up while calls go well and falls when they do not; without a lock.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_ADAPTIVE_LIMIT_HPP
#define ASIO_RETRY_DETAIL_ADAPTIVE_LIMIT_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/concurrency_options.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace asio_retry::detail {

/// The rule of `concurrency_options::adaptive_latency`. Thread-safe.
class adaptive_limit {
public:
    explicit adaptive_limit(const concurrency_options& o) noexcept
        : latency_(o.adaptive_latency()),
          least_(to_parts(std::min(o.min_concurrency(), o.max_concurrency()))),
          most_(to_parts(o.max_concurrency())),
          parts_(most_) {}

    bool is_fixed() const noexcept { return latency_ == concurrency_options::unlimited; }

    std::uint32_t value() const noexcept {
        return static_cast<std::uint32_t>(parts_.load(std::memory_order_relaxed) / one);
    }

    /// Takes the end of a call that began at `start`, with so many running, itself included.
    void ended(steady_time start, steady_time now, bool failed, std::uint32_t running) noexcept {
        if (failed || now - start > latency_) return cut(start, now);
        std::uint64_t parts = parts_.load(std::memory_order_relaxed);
        while (parts < most_ && std::uint64_t{running} * 2 * one >= parts) {
            const std::uint64_t more = std::min(parts + one * one / parts, most_);
            if (parts_.compare_exchange_weak(parts, more, std::memory_order_relaxed)) return;
        }
    }

private:
    static constexpr std::uint64_t one = 1U << 16;  // parts of a place

    static std::uint64_t to_parts(std::uint32_t places) noexcept { return places * one; }

    /// Once for all calls that began before the last cut: these knew nothing of it.
    void cut(steady_time start, steady_time now) noexcept {
        steady_time last = last_cut_.load(std::memory_order_relaxed);
        do {
            if (start < last) return;
        } while (!last_cut_.compare_exchange_weak(last, now, std::memory_order_relaxed));
        std::uint64_t parts = parts_.load(std::memory_order_relaxed);
        while (!parts_.compare_exchange_weak(
            parts, std::max(parts / 10 * 9, least_), std::memory_order_relaxed)) {
        }
    }

    std::chrono::nanoseconds latency_;
    std::uint64_t least_;
    std::uint64_t most_;
    std::atomic<std::uint64_t> parts_;
    std::atomic<steady_time> last_cut_{steady_time::min()};
};

}  // namespace asio_retry::detail

#endif
