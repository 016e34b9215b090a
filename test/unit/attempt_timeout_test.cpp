// Attempt timeouts, total timeouts and deadlines, in every driver.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/async_retry.hpp>
#include <asio_retry/retry.hpp>
#include <asio_retry/timeout.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;
using boost::system::system_error;

/// Ends a while after it has started, whoever cancels.
class deaf_operation {
public:
    deaf_operation(asio::any_io_executor ex, std::chrono::nanoseconds takes, error_code ec)
        : wait_(std::make_shared<detail::timed_wait>(detail::timer_service::of(ex))),
          executor_(std::move(ex)),
          takes_(takes),
          error_(ec) {}

    asio::awaitable<void> operator()() const {
        co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
        const auto end = wait_->timers().now() + takes_;
        co_await wait_->until(end);
        if (error_) throw system_error(error_);
    }

    template <typename Token>
    auto operator()(Token&& token) const {
        return asio::async_initiate<Token, void(error_code)>(
            [w = wait_, ex = executor_, t = takes_, ec = error_](auto handler) {
                const auto to = asio::get_associated_executor(handler, ex);
                auto done = [w, ec, h = std::move(handler)](detail::wait_result) mutable {
                    std::move(h)(ec);
                };
                w->until(w->timers().now() + t)(asio::bind_executor(to, std::move(done)));
            },
            token);
    }

private:
    std::shared_ptr<detail::timed_wait> wait_;
    asio::any_io_executor executor_;
    std::chrono::nanoseconds takes_;
    error_code error_;
};

/// One call through a driver, all of which keep the same promises about time.
class call_result {
public:
    error_code error;
    asio_retry::reason why{};
    retry_report report;
    std::chrono::nanoseconds at{-1};
    int times = 0;
};

class awaitable_driver {
public:
    template <typename Operation>
    static void start(stage& s, const retry_policy& policy, Operation op, call_result& to) {
        auto f = [op = std::move(op)]() -> asio::awaitable<void> {
            if constexpr (requires { op.awaitable(); }) {
                return op.awaitable()();
            } else {
                return op();
            }
        };
        asio::co_spawn(
            s.context, try_retry(policy, f), [&s, &to](std::exception_ptr, retry_result<void> r) {
                to.error = r.error();
                to.why = r.reason();
                to.report = r.report();
                to.at = s.elapsed();
                ++to.times;
            });
    }
};

class token_driver {
public:
    template <typename Operation>
    static void start(stage& s, const retry_policy& policy, Operation op, call_result& to) {
        async_try_retry(s.context.get_executor(), policy, op, [&s, &to](retry_result<void> r) {
            to.error = r.error();
            to.why = r.reason();
            to.report = r.report();
            to.at = s.elapsed();
            ++to.times;
        });
    }
};

template <typename Driver>
class AttemptTimeout : public ::testing::Test {
public:
    template <typename Operation>
    call_result run(const retry_policy& policy, const Operation& op) {
        call_result result;
        Driver::start(s, policy, op, result);
        s.clock.run(s.context);
        EXPECT_EQ(result.times, 1);
        EXPECT_EQ(s.clock.pending(), 0u);
        return result;
    }

    stage s;
};

using drivers = ::testing::Types<awaitable_driver, token_driver>;
TYPED_TEST_SUITE(AttemptTimeout, drivers);

TYPED_TEST(AttemptTimeout, CancelsTheAttemptAndTriesAgain) {
    const auto op = this->s.scripted({step({}, 1h), step({}, 1h), step({}, 1s)});
    const auto r = this->run(every_ten_seconds().attempt_timeout(2s), op);
    EXPECT_EQ(r.why, reason::success);
    EXPECT_EQ(r.at, 2 * (2s + 10s) + 1s);
    EXPECT_EQ(op.attempts(), 3u);
    const attempt_record& first = r.report.history().at(0);
    EXPECT_EQ(first.error, error::attempt_timeout);
    EXPECT_EQ(first.kind, failure_kind::timeout);
    EXPECT_EQ(first.elapsed, 2s);
}

TYPED_TEST(AttemptTimeout, IsTheErrorOfACallWhoseLastAttemptRanOutOfTime) {
    const auto op = this->s.scripted({step({}, 1h)});
    const auto r = this->run(every_ten_seconds().attempt_timeout(2s), op);
    EXPECT_EQ(r.error, error::attempt_timeout);
    EXPECT_EQ(r.error, std::errc::timed_out);
    EXPECT_EQ(r.why, reason::attempts_exhausted);
    EXPECT_EQ(r.at, 3 * 2s + 2 * 10s);
}

TYPED_TEST(AttemptTimeout, LeavesAnAttemptThatEndsInTimeAlone) {
    const auto op = this->s.scripted({step(refused, 1s), step({}, 1s)});
    const auto r = this->run(every_ten_seconds().attempt_timeout(2s), op);
    EXPECT_EQ(r.why, reason::success);
    EXPECT_EQ(r.report.history().at(0).error, refused);
    EXPECT_EQ(r.at, 12s);
}

TYPED_TEST(AttemptTimeout, IsNoneForASuccessThatRacedIt) {
    const auto op = this->s.scripted({step({}, 2s)});
    const auto r = this->run(every_ten_seconds().attempt_timeout(2s), op);
    EXPECT_EQ(r.why, reason::success);
    EXPECT_EQ(r.error, error_code());
    EXPECT_EQ(r.at, 2s);
}

TYPED_TEST(AttemptTimeout, IsNoneForAnotherErrorThatRacedIt) {
    const auto op = this->s.scripted({step(denied, 2s)});
    const auto r = this->run(every_ten_seconds().attempt_timeout(2s), op);
    EXPECT_EQ(r.error, denied);
    EXPECT_EQ(r.why, reason::permanent_failure);
}

TYPED_TEST(AttemptTimeout, AwaitsAnOperationThatIgnoresItAndTakesItsSuccess) {
    const deaf_operation op(this->s.executor(), 1min, {});
    const auto r = this->run(every_ten_seconds().attempt_timeout(2s), op);
    EXPECT_EQ(r.why, reason::success);
    EXPECT_EQ(r.at, 1min);
}

TYPED_TEST(AttemptTimeout, AwaitsAnOperationThatIgnoresItAndTakesItsError) {
    const deaf_operation op(this->s.executor(), 1min, reset_by_peer);
    const auto r = this->run(every_ten_seconds().max_attempts(2).attempt_timeout(2s), op);
    EXPECT_EQ(r.error, reset_by_peer);
    EXPECT_EQ(r.why, reason::attempts_exhausted);
    EXPECT_EQ(r.at, 2min + 10s);
    EXPECT_EQ(r.report.history().at(0).kind, failure_kind::connection_lost);
}

TYPED_TEST(AttemptTimeout, HasALimitAndABackoffOfItsOwn) {
    const auto op = this->s.scripted({step({}, 1h)});
    const auto limits =
        kind_limits().max_attempts(5).backoff(backoff::constant(5s).jitter(jitter::none));
    const auto r =
        this->run(every_ten_seconds().attempt_timeout(2s).on(failure_kind::timeout, limits), op);
    EXPECT_EQ(r.report.attempts(), 5u);
    EXPECT_EQ(r.at, 5 * 2s + 4 * 5s);
}

TYPED_TEST(AttemptTimeout, ShrinksToWhatIsLeftOfTheTotalTimeout) {
    const auto op = this->s.scripted({step({}, 1h)});
    const auto r = this->run(every_ten_seconds().attempt_timeout(8s).total_timeout(21s), op);
    EXPECT_EQ(op.attempts(), 2u);
    EXPECT_EQ(r.at, 21s);
    EXPECT_EQ(r.error, error::attempt_timeout);
    EXPECT_EQ(r.why, reason::deadline_exceeded);
    EXPECT_EQ(r.report.history().at(1).elapsed, 3s);
}

TYPED_TEST(AttemptTimeout, OfTheTotalAloneEndsTheAttemptToo) {
    const auto op = this->s.scripted({step({}, 1h)});
    const auto r = this->run(every_ten_seconds().total_timeout(7s), op);
    EXPECT_EQ(r.at, 7s);
    EXPECT_EQ(r.error, error::attempt_timeout);
    EXPECT_EQ(r.why, reason::deadline_exceeded);
}

TYPED_TEST(AttemptTimeout, DeadlineIsAPointInTime) {
    const auto op = this->s.scripted({step({}, 1h)});
    auto policy = every_ten_seconds().deadline(this->s.clock.now() + 7s).total_timeout(1min);
    const auto r = this->run(policy, op);
    EXPECT_EQ(r.at, 7s);
    EXPECT_EQ(r.why, reason::deadline_exceeded);
}

TYPED_TEST(AttemptTimeout, NeverSleepsPastTheDeadline) {
    const auto op = this->s.scripted({step(refused, 3s)});
    const auto r = this->run(every_ten_seconds().total_timeout(20s), op);
    EXPECT_EQ(r.at, 16s);
    EXPECT_EQ(op.attempts(), 2u);
    EXPECT_EQ(r.error, refused);
    EXPECT_EQ(r.why, reason::deadline_exceeded);
    EXPECT_EQ(r.report.history().at(1).delay, 0s);
    EXPECT_EQ(r.report.history().at(1).source, delay_source::none);
}

TYPED_TEST(AttemptTimeout, NoTimeAtAllMakesNoAttempt) {
    const auto op = this->s.scripted({step()});
    for (const auto& policy : {every_ten_seconds().total_timeout(0s),
                               every_ten_seconds().deadline(this->s.clock.now()),
                               every_ten_seconds().deadline(steady_time::min())}) {
        const auto r = this->run(policy, op);
        EXPECT_EQ(op.attempts(), 0u);
        EXPECT_EQ(r.error, error::deadline_exceeded);
        EXPECT_EQ(r.error, std::errc::timed_out);
        EXPECT_EQ(r.why, reason::deadline_exceeded);
        EXPECT_EQ(r.at, 0s);
        EXPECT_EQ(r.report.attempts(), 0u);
        EXPECT_TRUE(r.report.history().empty());
    }
}

TYPED_TEST(AttemptTimeout, SuccessAfterTheDeadlineStaysASuccess) {
    const deaf_operation op(this->s.executor(), 1min, {});
    const auto r = this->run(every_ten_seconds().total_timeout(20s), op);
    EXPECT_EQ(r.why, reason::success);
    EXPECT_EQ(r.at, 1min);
}

TYPED_TEST(AttemptTimeout, FailureAfterTheDeadlineEndsTheCall) {
    const deaf_operation op(this->s.executor(), 1min, refused);
    const auto r = this->run(every_ten_seconds().total_timeout(20s), op);
    EXPECT_EQ(r.why, reason::deadline_exceeded);
    EXPECT_EQ(r.error, refused);
    EXPECT_EQ(r.at, 1min);
}

TYPED_TEST(AttemptTimeout, OfMaximalLengthNeverComes) {
    const auto op = this->s.scripted({step(refused, 24h), step()});
    const auto most = std::chrono::nanoseconds::max() - 1ns;
    const auto r = this->run(every_ten_seconds().attempt_timeout(most).total_timeout(most), op);
    EXPECT_EQ(r.why, reason::success);
    EXPECT_EQ(r.at, 24h + 10s);
}

TYPED_TEST(AttemptTimeout, ManyCallsTimeOutEachAtItsTime) {
    std::vector<call_result> results(500);
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto limit = std::chrono::milliseconds(1 + (i * 7919) % 500);
        TypeParam::start(this->s,
                         retry_policy::never().attempt_timeout(limit),
                         this->s.scripted({step({}, 1h)}),
                         results[i]);
    }
    this->s.clock.run(this->s.context);
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_EQ(results[i].error, error::attempt_timeout);
        ASSERT_EQ(results[i].at, std::chrono::milliseconds(1 + (i * 7919) % 500));
    }
    EXPECT_EQ(this->s.clock.pending(), 0u);
}

TEST(Retry, AttemptTimeoutStandsInAValueThatCarriesAnError) {
    stage s;
    const auto op = s.scripted({step({}, 1h)});
    auto as_value = [&op]() -> asio::awaitable<std::tuple<error_code, int>> {
        error_code ec;
        try {
            auto wait = op.awaitable()();
            co_await std::move(wait);
        } catch (const system_error& e) {
            ec = e.code();
        }
        co_return std::tuple<error_code, int>(ec, 7);
    };
    const auto [ec, n] = s.value_of(retry(every_ten_seconds().attempt_timeout(1s), as_value));
    EXPECT_EQ(ec, error::attempt_timeout);
    EXPECT_EQ(n, 7);
    EXPECT_EQ(s.elapsed(), 23s);
}

TEST(Retry, DeadlineBeforeTheFirstAttemptIsThrown) {
    stage s;
    const auto op = s.scripted({step()});
    const auto end = s.run(retry(every_ten_seconds().total_timeout(0s), op.awaitable()));
    ASSERT_TRUE(end.error());
    EXPECT_EQ(end.code(), error::deadline_exceeded);
    EXPECT_EQ(end.error()->reason(), reason::deadline_exceeded);
    EXPECT_EQ(op.attempts(), 0u);
}

TEST(Retry, TimedAttemptMayMoveItsValueAndItsArguments) {
    stage s;
    auto op = [](attempt a, std::unique_ptr<int>& n) -> asio::awaitable<std::unique_ptr<int>> {
        if (a.number() < 2) throw system_error(refused);
        co_return std::move(n);
    };
    const auto policy = every_ten_seconds().attempt_timeout(1s);
    EXPECT_EQ(*s.value_of(retry(policy, op, std::make_unique<int>(7))), 7);
}

TEST(Retry, LeavesThrowIfCancelledAsItWas) {
    stage s;
    const auto op = s.scripted({step({}, 1s)});
    auto look = [&op](bool before) -> asio::awaitable<bool> {
        co_await asio::this_coro::throw_if_cancelled(before);
        auto call = retry(every_ten_seconds().attempt_timeout(2s), op.awaitable());
        co_await std::move(call);
        co_return co_await asio::this_coro::throw_if_cancelled();
    };
    EXPECT_EQ(s.run(look(true)).value, true);
    EXPECT_EQ(s.run(look(false)).value, false);
}

TEST(AsyncRetry, DeadlineBeforeTheFirstAttemptCancelsItWhereThereIsNoDefaultValue) {
    class no_default {
    public:
        explicit no_default(int) {}
    };
    stage s;
    const auto op = s.scripted({step({}, 1h)});
    auto with_value = [&op](auto&& token) {
        return asio::async_initiate<decltype(token), void(error_code, no_default)>(
            [&op](auto handler) {
                auto slot = asio::get_associated_cancellation_slot(handler);
                op(asio::bind_cancellation_slot(slot,
                                                [h = std::move(handler)](error_code ec) mutable {
                                                    std::move(h)(ec, no_default(1));
                                                }));
            },
            token);
    };
    error_code got;
    int times = 0;
    async_retry(s.executor(),
                every_ten_seconds().total_timeout(0s),
                with_value,
                [&](error_code ec, no_default) {
                    got = ec;
                    ++times;
                });
    s.clock.run(s.context);
    EXPECT_EQ(times, 1);
    EXPECT_EQ(got, error::deadline_exceeded);
    EXPECT_EQ(op.attempts(), 1u);
    EXPECT_EQ(s.elapsed(), 0s);
}

TEST(AsyncRetry, DeadlineBeforeTheFirstAttemptIsTheEndAlsoWhereThatAttemptSucceeds) {
    class no_default {
    public:
        explicit no_default(int) {}
    };
    class silent final : public observer {};
    for (const bool watched : {false, true}) {
        stage s;
        auto succeed = [&s](auto&& token) {
            return asio::async_initiate<decltype(token), void(error_code, no_default)>(
                [&s](auto handler) {
                    asio::post(s.executor(), [h = std::move(handler)]() mutable {
                        std::move(h)(error_code(), no_default(1));
                    });
                },
                token);
        };
        auto policy = every_ten_seconds().total_timeout(0s);
        if (watched) policy.observer(std::make_shared<silent>());
        error_code got;
        async_retry(s.executor(), policy, succeed, [&got](error_code ec, no_default) { got = ec; });
        s.clock.run(s.context);
        EXPECT_EQ(got, error::deadline_exceeded);
    }
}

/// An operation that completes inside its cancellation handler.
class inline_operation {
public:
    template <typename Token>
    auto operator()(Token&& token) const {
        return asio::async_initiate<Token, void(error_code)>(
            [](auto handler) {
                auto slot = asio::get_associated_cancellation_slot(handler);
                auto kept = std::make_shared<decltype(handler)>(std::move(handler));
                slot.assign([kept](asio::cancellation_type) {
                    auto h = std::move(*kept);
                    std::move(h)(aborted);
                });
            },
            token);
    }
};

TEST(AsyncRetry, TimesOutAnOperationThatCompletesWhileItIsBeingCancelled) {
    stage s;
    error_code got;
    async_retry(s.executor(),
                every_ten_seconds().attempt_timeout(1s),
                inline_operation(),
                [&got](error_code ec) { got = ec; });
    s.clock.run(s.context);
    EXPECT_EQ(got, error::attempt_timeout);
    EXPECT_EQ(s.elapsed(), 23s);
}

TEST(AsyncRetry, CancelsAnOperationThatCompletesWhileItIsBeingCancelled) {
    for (const auto& policy : {every_ten_seconds(), every_ten_seconds().attempt_timeout(1s)}) {
        stage s;
        error_code got;
        async_retry(
            s.executor(),
            policy,
            inline_operation(),
            asio::bind_cancellation_slot(s.signal.slot(), [&got](error_code ec) { got = ec; }));
        s.poll();
        s.signal.emit(asio::cancellation_type::terminal);
        s.clock.run(s.context);
        EXPECT_EQ(got, aborted);
        EXPECT_EQ(s.elapsed(), 0s);
    }
}

TEST(AsyncWithTimeout, PassesOnWhatEndsInTime) {
    stage s;
    error_code got = denied;
    async_with_timeout(
        s.executor(), 2s, s.scripted({step({}, 1s)}), [&got](error_code ec) { got = ec; });
    s.clock.run(s.context);
    EXPECT_EQ(got, error_code());
    async_with_timeout(
        s.executor(), 2s, s.scripted({step(refused, 1s)}), [&got](error_code ec) { got = ec; });
    s.clock.run(s.context);
    EXPECT_EQ(got, refused);
    EXPECT_EQ(s.elapsed(), 2s);
}

TEST(AsyncWithTimeout, EndsWhatDoesNotAndRepeatsNothing) {
    stage s;
    error_code got;
    const auto op = s.scripted({step({}, 1h)});
    async_with_timeout(s.executor(), 2s, op, [&got](error_code ec) { got = ec; });
    s.clock.run(s.context);
    EXPECT_EQ(got, error::attempt_timeout);
    EXPECT_EQ(op.attempts(), 1u);
    EXPECT_EQ(s.elapsed(), 2s);
}

TEST(AsyncWithTimeout, RefusesALimitThatIsNone) {
    stage s;
    EXPECT_THROW(async_with_timeout(s.executor(), 0s, s.scripted({step()}), [](error_code) {}),
                 std::invalid_argument);
    EXPECT_THROW(async_with_timeout(s.executor(), -1s, s.scripted({step()}), [](error_code) {}),
                 std::invalid_argument);
}

/// False if `wait` does not return by itself; then `stop` makes it.
template <typename Wait, typename Stop>
bool returns(Wait wait, Stop stop) {
    auto run = std::async(std::launch::async, wait);
    const bool ready = run.wait_for(10s) == std::future_status::ready;
    stop();
    return ready;
}

TEST(AsyncRetry, ContextRunsOutOfWorkWithTheLastCallWhateverTheTimeouts) {
    class row {
    public:
        const char* name;
        std::function<asio::any_io_executor(asio::io_context&)> make;
    };
    const std::vector<row> rows{
        {"plain", [](asio::io_context& c) { return c.get_executor(); }},
        {"strand", [](asio::io_context& c) { return asio::make_strand(c); }},
        {"erased strand",
         [](asio::io_context& c) {
             return asio::make_strand(asio::any_io_executor(c.get_executor()));
         }},
        {"tracked",
         [](asio::io_context& c) {
             return asio::require(c.get_executor(), asio::execution::outstanding_work.tracked);
         }},
        {"never blocking",
         [](asio::io_context& c) {
             return asio::require(c.get_executor(), asio::execution::blocking.never);
         }},
    };
    for (const row& r : rows) {
        SCOPED_TRACE(r.name);
        asio::io_context context;
        for (int round = 0; round < 2; ++round) {
            context.restart();
            int done = 0;
            for (int k = 0; k < 3; ++k) {
                async_retry(r.make(context),
                            retry_policy().attempt_timeout(1h),
                            posted_operation(context.get_executor()),
                            [&done](error_code) { ++done; });
            }
            EXPECT_TRUE(returns([&] { context.run(); }, [&] { context.stop(); }));
            EXPECT_EQ(done, 3);
        }
    }
}

TEST(AsyncRetry, ThreadPoolIsJoinedAtOnceAfterTheLastCall) {
    asio::thread_pool pool(1);
    auto result = async_retry(pool.get_executor(),
                              retry_policy().attempt_timeout(1h),
                              posted_operation(pool.get_executor()),
                              asio::use_future);
    result.get();
    EXPECT_TRUE(returns([&] { pool.join(); }, [&] { pool.stop(); }));
}

TEST(AsyncRetry, IsNotHeldUpByAStrandThatWasBusyWhenItsPoolWasFirstUsed) {
    asio::thread_pool pool(2);
    const auto busy = asio::make_strand(pool);
    async_retry(busy, retry_policy(), posted_operation(busy), asio::use_future).get();
    std::promise<void> over;
    asio::post(busy, [&] { over.get_future().wait(); });
    asio::steady_timer never(pool, steady_time::max());
    auto op = [&never](auto&& token) { return never.async_wait(std::move(token)); };
    auto result = async_try_retry(
        pool.get_executor(), retry_policy().total_timeout(1ms), op, asio::use_future);
    EXPECT_EQ(result.wait_for(20s), std::future_status::ready);
    over.set_value();
    pool.join();
}

TEST(AsyncRetry, TrackedExecutorDoesNotKeepAThreadPoolAlive) {
    asio::thread_pool pool(1);
    {
        const asio::any_io_executor tracked =
            asio::require(pool.get_executor(), asio::execution::outstanding_work.tracked);
        async_retry(tracked,
                    retry_policy().attempt_timeout(1h),
                    posted_operation(pool.get_executor()),
                    asio::use_future)
            .get();
    }
    EXPECT_TRUE(returns([&] { pool.join(); }, [&] { pool.stop(); }));
}

}  // namespace
}  // namespace asio_retry
