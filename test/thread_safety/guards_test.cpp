// The guards under threads: nothing is admitted twice, no result is lost, no place leaks.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/retry_budget.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

namespace asio_retry {
namespace {

using namespace std::chrono_literals;

constexpr steady_time start{1h};
constexpr unsigned thread_count = 8;

/// Runs f(number of the thread) on several threads at once.
template <typename Function>
void on_threads(Function f) {
    std::latch go(thread_count);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < thread_count; ++t) {
        threads.emplace_back([&, t] {
            go.arrive_and_wait();
            f(t);
        });
    }
    for (auto& t : threads) t.join();
}

TEST(RetryBudgetThreads, NeverAdmitMoreThanItHolds) {
    for (int round = 0; round < 50; ++round) {
        retry_budget b(budget_options().capacity(1000).retry_cost(1).refill_per_second(0));
        std::atomic<int> granted = 0;
        on_threads([&](unsigned) {
            for (int i = 0; i < 200; ++i) {
                if (b.try_spend(start)) ++granted;
            }
        });
        ASSERT_EQ(granted, 1000);
        ASSERT_EQ(b.available(start), 0);
    }
}

TEST(RetryBudgetThreads, CreditEachIntervalOnce) {
    for (int round = 0; round < 20; ++round) {
        retry_budget b(budget_options().capacity(10).retry_cost(1).refill_per_second(10));
        std::atomic<int> granted = 0;
        on_threads([&](unsigned) {
            for (int ms = 0; ms < 2000; ++ms) {
                if (b.try_spend(start + ms * 1ms)) ++granted;
            }
        });
        // What it held, and two seconds' refill.
        ASSERT_LE(granted, 30);
        ASSERT_GE(granted, 29);
    }
}

TEST(RetryBudgetThreads, LoseNoCredit) {
    const auto options = budget_options().capacity(1e6).retry_cost(1).refill_per_second(0);
    retry_budget empty(options, 0, start);
    std::atomic<unsigned> spent = 0;
    on_threads([&](unsigned) {
        for (int i = 0; i < 5000; ++i) {
            empty.call_succeeded(start);
            if (i % 3 == 0 && empty.try_spend(start)) ++spent;
        }
    });
    EXPECT_EQ(empty.available(start), thread_count * 5000 - spent);
}

TEST(CircuitBreakerThreads, LoseNoResult) {
    circuit_breaker b(breaker_options().minimum_calls(1'000'000));
    constexpr unsigned each = 5000;
    on_threads([&](unsigned t) {
        for (unsigned i = 0; i < each; ++i) {
            auto permit = b.acquire(start);
            // All steps of the window but the last are passed while others add to them.
            const auto now = start + (i % 9) * 3s;
            (t + i) % 4 == 0 ? permit.fail(now) : permit.succeed(now);
        }
    });
    const auto sum = b.counts(start + 24s);
    EXPECT_EQ(sum.calls, thread_count * each);
    EXPECT_EQ(sum.failed, thread_count * each / 4);
}

TEST(CircuitBreakerThreads, OpenWithTheLastResultThatMakesIt) {
    for (int round = 0; round < 100; ++round) {
        circuit_breaker b(breaker_options().minimum_calls(thread_count * 4), 1);
        std::atomic<int> opened = 0;
        b.on_change([&](const breaker_change&) { ++opened; });
        on_threads([&](unsigned t) {
            for (int i = 0; i < 4; ++i) {
                auto permit = b.acquire(start);
                t % 2 == 0 ? permit.fail(start) : permit.succeed(start);
            }
        });
        // Exactly half of exactly the minimum: without any one of them it would not open.
        ASSERT_EQ(b.state(start), breaker_state::open);
        ASSERT_EQ(opened, 1);
    }
}

TEST(CircuitBreakerThreads, LetNoMoreProbesThroughThanThereArePlaces) {
    for (int round = 0; round < 100; ++round) {
        circuit_breaker b(breaker_options().minimum_calls(1).half_open_probes(3), 1);
        b.acquire(start).fail(start);
        const auto now = b.retry_at(start);
        std::atomic<int> out = 0;
        std::atomic<int> most = 0;
        std::atomic<int> admitted = 0;
        on_threads([&](unsigned) {
            for (int i = 0; i < 50; ++i) {
                auto permit = b.acquire(now);
                if (!permit) continue;
                ++admitted;
                const int with_me = ++out;
                int seen = most;
                while (seen < with_me && !most.compare_exchange_weak(seen, with_me)) {
                }
                --out;
                permit.cancel();
            }
        });
        ASSERT_LE(most, 3);
        ASSERT_GE(admitted, 50) << "a place that is given back serves others";
        ASSERT_EQ(b.state(now), breaker_state::half_open);
        // All three are free again.
        const auto first = b.acquire(now);
        const auto second = b.acquire(now);
        const auto third = b.acquire(now);
        ASSERT_TRUE(first && second && third);
        ASSERT_FALSE(b.acquire(now));
    }
}

TEST(CircuitBreakerThreads, KeepTheirStatesInOrderWhileEverythingHappensAtOnce) {
    const auto options = breaker_options()
                             .minimum_calls(2)
                             .half_open_probes(2)
                             .open_for(200us)
                             .max_open_for(200us)
                             .window(10ms);
    circuit_breaker b(options, 1);
    std::mutex mutex;
    std::vector<breaker_change> changes;
    b.on_change([&](const breaker_change& c) {
        const std::lock_guard lock(mutex);
        changes.push_back(c);
    });
    std::atomic<std::int64_t> clock = 0;
    on_threads([&](unsigned t) {
        for (unsigned i = 0; i < 3000; ++i) {
            const auto now = start + std::chrono::microseconds(clock += 7);
            auto permit = b.acquire(now);
            switch ((i * 7 + t) % 5) {
                case 0:
                case 1: permit.fail(now); break;
                case 2: permit.cancel(); break;
                case 3: break;
                default: permit.succeed(now); break;
            }
            if (t == 0 && i % 500 == 0) b.isolate(now);
            if (t == 0 && i % 500 == 20) b.reset(now);
        }
    });
    std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& c) {
        return a.generation < c.generation;
    });
    ASSERT_GT(changes.size(), 20U);
    for (std::size_t i = 1; i < changes.size(); ++i) {
        ASSERT_LT(changes[i - 1].generation, changes[i].generation);
        // Resets of what is closed are not told of, but leave it closed.
        ASSERT_EQ(changes[i].from, changes[i - 1].to);
    }
}

}  // namespace
}  // namespace asio_retry
