// async_retry on several threads: strands in pools, timeouts and cancellations that race the end.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include "support/threads.hpp"
#include <asio_retry/async_retry.hpp>
#include <asio_retry/observer.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;

/// Ends after a while of real time, in failure until the attempt `good`.
class timed_operation {
public:
    timed_operation(asio::any_io_executor ex, std::chrono::microseconds takes, unsigned good)
        : timer_(std::make_shared<asio::steady_timer>(std::move(ex))), takes_(takes), good_(good) {}

    template <typename Token>
    auto operator()(const attempt& a, Token&& token) const {
        return asio::async_initiate<Token, void(error_code)>(
            [timer = timer_, takes = takes_, ok = a.number() >= good_](auto handler) {
                timer->expires_after(takes);
                auto& t = *timer;
                auto slot = asio::get_associated_cancellation_slot(handler);
                auto ex = asio::get_associated_executor(handler, t.get_executor());
                auto done = [timer, ok, h = std::move(handler)](error_code ec) mutable {
                    std::move(h)(ec || ok ? ec : refused);
                };
                t.async_wait(
                    asio::bind_cancellation_slot(slot, asio::bind_executor(ex, std::move(done))));
            },
            token);
    }

private:
    std::shared_ptr<asio::steady_timer> timer_;
    std::chrono::microseconds takes_;
    unsigned good_;
};

retry_policy quick() {
    return std::move(retry_policy().max_attempts(3).backoff(backoff::constant(50us)));
}

template <typename Pool>
class AsyncRetryThreads : public ::testing::Test {};
using pools = ::testing::Types<pool_threads, context_threads>;
TYPED_TEST_SUITE(AsyncRetryThreads, pools);

TYPED_TEST(AsyncRetryThreads, EachCallEndsOnceOnItsStrand) {
    constexpr int calls = 2000;
    std::atomic<int> ended = 0;
    {
        TypeParam threads(4);
        for (int i = 0; i < calls; ++i) {
            const auto strand = asio::make_strand(threads.executor());
            async_retry(
                strand,
                quick().attempt_timeout(1h),
                timed_operation(
                    strand, std::chrono::microseconds(i % 50), 1 + static_cast<unsigned>(i) % 3),
                asio::bind_executor(strand, [&ended, strand](error_code ec) {
                    EXPECT_TRUE(strand.running_in_this_thread());
                    EXPECT_FALSE(ec);
                    ++ended;
                }));
        }
        threads.join();
    }
    EXPECT_EQ(ended, calls);
}

TYPED_TEST(AsyncRetryThreads, CallsWithoutTimeoutNeedNoStrand) {
    constexpr int calls = 2000;
    std::atomic<int> ended = 0;
    {
        TypeParam threads(4);
        for (int i = 0; i < calls; ++i) {
            async_retry(threads.executor(),
                        quick(),
                        timed_operation(threads.executor(),
                                        std::chrono::microseconds(i % 50),
                                        1 + static_cast<unsigned>(i) % 3),
                        [&ended](error_code ec) {
                            EXPECT_FALSE(ec);
                            ++ended;
                        });
        }
        threads.join();
    }
    EXPECT_EQ(ended, calls);
}

/// Also where the time is over before the initiation is, which another thread is at.
TYPED_TEST(AsyncRetryThreads, CancelsOnTheStrandOnly) {
    TypeParam threads(2);
    const auto strand = asio::make_strand(threads.executor());
    std::promise<bool> where;
    auto op = [&](auto&& token) {
        return asio::async_initiate<decltype(token), void(error_code)>(
            [&](auto handler) {
                const auto slot = asio::get_associated_cancellation_slot(handler);
                auto own = std::make_shared<decltype(handler)>(std::move(handler));
                asio::cancellation_slot(slot).assign(
                    [&where, strand, own](asio::cancellation_type) {
                        where.set_value(strand.running_in_this_thread());
                        asio::post(strand, [h = std::move(*own)]() mutable {
                            std::move(h)(asio::error::operation_aborted);
                        });
                    });
                // The expiry has come to the strand by then.
                asio::steady_timer later(strand, 30ms);
                later.async_wait(asio::use_future).get();
            },
            token);
    };
    std::promise<error_code> end;
    async_retry(strand,
                quick().max_attempts(1).attempt_timeout(1ms),
                op,
                asio::bind_executor(strand, [&end](error_code ec) { end.set_value(ec); }));
    EXPECT_TRUE(where.get_future().get());
    EXPECT_EQ(end.get_future().get(), error::attempt_timeout);
    threads.join();
}

TYPED_TEST(AsyncRetryThreads, TimeoutsRaceTheEnds) {
    constexpr int calls = 3000;
    std::atomic<int> ended = 0;
    std::atomic<int> timeouts = 0;
    {
        TypeParam threads(4);
        for (int i = 0; i < calls; ++i) {
            const auto strand = asio::make_strand(threads.executor());
            async_retry(strand,
                        quick().attempt_timeout(200us),
                        timed_operation(strand, std::chrono::microseconds(150 + i % 100), 1),
                        asio::bind_executor(strand, [&](error_code ec) {
                            EXPECT_TRUE(!ec || ec == error::attempt_timeout) << ec.message();
                            if (ec) ++timeouts;
                            ++ended;
                        }));
        }
        threads.join();
    }
    EXPECT_EQ(ended, calls);
    this->RecordProperty("timeouts", timeouts);
}

TYPED_TEST(AsyncRetryThreads, CancellationsRaceTheEnds) {
    constexpr int calls = 2000;
    std::atomic<int> ended = 0;
    std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
    {
        TypeParam threads(4);
        for (int i = 0; i < calls; ++i) {
            auto* signal =
                signals.emplace_back(std::make_unique<asio::cancellation_signal>()).get();
            const auto strand = asio::make_strand(threads.executor());
            auto policy = quick();
            if (i % 2 == 0) policy.attempt_timeout(200us);
            const auto start = [&ended, signal, strand, policy, i] {
                async_retry(
                    strand,
                    policy,
                    timed_operation(strand, std::chrono::microseconds(i % 200), 4),
                    asio::bind_cancellation_slot(
                        signal->slot(), asio::bind_executor(strand, [&ended](error_code ec) {
                            EXPECT_TRUE(ec);
                            ++ended;
                        })));
            };
            asio::post(strand, start);
            auto later = std::make_shared<asio::steady_timer>(strand);
            later->expires_after(std::chrono::microseconds(i % 700));
            later->async_wait(
                [later, signal](error_code) { signal->emit(asio::cancellation_type::terminal); });
        }
        threads.join();
    }
    EXPECT_EQ(ended, calls);
}

TYPED_TEST(AsyncRetryThreads, SharedPolicyAndObserverServeAllThreads) {
    class counter final : public observer {
    public:
        void attempt_started(std::string_view, const attempt&) noexcept override { ++started; }
        void attempt_finished(std::string_view, const attempt_record&) noexcept override {
            ++finished;
        }
        void retry_scheduled(std::string_view, const attempt_record&) noexcept override {
            ++scheduled;
        }
        void gave_up(std::string_view, const retry_report&) noexcept override { ++given_up; }
        std::atomic<int> started = 0, finished = 0, scheduled = 0, given_up = 0;
    };
    constexpr int calls = 1000;
    const auto watcher = std::make_shared<counter>();
    const auto policy =
        quick().observer(watcher).classifier([](const error_code& ec) -> std::optional<verdict> {
            if (ec == refused) return failure_kind::server;
            return std::nullopt;
        });
    std::atomic<int> ended = 0;
    {
        TypeParam threads(4);
        for (int i = 0; i < calls; ++i) {
            async_retry(threads.executor(),
                        policy,
                        timed_operation(threads.executor(), 10us, 4),
                        [&ended](error_code) { ++ended; });
        }
        threads.join();
    }
    EXPECT_EQ(ended, calls);
    EXPECT_EQ(watcher->started, 3 * calls);
    EXPECT_EQ(watcher->finished, 3 * calls);
    EXPECT_EQ(watcher->scheduled, 2 * calls);
    EXPECT_EQ(watcher->given_up, calls);
}

TYPED_TEST(AsyncRetryThreads, FuturesFromManyThreads) {
    TypeParam threads(3);
    std::vector<std::future<void>> workers;
    for (int w = 0; w < 3; ++w) {
        workers.push_back(std::async(std::launch::async, [&threads] {
            for (int i = 0; i < 100; ++i) {
                const auto strand = asio::make_strand(threads.executor());
                async_retry(strand,
                            quick().attempt_timeout(1h),
                            timed_operation(strand, 10us, 3),
                            asio::bind_executor(strand, asio::use_future))
                    .get();
                async_retry(strand, quick(), timed_operation(strand, 10us, 2), asio::use_future)
                    .get();
            }
        }));
    }
    for (auto& w : workers) EXPECT_NO_THROW(w.get());
    threads.join();
}

}  // namespace
}  // namespace asio_retry
