// A mutex whose uncontended lock and unlock are one atomic operation each.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_LIGHT_MUTEX_HPP
#define ASIO_RETRY_DETAIL_LIGHT_MUTEX_HPP

#include <atomic>

namespace asio_retry::detail {

/// For sections of a few instructions that every attempt passes (U. Drepper, "Futexes Are Tricky",
/// mutex 2). Waiters sleep. Not recursive.
class light_mutex {
public:
    void lock() noexcept {
        int expected = unlocked;
        if (state_.compare_exchange_strong(expected, locked, std::memory_order_acquire)) return;
        while (state_.exchange(contended, std::memory_order_acquire) != unlocked) {
            state_.wait(contended, std::memory_order_relaxed);
        }
    }

    void unlock() noexcept {
        if (state_.exchange(unlocked, std::memory_order_release) == contended) state_.notify_one();
    }

private:
    static constexpr int unlocked = 0;
    static constexpr int locked = 1;
    static constexpr int contended = 2;

    std::atomic<int> state_{unlocked};
};

}  // namespace asio_retry::detail

#endif
