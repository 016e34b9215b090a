// The guards under threads: nothing is admitted twice, no result is lost, no place leaks.
// SPDX-License-Identifier: BSL-1.0
#include "support/threads.hpp"
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/concurrency_limit.hpp>
#include <asio_retry/detail/latency_window.hpp>
#include <asio_retry/retry_budget.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

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

TEST(ConcurrencyLimitThreads, NeverGiveMorePlacesThanThereAre) {
    concurrency_limit limit(concurrency_options().max_concurrency(3).queue(0));
    std::atomic<int> running = 0;
    std::atomic<int> served = 0;
    on_threads([&](unsigned) {
        for (int i = 0; i < 5000; ++i) {
            auto lease = limit.try_acquire(start);
            if (!lease) continue;
            EXPECT_LE(++running, 3);
            ++served;
            --running;
            lease.succeed(start);
        }
    });
    EXPECT_GT(served, 0);
    EXPECT_EQ(limit.running(), 0U);
}

/// A caller that waits for a place on a strand of its own, and gives it back at once.
class visitor : public std::enable_shared_from_this<visitor> {
public:
    visitor(boost::asio::any_io_executor ex, concurrency_limit& limit)
        : strand_(boost::asio::make_strand(ex)), limit_(limit) {}

    void visit(steady_time deadline) {
        boost::asio::post(strand_, [self = shared_from_this(), deadline] {
            self->limit_.async_acquire(
                self->strand_,
                deadline,
                boost::asio::bind_cancellation_slot(self->signal_.slot(),
                                                    [self](error_code ec, concurrency_lease lease) {
                                                        EXPECT_EQ(static_cast<bool>(lease), !ec);
                                                        (ec ? given_up : served).fetch_add(1);
                                                        if (lease) {
                                                            EXPECT_LE(running.fetch_add(1) + 1, 2);
                                                            running.fetch_sub(1);
                                                        }
                                                    }));
        });
    }
    void cancel() {
        boost::asio::post(strand_, [self = shared_from_this()] {
            self->signal_.emit(boost::asio::cancellation_type::terminal);
        });
    }

    static inline std::atomic<int> running = 0;
    static inline std::atomic<int> served = 0;
    static inline std::atomic<int> given_up = 0;

private:
    boost::asio::strand<boost::asio::any_io_executor> strand_;
    concurrency_limit& limit_;
    boost::asio::cancellation_signal signal_;
};

TEST(ConcurrencyLimitThreads, LoseNoWakeUpWhateverWaitersDo) {
    visitor::served = visitor::given_up = 0;
    concurrency_limit limit(concurrency_options().max_concurrency(2).queue(10'000));
    test::context_threads threads(4);
    const int rounds = 4000;
    for (int i = 0; i < rounds; ++i) {
        const auto v = std::make_shared<visitor>(threads.executor(), limit);
        const bool hurried = i % 3 == 1;
        v->visit(hurried ? std::chrono::steady_clock::now() + std::chrono::microseconds(i % 50)
                         : steady_time::max());
        if (i % 3 == 2) v->cancel();
    }
    // Were a wake-up lost, a wait without end would keep this from returning.
    threads.join();
    EXPECT_EQ(visitor::served + visitor::given_up, rounds);
    EXPECT_GE(visitor::served, rounds / 3);
    EXPECT_EQ(limit.running(), 0U);
    EXPECT_EQ(limit.waiting(), 0U);
}

TEST(LatencyWindowThreads, MayBeReadWhileItIsWritten) {
    detail::latency_window w;
    on_threads([&](unsigned t) {
        for (int i = 0; i < 2000; ++i) {
            w.record(std::chrono::milliseconds(10 + t));
            if (const auto found = w.p95()) {
                EXPECT_GE(*found, 1us);
                EXPECT_LE(*found, 20ms);
            }
        }
    });
    EXPECT_GE(w.p95(), 10ms);
}

}  // namespace
}  // namespace asio_retry
