// Counts of the calls of the last while, in buckets that fall out of the window one by one.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_CALL_WINDOW_HPP
#define ASIO_RETRY_DETAIL_CALL_WINDOW_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/light_mutex.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

namespace asio_retry {

/// How calls went. A slow one may have failed as well.
class call_counts {
public:
    std::uint64_t calls = 0;
    std::uint64_t failed = 0;
    std::uint64_t slow = 0;

    friend bool operator==(const call_counts&, const call_counts&) = default;
};

}  // namespace asio_retry

namespace asio_retry::detail {

/// A sliding window that moves in steps of a tenth. Thread-safe; `add` takes a lock once a step.
/** Results whose time is older than the window are left out; times need not be in order. */
class call_window {
public:
    /// Precondition: length > 0.
    explicit call_window(std::chrono::nanoseconds length) noexcept
        : step_(std::max<std::uint64_t>(static_cast<std::uint64_t>(length.count()) / buckets, 1)) {}

    /// Whether a failure or slow call may be among what is counted now.
    bool add(steady_time now, bool failed, bool slow) noexcept {
        const std::uint64_t tick = likely_tick_of(now);
        bucket& b = buckets_[tick % buckets];
        if (b.tick.load(std::memory_order_acquire) != tick && !turn_over(b, tick)) return false;
        if (failed || slow) raise(last_bad_, tick);
        b.calls.fetch_add(1);
        if (failed) b.failed.fetch_add(1);
        if (slow) b.slow.fetch_add(1);
        return tick < last_bad_.load() + buckets;
    }

    /// Never more failures than there were, whoever adds meanwhile: calls are added first and read
    /// last.
    call_counts count(steady_time now) const noexcept {
        const std::uint64_t tick = tick_of(now);
        call_counts sum;
        for (const bucket& b : buckets_) {
            if (b.tick.load(std::memory_order_acquire) + buckets <= tick) continue;
            sum.slow += b.slow.load();
            sum.failed += b.failed.load();
            sum.calls += b.calls.load();
        }
        return sum;
    }

    /// Forgets everything. Not while others add.
    void clear() noexcept {
        last_bad_ = 0;
        for (bucket& b : buckets_) empty(b, 0);
    }

private:
    static constexpr std::uint64_t buckets = 10;

    class bucket {
    public:
        std::atomic<std::uint64_t> tick{0};
        std::atomic<std::uint64_t> calls{0};
        std::atomic<std::uint64_t> failed{0};
        std::atomic<std::uint64_t> slow{0};
    };

    /// Steps since a time before any clock's start, so that it is above 0 and never negative.
    std::uint64_t tick_of(steady_time t) const noexcept { return shifted(t) / step_ + buckets; }

    /// The same, without a division where it is the step of the latest turn.
    std::uint64_t likely_tick_of(steady_time t) const noexcept {
        const std::uint64_t likely = latest_.load(std::memory_order_relaxed);
        return shifted(t) - (likely - buckets) * step_ < step_ ? likely : tick_of(t);
    }

    static std::uint64_t shifted(steady_time t) noexcept {
        return static_cast<std::uint64_t>(t.time_since_epoch().count()) + (std::uint64_t{1} << 63);
    }

    static void raise(std::atomic<std::uint64_t>& value, std::uint64_t least) noexcept {
        std::uint64_t seen = value.load();
        while (seen < least && !value.compare_exchange_weak(seen, least)) {
        }
    }

    static void empty(bucket& b, std::uint64_t tick) noexcept {
        b.calls = 0;
        b.failed = 0;
        b.slow = 0;
        b.tick.store(tick, std::memory_order_release);
    }

    /// Gives the bucket to this step. False if it belongs to a later one already.
    bool turn_over(bucket& b, std::uint64_t tick) noexcept {
        const std::lock_guard lock(turning_);
        latest_ = tick;
        if (b.tick.load() < tick) empty(b, tick);
        return b.tick.load() == tick;
    }

    std::uint64_t step_;
    std::atomic<std::uint64_t> latest_{buckets};
    std::atomic<std::uint64_t> last_bad_{0};
    light_mutex turning_;
    std::array<bucket, buckets> buckets_{};
};

}  // namespace asio_retry::detail

#endif
