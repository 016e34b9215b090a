// Cancellation of each type, at each point of a call, in every driver.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/async_retry.hpp>
#include <asio_retry/retry.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;
using asio::cancellation_type;
using boost::system::system_error;

enum class driver {
    retry,
    try_retry,
    try_retry_without_throwing,
    try_retry_on_concrete_executor,
    async_retry,
    async_try_retry
};
constexpr std::array drivers{driver::retry,
                             driver::try_retry,
                             driver::try_retry_without_throwing,
                             driver::try_retry_on_concrete_executor,
                             driver::async_retry,
                             driver::async_try_retry};

/// Where in the call the cancellation comes: each attempt and each delay takes 10 s.
enum class point {
    at_once,
    first_attempt,
    attempt_end_is_queued,   // the operation has ended, its handler has not run
    attempt_end_is_running,  // its handler has run, what that has posted has not
    delay,
    delay_end_is_queued,
    delay_end_is_running,
    later_attempt,
    later_delay
};

class place {
public:
    const char* name;
    point where;
    std::chrono::seconds time;
    std::size_t attempts;
};
constexpr std::array places{place{"AtOnce", point::at_once, 0s, 1},
                            place{"FirstAttempt", point::first_attempt, 5s, 1},
                            place{"AttemptEndIsQueued", point::attempt_end_is_queued, 10s, 1},
                            place{"AttemptEndIsRunning", point::attempt_end_is_running, 10s, 1},
                            place{"Delay", point::delay, 15s, 1},
                            place{"DelayEndIsQueued", point::delay_end_is_queued, 20s, 1},
                            place{"DelayEndIsRunning", point::delay_end_is_running, 20s, 2},
                            place{"LaterAttempt", point::later_attempt, 25s, 2},
                            place{"LaterDelay", point::later_delay, 35s, 2}};

class seen {
public:
    error_code error;
    std::optional<asio_retry::reason> why;
    retry_report report;
    std::chrono::nanoseconds at{-1};
    int times = 0;
};

using concrete = asio::io_context::executor_type;

asio::awaitable<void, concrete> on_concrete(asio::io_context& context, error_code ec) {
    detail::timed_wait wait(detail::timer_service::of(context.get_executor()));
    auto end = wait.timers().now() + 10s;
    if (co_await wait.until(end) == detail::wait_result::cancelled) throw system_error(aborted);
    if (ec) throw system_error(ec);
}

/// Starts a call of an operation that takes 10 s; what comes of it is in the answer.
class started {
public:
    started(stage& s, driver d, const retry_policy& policy, std::vector<step> steps)
        : stage_(s), driver_(d), op_(s.scripted(steps)), concrete_error_(steps.front().error()) {
        using enum caller::throwing;
        const auto every = caller::filter::every_type;
        switch (d) {
            case driver::retry:
                thrown_ = s.start(retry(policy, op_.awaitable()), caller(every));
                break;
            case driver::try_retry:
                result_ = s.start(try_retry(policy, op_.awaitable()), caller(every, on));
                break;
            case driver::try_retry_without_throwing:
                result_ = s.start(try_retry(policy, op_.awaitable()), caller(every, off));
                break;
            case driver::try_retry_on_concrete_executor: {
                auto f = [this] {
                    ++concrete_attempts_;
                    return on_concrete(stage_.context, concrete_error_);
                };
                result_ = s.start(try_retry(policy, f), caller(every, on));
                break;
            }
            case driver::async_retry:
                async_retry(s.executor(),
                            policy,
                            op_,
                            asio::bind_cancellation_slot(s.signal.slot(),
                                                         [this](error_code ec) { done(ec); }));
                break;
            case driver::async_try_retry:
                async_try_retry(
                    s.executor(),
                    policy,
                    op_,
                    asio::bind_cancellation_slot(s.signal.slot(), [this](retry_result<void> r) {
                        done(r.error());
                        seen_.why = r.reason();
                        seen_.report = r.report();
                    }));
                break;
        }
    }

    std::size_t attempts() const {
        return driver_ == driver::try_retry_on_concrete_executor ? concrete_attempts_
                                                                 : op_.attempts();
    }

    seen look() const {
        seen s = seen_;
        if (thrown_) {
            s.times = thrown_->times;
            s.at = stage_.when(thrown_->at);
            s.error = thrown_->code();
            if (const auto e = thrown_->error()) {
                s.why = e->reason();
                s.report = e->report();
            }
        }
        if (result_) {
            s.times = result_->times;
            s.at = stage_.when(result_->at);
            s.error = result_->code();
            if (result_->value) {
                s.error = result_->value->error();
                s.why = result_->value->reason();
                s.report = result_->value->report();
            }
        }
        return s;
    }

private:
    void done(error_code ec) {
        ++seen_.times;
        seen_.error = ec;
        seen_.at = stage_.elapsed();
    }

    stage& stage_;
    driver driver_;
    scripted_operation op_;
    error_code concrete_error_;
    std::size_t concrete_attempts_ = 0;
    std::shared_ptr<ending<void>> thrown_;
    std::shared_ptr<ending<retry_result<void>>> result_;
    seen seen_;
};

/// Brings the call to the place and cancels it there.
void cancel_at(stage& s, const place& p, cancellation_type type) {
    const auto emit = [&s, type] { s.signal.emit(type); };
    switch (p.where) {
        case point::attempt_end_is_queued:
        case point::delay_end_is_queued:
            s.clock.run_for(s.context, p.time - 5s);
            asio::post(s.context, emit);
            s.clock.advance(5s);
            break;
        case point::attempt_end_is_running:
        case point::delay_end_is_running:
            s.clock.run_for(s.context, p.time - 5s);
            s.clock.advance(5s);
            asio::post(s.context, emit);
            break;
        case point::at_once: emit(); break;
        default: s.clock.run_for(s.context, p.time); emit();
    }
}

retry_policy policy_of(bool timed) {
    return timed ? every_ten_seconds().attempt_timeout(1h).total_timeout(2h) : every_ten_seconds();
}

class RetryCancellation
    : public ::testing::TestWithParam<std::tuple<driver, cancellation_type, bool>> {
public:
    driver how() const { return std::get<0>(GetParam()); }
    cancellation_type type() const { return std::get<1>(GetParam()); }
    bool timed() const { return std::get<2>(GetParam()); }
};

std::string name_of(const ::testing::TestParamInfo<RetryCancellation::ParamType>& info) {
    constexpr const char* names[] = {"Retry",
                                     "TryRetry",
                                     "TryRetryWithoutThrowing",
                                     "TryRetryOnConcreteExecutor",
                                     "AsyncRetry",
                                     "AsyncTryRetry"};
    const auto [d, type, timed] = info.param;
    return std::string(names[static_cast<std::size_t>(d)]) +
           (type == cancellation_type::terminal  ? "Terminal"
            : type == cancellation_type::partial ? "Partial"
                                                 : "Total") +
           (timed ? "Timed" : "");
}

TEST_P(RetryCancellation, EndsTheCallOnceAndAtOnceWhereverItComes) {
    for (const place& p : places) {
        SCOPED_TRACE(p.name);
        stage s;
        const started call(s, how(), policy_of(timed()), {step(refused, 10s)});
        cancel_at(s, p, type());
        s.clock.run(s.context);
        const seen got = call.look();
        EXPECT_EQ(got.times, 1);
        EXPECT_EQ(got.error, aborted);
        EXPECT_EQ(got.at, p.time);
        EXPECT_EQ(call.attempts(), p.attempts);
        EXPECT_EQ(s.clock.pending(), 0u);
        if (how() != driver::async_retry) {
            ASSERT_TRUE(got.why);
            EXPECT_EQ(to_string(*got.why), "cancelled");
            EXPECT_EQ(got.report.elapsed(), p.time);
            EXPECT_EQ(got.report.attempts(), p.attempts);
            ASSERT_EQ(got.report.history().size(), p.attempts);
            const bool in_attempt = p.where != point::delay && p.where != point::later_delay &&
                                    p.where != point::delay_end_is_queued &&
                                    p.where != point::attempt_end_is_running;
            if (in_attempt) {
                EXPECT_EQ(got.report.history().back().kind, failure_kind::cancelled);
            }
        }
        s.signal.emit(type());
        s.clock.run(s.context);
        EXPECT_EQ(call.look().times, 1);
    }
}

TEST_P(RetryCancellation, ThatComesSeveralTimesCountsOnce) {
    for (const place& p : places) {
        SCOPED_TRACE(p.name);
        stage s;
        const started call(s, how(), policy_of(timed()), {step(refused, 10s)});
        cancel_at(s, p, type());
        asio::post(s.context, [&s] { s.signal.emit(cancellation_type::terminal); });
        s.signal.emit(type());
        s.clock.run(s.context);
        EXPECT_EQ(call.look().times, 1);
        EXPECT_EQ(call.look().error, aborted);
        EXPECT_EQ(s.clock.pending(), 0u);
    }
}

TEST_P(RetryCancellation, LeavesASuccessThatRacedItASuccess) {
    stage s;
    const started call(s, how(), policy_of(timed()), {step({}, 10s)});
    cancel_at(s, place{"", point::attempt_end_is_queued, 10s, 1}, type());
    s.clock.run(s.context);
    const seen got = call.look();
    EXPECT_EQ(got.times, 1);
    EXPECT_EQ(got.error, error_code());
    EXPECT_EQ(got.at, 10s);
    EXPECT_EQ(s.clock.pending(), 0u);
}

TEST_P(RetryCancellation, TakesTheFailureThatRacesATimeout) {
    stage s;
    const auto policy = every_ten_seconds().attempt_timeout(10s);
    const started call(s, how(), policy, {step(refused, 1h)});
    s.clock.run_for(s.context, 5s);
    asio::post(s.context, [this, &s] { s.signal.emit(type()); });
    s.clock.advance(5s);
    s.clock.run(s.context);
    const seen got = call.look();
    EXPECT_EQ(got.times, 1);
    EXPECT_EQ(got.error, aborted);
    EXPECT_EQ(got.at, 10s);
    EXPECT_EQ(s.clock.pending(), 0u);
}

INSTANTIATE_TEST_SUITE_P(AtEachPoint,
                         RetryCancellation,
                         ::testing::Combine(::testing::ValuesIn(drivers),
                                            ::testing::Values(cancellation_type::terminal,
                                                              cancellation_type::partial,
                                                              cancellation_type::total),
                                            ::testing::Bool()),
                         name_of);

TEST(RetryCancelled, LetsThroughWhatItsCallerLetsThrough) {
    for (const bool timed : {false, true}) {
        stage s;
        const auto op = s.scripted({step(refused, 10s)});
        const auto end = s.start(retry(policy_of(timed), op.awaitable()), caller());
        for (const auto t : {5s, 15s, 25s}) {
            s.clock.run_for(s.context, t - s.elapsed());
            s.signal.emit(cancellation_type::partial);
            s.signal.emit(cancellation_type::total);
        }
        s.clock.run(s.context);
        EXPECT_EQ(end->code(), refused);
        EXPECT_EQ(op.attempts(), 3u);
    }
}

/// Awaits a call after it has been cancelled itself.
template <typename T>
asio::awaitable<T> after_cancellation(stage& s, asio::awaitable<T> call) {
    detail::timed_wait wait(detail::timer_service::of(s.executor()));
    auto until = s.clock.now() + 1h;
    const auto r = co_await wait.until(until);
    EXPECT_EQ(r, detail::wait_result::cancelled);
    co_return co_await std::move(call);
}

TEST(RetryCancelled, BeforeTheStartMakesNoAttempt) {
    for (const bool timed : {false, true}) {
        stage s;
        const auto op = s.scripted({step(refused, 10s)});
        const auto silent = caller(caller::filter::every_type, caller::throwing::off);
        const auto thrown =
            s.start(after_cancellation(s, retry(policy_of(timed), op.awaitable())), silent);
        s.clock.run_for(s.context, 1s);
        s.signal.emit(cancellation_type::total);
        s.clock.run(s.context);
        ASSERT_TRUE(thrown->error());
        EXPECT_EQ(thrown->code(), aborted);
        EXPECT_EQ(thrown->error()->reason(), reason::cancelled);

        const auto result =
            s.start(after_cancellation(s, try_retry(policy_of(timed), op.awaitable())), silent);
        s.clock.run_for(s.context, 1s);
        s.signal.emit(cancellation_type::total);
        s.clock.run(s.context);
        ASSERT_TRUE(result->value);
        EXPECT_EQ(result->value->reason(), reason::cancelled);
        EXPECT_EQ(result->value->error(), aborted);
        EXPECT_EQ(result->value->report().attempts(), 0u);
        EXPECT_TRUE(result->value->report().history().empty());

        EXPECT_EQ(op.attempts(), 0u);
        EXPECT_EQ(s.clock.pending(), 0u);
    }
}

TEST(RetryCancelled, IsTheCallersDoingWhateverTheOperationMakesOfIt) {
    for (const bool timed : {false, true}) {
        stage s;
        const auto op = s.scripted({step({}, 10s)});
        int calls = 0;
        auto translating = [&]() -> asio::awaitable<void> {
            ++calls;
            bool failed = false;
            try {
                auto wait = op.awaitable()();
                co_await std::move(wait);
            } catch (const system_error&) {
                failed = true;
            }
            if (failed) throw system_error(reset_by_peer);
        };
        const auto end = s.start(try_retry(policy_of(timed), translating), caller());
        s.clock.run_for(s.context, 5s);
        s.signal.emit(cancellation_type::terminal);
        s.clock.run(s.context);
        ASSERT_TRUE(end->value);
        EXPECT_EQ(end->value->error(), aborted);
        EXPECT_EQ(end->value->reason(), reason::cancelled);
        EXPECT_EQ(end->value->report().history().back().kind, failure_kind::cancelled);
        EXPECT_EQ(calls, 1);
    }
}

TEST(RetryCancelled, AwaitsAnOperationThatIgnoresIt) {
    for (const bool timed : {false, true}) {
        for (const error_code ec : {error_code(), refused}) {
            stage s;
            detail::timed_wait wait(detail::timer_service::of(s.executor()));
            auto deaf = [&]() -> asio::awaitable<int> {
                // A timed attempt is a coroutine thread of its own, with settings of its own.
                co_await asio::this_coro::throw_if_cancelled(false);
                auto until = s.clock.now() + 10s;
                while (s.clock.now() < until) co_await wait.until(until);
                if (ec) throw system_error(ec);
                co_return 7;
            };
            const auto silent = caller(caller::filter::every_type, caller::throwing::off);
            const auto end = s.start(try_retry(policy_of(timed), deaf), silent);
            s.clock.run_for(s.context, 5s);
            s.signal.emit(cancellation_type::terminal);
            s.clock.run(s.context);
            ASSERT_EQ(end->times, 1);
            ASSERT_TRUE(end->value);
            EXPECT_EQ(s.when(end->at), 10s);
            EXPECT_EQ(end->value->ok(), !ec);
            if (ec) {
                EXPECT_EQ(end->value->reason(), reason::cancelled);
                EXPECT_EQ(end->value->error(), aborted);
            } else {
                EXPECT_EQ(end->value->value(), 7);
            }
        }
    }
}

TEST(RetryCancelled, StandsInAValueThatCarriesAnError) {
    for (const bool timed : {false, true}) {
        stage s;
        int calls = 0;
        auto op = [&calls]() -> asio::awaitable<std::tuple<error_code, int>> {
            co_return std::tuple(refused, ++calls);
        };
        const auto end = s.start(retry(policy_of(timed), op), caller());
        s.clock.run_for(s.context, 15s);
        s.signal.emit(cancellation_type::terminal);
        s.clock.run(s.context);
        ASSERT_TRUE(end->value);
        EXPECT_EQ(*end->value, std::tuple(aborted, 2));
    }
}

TEST(RetryCancelled, KeepsAValueJudgedAFailure) {
    stage s;
    auto op = operation([]() -> asio::awaitable<int> { co_return 503; }).classify_value([](int) {
        return failure_kind::server;
    });
    const auto kept = s.start(try_retry(every_ten_seconds(), op), caller());
    s.clock.run_for(s.context, 5s);
    s.signal.emit(cancellation_type::terminal);
    s.clock.run(s.context);
    ASSERT_TRUE(kept->value);
    EXPECT_EQ(kept->value->error(), aborted);
    EXPECT_EQ(kept->value->reason(), reason::cancelled);
    EXPECT_EQ(kept->value->value(), 503);

    const auto thrown = s.start(retry(every_ten_seconds(), op), caller());
    s.clock.run_for(s.context, 5s);
    s.signal.emit(cancellation_type::terminal);
    s.clock.run(s.context);
    EXPECT_EQ(thrown->code(), aborted);
}

TEST(RetryCancelled, LeavesAllTimeoutsArmedForNobody) {
    stage s;
    const auto policy = every_ten_seconds().attempt_timeout(1h);
    std::vector<std::unique_ptr<asio::cancellation_signal>> signals;
    int done = 0;
    for (int i = 0; i < 300; ++i) {
        auto& signal = *signals.emplace_back(std::make_unique<asio::cancellation_signal>());
        async_retry(s.executor(),
                    policy,
                    s.scripted({step(refused, std::chrono::seconds(i % 40))}),
                    asio::bind_cancellation_slot(signal.slot(), [&done](error_code ec) {
                        EXPECT_EQ(ec, aborted);
                        ++done;
                    }));
    }
    s.clock.run_for(s.context, 15s);
    for (auto& signal : signals) signal->emit(cancellation_type::partial);
    s.poll();
    EXPECT_EQ(done, 300);
    EXPECT_EQ(s.clock.pending(), 0u);
    EXPECT_EQ(s.elapsed(), 15s);
}

TEST(RetryCancelled, OfAnAsyncCallForgetsTheSlotWhenItEnds) {
    stage s;
    bool done = false;
    async_retry(s.executor(),
                every_ten_seconds(),
                s.scripted({step()}),
                asio::bind_cancellation_slot(s.signal.slot(), [&](error_code ec) {
                    EXPECT_FALSE(ec);
                    EXPECT_FALSE(s.signal.slot().has_handler());
                    done = true;
                }));
    EXPECT_TRUE(s.signal.slot().has_handler());
    s.clock.run(s.context);
    EXPECT_TRUE(done);
}

TEST(RetryCancelled, InTheHandlerOfAnotherCallsEnd) {
    stage s;
    error_code got;
    async_retry(s.executor(),
                every_ten_seconds().attempt_timeout(1h),
                s.scripted({step(refused, 10s)}),
                asio::bind_cancellation_slot(s.signal.slot(), [&got](error_code ec) { got = ec; }));
    async_retry(s.executor(), every_ten_seconds(), s.scripted({step({}, 10s)}), [&s](error_code) {
        s.signal.emit(cancellation_type::terminal);
    });
    s.clock.run(s.context);
    EXPECT_EQ(got, aborted);
    EXPECT_EQ(s.elapsed(), 10s);
}

}  // namespace
}  // namespace asio_retry
