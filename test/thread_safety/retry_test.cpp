// retry on several threads: coroutines in pools, on strands and without, timeouts and
// cancellations. SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include "support/threads.hpp"
#include <asio_retry/retry.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;

retry_policy quick() {
    return std::move(retry_policy().max_attempts(3).backoff(backoff::constant(50us)));
}

/// Ends after a while of real time, in failure until the attempt `good`.
asio::awaitable<int> work(attempt a, std::chrono::microseconds takes, unsigned good) {
    asio::steady_timer timer(co_await asio::this_coro::executor);
    timer.expires_after(takes);
    co_await timer.async_wait(asio::use_awaitable);
    if (a.number() < good) throw boost::system::system_error(refused);
    co_return static_cast<int>(a.number());
}

template <typename Pool>
class RetryThreads : public ::testing::Test {};
using pools = ::testing::Types<pool_threads, context_threads>;
TYPED_TEST_SUITE(RetryThreads, pools);

TYPED_TEST(RetryThreads, EachCallEndsOnce) {
    constexpr int calls = 1200;
    std::atomic<int> ended = 0;
    {
        TypeParam threads(4);
        for (int i = 0; i < calls; ++i) {
            asio::any_io_executor ex = threads.executor();
            if (i % 2 == 0) ex = asio::make_strand(ex);
            auto policy = quick();
            if (i % 3 != 0) policy.attempt_timeout(1h);
            const auto takes = std::chrono::microseconds(i % 50);
            asio::co_spawn(ex,
                           retry(policy, work, takes, 1u + static_cast<unsigned>(i) % 3),
                           [&ended](const std::exception_ptr& e, int n) {
                               EXPECT_FALSE(e);
                               EXPECT_GT(n, 0);
                               ++ended;
                           });
        }
        threads.join();
    }
    EXPECT_EQ(ended, calls);
}

TYPED_TEST(RetryThreads, TimeoutsRaceTheEnds) {
    constexpr int calls = 1200;
    std::atomic<int> ended = 0;
    {
        TypeParam threads(4);
        for (int i = 0; i < calls; ++i) {
            asio::any_io_executor ex = threads.executor();
            if (i % 2 == 0) ex = asio::make_strand(ex);
            const auto takes = std::chrono::microseconds(150 + i % 100);
            asio::co_spawn(ex,
                           try_retry(quick().attempt_timeout(200us), work, takes, 1u),
                           [&ended](const std::exception_ptr& e, const retry_result<int>& r) {
                               EXPECT_FALSE(e);
                               EXPECT_TRUE(r.ok() || r.error() == error::attempt_timeout)
                                   << r.error().message();
                               ++ended;
                           });
        }
        threads.join();
    }
    EXPECT_EQ(ended, calls);
}

TYPED_TEST(RetryThreads, CancellationsRaceTheEnds) {
    constexpr int calls = 1200;
    std::atomic<int> ended = 0;
    {
        TypeParam threads(4);
        // Gone before the threads' context: their slots keep executors of it.
        std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
        for (int i = 0; i < calls; ++i) {
            auto* signal =
                signals.emplace_back(std::make_unique<asio::cancellation_signal>()).get();
            const asio::any_io_executor strand = asio::make_strand(threads.executor());
            auto policy = quick();
            if (i % 2 == 0) policy.attempt_timeout(200us);
            const auto takes = std::chrono::microseconds(i % 200);
            asio::post(strand, [&ended, signal, strand, policy, takes] {
                asio::co_spawn(strand,
                               try_retry(policy, work, takes, 4u),
                               asio::bind_cancellation_slot(
                                   signal->slot(),
                                   asio::bind_executor(strand,
                                                       [&ended](const std::exception_ptr& e,
                                                                const retry_result<int>& r) {
                                                           EXPECT_TRUE(e || !r.ok());
                                                           ++ended;
                                                       })));
            });
            auto later = std::make_shared<asio::steady_timer>(strand);
            later->expires_after(std::chrono::microseconds(i % 700));
            later->async_wait(
                [later, signal](error_code) { signal->emit(asio::cancellation_type::terminal); });
        }
        threads.join();
    }
    EXPECT_EQ(ended, calls);
}

TYPED_TEST(RetryThreads, PoolIsStoppedInTheMiddle) {
    for (int round = 0; round < 20; ++round) {
        TypeParam threads(3);
        const auto token = std::make_shared<int>(1);
        for (int i = 0; i < 100; ++i) {
            auto policy = quick();
            if (i % 2 == 0) policy.attempt_timeout(200us);
            const auto takes = std::chrono::microseconds(100 + i);
            asio::co_spawn(threads.executor(),
                           try_retry(policy, work, takes, 3u),
                           [token](std::exception_ptr, const retry_result<int>&) {});
        }
        threads.stop();
    }
}

}  // namespace
}  // namespace asio_retry
