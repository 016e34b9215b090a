// The timer service and the timed wait under threads: wakes, expiries and withdrawals that race.
// SPDX-License-Identifier: BSL-1.0
#include "support/threads.hpp"
#include <asio_retry/detail/light_mutex.hpp>
#include <asio_retry/detail/timed_wait.hpp>
#include <asio_retry/detail/timer_service.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace asio_retry::detail {
namespace {

using namespace std::chrono_literals;
using test::context_threads;
using test::pool_threads;

TEST(LightMutexThreads, AdmitsOneAtATime) {
    light_mutex mutex;
    int count = 0;  // guarded by the mutex alone
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 20000; ++i) {
                const std::lock_guard lock(mutex);
                ++count;
                if (i % 1000 == 0) std::this_thread::yield();
            }
        });
    }
    for (auto& t : threads) t.join();
    EXPECT_EQ(count, 80000);
}

/// Fired or withdrawn, never both.
class raced : public timer_entry {
public:
    raced() : timer_entry(&on_fire) {}
    static void on_fire(timer_entry& e, timer_event) noexcept { ++static_cast<raced&>(e).fired; }
    std::atomic<int> fired = 0;
};

template <typename Pool>
class TimerThreads : public ::testing::Test {};
using pools = ::testing::Types<pool_threads, context_threads>;
TYPED_TEST_SUITE(TimerThreads, pools);

TYPED_TEST(TimerThreads, AnEntryFiresOrIsWithdrawnNeverBoth) {
    TypeParam threads(2);
    auto& timers = timer_service::of(threads.executor());
    std::vector<raced> entries(2000);
    std::vector<char> withdrawn(entries.size());
    std::vector<std::thread> clients;
    for (std::size_t c = 0; c < 3; ++c) {
        clients.emplace_back([&, c] {
            for (std::size_t i = c; i < entries.size(); i += 3) {
                timers.schedule(entries[i], timers.now() + std::chrono::microseconds(i % 40));
                if (i % 2 == 0) std::this_thread::yield();
                if (i % 3 != 0) withdrawn[i] = timers.withdraw(entries[i]);
            }
        });
    }
    for (auto& c : clients) c.join();
    threads.join();
    EXPECT_EQ(timers.pending(), 0u);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        ASSERT_EQ(entries[i].fired + withdrawn[i], 1) << i;
    }
}

TYPED_TEST(TimerThreads, AWaitEndsOnceHoweverManyWakeIt) {
    TypeParam threads(4);
    auto& timers = timer_service::of(threads.executor());
    constexpr int rounds = 500;
    std::atomic<int> ended = 0;
    std::atomic<int> woken = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto strand = boost::asio::make_strand(threads.executor());
        const auto wait = std::make_shared<timed_wait>(timers);
        boost::asio::post(strand, [&, wait, strand, i] {
            wait->until(timers.now() + std::chrono::microseconds(i % 100))(
                boost::asio::bind_executor(strand, [&, wait](wait_result r) {
                    if (r == wait_result::woken) ++woken;
                    ++ended;
                }));
        });
        for (int w = 0; w < 2; ++w) {
            boost::asio::post(threads.executor(), [wait] { wait->wake(); });
        }
    }
    threads.join();
    EXPECT_EQ(ended, rounds);
    EXPECT_EQ(timers.pending(), 0u);
    this->RecordProperty("woken", woken);
}

TYPED_TEST(TimerThreads, AWakeIsNeverLost) {
    TypeParam threads(3);
    auto& timers = timer_service::of(threads.executor());
    // Without the wake these waits would never end, and neither would join().
    for (int i = 0; i < 2000; ++i) {
        const auto wait = std::make_shared<timed_wait>(timers);
        boost::asio::post(threads.executor(), [wait, ex = threads.executor()] {
            wait->until(steady_time::max())(boost::asio::bind_executor(
                ex, [wait](wait_result r) { EXPECT_EQ(r, wait_result::woken); }));
        });
        boost::asio::post(threads.executor(), [wait] { wait->wake(); });
    }
    threads.join();
    EXPECT_EQ(timers.pending(), 0u);
}

TYPED_TEST(TimerThreads, FirstUseFromManyThreadsAtOnce) {
    for (int round = 0; round < 50; ++round) {
        TypeParam threads(2);
        std::latch go(4);
        std::vector<std::thread> clients;
        std::vector<raced> entries(4);
        for (std::size_t c = 0; c < 4; ++c) {
            clients.emplace_back([&, c] {
                go.arrive_and_wait();
                auto& timers = timer_service::of(threads.executor());
                timers.schedule(entries[c], timers.now() + 10us);
            });
        }
        for (auto& c : clients) c.join();
        threads.join();
        for (auto& e : entries) ASSERT_EQ(e.fired, 1);
    }
}

}  // namespace
}  // namespace asio_retry::detail
