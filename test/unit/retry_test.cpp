// retry() and try_retry(): what they call, what they answer, what they report.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/retry.hpp>

#include <boost/system/system_error.hpp>

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;
using boost::system::system_error;

class no_default {
public:
    explicit no_default(int n) : number(n) {}
    int number;
};

/// Fails with the error until attempt `good`, then gives the number of the attempt.
class until_attempt {
public:
    explicit until_attempt(unsigned good, error_code ec = refused) : error_(ec), good_(good) {}

    asio::awaitable<int> operator()(attempt a) const {
        if (a.number() < good_) throw system_error(error_);
        co_return static_cast<int>(a.number());
    }

private:
    error_code error_;
    unsigned good_;
};

TEST(Retry, AnswersTheValueOfTheFirstAttempt) {
    stage s;
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), until_attempt(1))), 1);
    EXPECT_EQ(s.elapsed(), 0s);
}

TEST(Retry, AnswersTheValueOfALaterAttempt) {
    stage s;
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), until_attempt(3))), 3);
    EXPECT_EQ(s.elapsed(), 20s);
}

TEST(Retry, RepeatsAnOperationWithoutValue) {
    stage s;
    const auto op = s.scripted({step(refused, 1s), step(reset_by_peer, 2s), step({}, 3s)});
    const auto end = s.run(retry(every_ten_seconds(), op.awaitable()));
    EXPECT_TRUE(end.value);
    EXPECT_EQ(op.attempts(), 3u);
    EXPECT_EQ(s.when(end.at), 26s);
}

TEST(Retry, AnswersMoveOnlyValues) {
    stage s;
    int calls = 0;
    auto make = [&calls]() -> asio::awaitable<std::unique_ptr<int>> {
        if (++calls < 2) throw system_error(refused);
        co_return std::make_unique<int>(7);
    };
    EXPECT_EQ(*s.value_of(retry(every_ten_seconds(), make)), 7);
    calls = 0;
    auto result = s.value_of(try_retry(every_ten_seconds(), make));
    ASSERT_TRUE(result.ok());
    const std::unique_ptr<int> value = std::move(result).value();
    EXPECT_EQ(*value, 7);
}

TEST(Retry, AnswersValuesWithoutDefault) {
    stage s;
    int calls = 0;
    auto make = [&calls]() -> asio::awaitable<no_default> {
        if (++calls < 2) throw system_error(refused);
        co_return no_default(7);
    };
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), make)).number, 7);
    calls = 0;
    EXPECT_EQ(s.value_of(try_retry(every_ten_seconds(), make)).value().number, 7);
}

TEST(Retry, RunsOnAConcreteExecutor) {
    using executor = asio::io_context::executor_type;
    stage s;
    int calls = 0;
    auto make = [&calls]() -> asio::awaitable<int, executor> {
        if (++calls < 3) throw system_error(refused);
        co_return calls;
    };
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), make)), 3);
    const auto result =
        s.value_of(try_retry(retry_policy(every_ten_seconds()).attempt_timeout(1s), make));
    EXPECT_EQ(result.value(), 4);
    EXPECT_EQ(s.elapsed(), 20s);
}

TEST(Retry, KeepsTheArgumentsAndPassesThemAsLvalues) {
    stage s;
    auto append = [](std::string& text, std::unique_ptr<int>& n) -> asio::awaitable<std::string> {
        text += 'x';
        if (++*n < 3) throw system_error(refused);
        co_return text;
    };
    std::string mine = "a";
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), append, mine, std::make_unique<int>(0))),
              "axxx");
    EXPECT_EQ(mine, "a");
}

TEST(Retry, CallsMemberFunctions) {
    class client {
    public:
        asio::awaitable<int> ping(int n) {
            if (++calls < 2) throw system_error(refused);
            co_return n + calls;
        }
        int calls = 0;
    };
    stage s;
    client c;
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), &client::ping, &c, 40)), 42);
}

TEST(Retry, TellsTheOperationOfItsAttempt) {
    stage s;
    std::vector<unsigned> numbers;
    std::vector<std::chrono::nanoseconds> left;
    auto look = [&](const attempt& a, int n) -> asio::awaitable<void> {
        numbers.push_back(a.number());
        left.push_back(a.deadline() - s.clock.now());
        if (static_cast<int>(a.number()) < n) throw system_error(refused);
        co_return;
    };
    EXPECT_TRUE(s.run(retry(retry_policy(every_ten_seconds()).attempt_timeout(4s), look, 3)).value);
    EXPECT_EQ(numbers, (std::vector<unsigned>{1, 2, 3}));
    EXPECT_EQ(left, (std::vector<std::chrono::nanoseconds>{4s, 4s, 4s}));

    steady_time deadline{};
    auto unbounded = [&](const attempt& a) -> asio::awaitable<void> {
        deadline = a.deadline();
        co_return;
    };
    EXPECT_TRUE(s.run(retry(every_ten_seconds(), unbounded)).value);
    EXPECT_EQ(deadline, steady_time::max());
}

TEST(Retry, ClassifiesErrorsThatStandInTheValue) {
    stage s;
    int calls = 0;
    auto code = [&calls](int good) -> asio::awaitable<error_code> {
        ++calls;
        co_return calls < good ? refused : error_code();
    };
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), code, 2)), error_code());
    EXPECT_EQ(calls, 2);

    calls = 0;
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), code, 9)), refused);
    EXPECT_EQ(calls, 3);

    calls = 0;
    const auto result = s.value_of(try_retry(every_ten_seconds(), code, 9));
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(result.error(), refused);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(*result, refused);
    EXPECT_EQ(result.report().history().at(1).kind, failure_kind::connect);
}

TEST(Retry, ClassifiesTheErrorInFrontOfATuple) {
    using answer = std::tuple<error_code, std::unique_ptr<int>>;
    stage s;
    int calls = 0;
    auto read = [&calls](error_code ec) -> asio::awaitable<answer> {
        ++calls;
        if (calls < 3) co_return answer(ec, nullptr);
        co_return answer(error_code(), std::make_unique<int>(7));
    };
    const auto got = s.value_of(retry(every_ten_seconds(), read, refused));
    EXPECT_EQ(std::get<0>(got), error_code());
    EXPECT_EQ(*std::get<1>(got), 7);

    calls = 0;
    const auto lost = s.value_of(retry(every_ten_seconds(), read, denied));
    EXPECT_EQ(std::get<0>(lost), denied);
    EXPECT_EQ(calls, 1);
}

TEST(Retry, ThrowsTheLastErrorWithTheReport) {
    stage s;
    const auto op = s.scripted({step(refused), step(reset_by_peer)});
    const auto end = s.run(retry(retry_policy(every_ten_seconds()).name("ping"), op.awaitable()));
    const auto error = end.error();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), reset_by_peer);
    EXPECT_EQ(error->reason(), reason::attempts_exhausted);
    EXPECT_EQ(error->report().attempts(), 3u);
    EXPECT_EQ(error->report().last_error(), reset_by_peer);
    EXPECT_STREQ(error->what(),
                 "ping: Connection reset by peer after 3 attempts in 20.0 s (attempts_exhausted)");
    ASSERT_TRUE(error->cause());
    EXPECT_THROW(std::rethrow_exception(error->cause()), system_error);
}

TEST(Retry, TakesStdSystemErrorsByTheirCode) {
    stage s;
    int calls = 0;
    auto op = [&calls]() -> asio::awaitable<void> {
        if (++calls < 3) {
            throw std::system_error(std::make_error_code(std::errc::connection_refused));
        }
        throw std::system_error(std::make_error_code(std::errc::permission_denied), "opening");
        co_return;
    };
    const auto error = s.run(retry(every_ten_seconds(), op)).error();
    ASSERT_TRUE(error);
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(error->code(), std::errc::permission_denied);
    EXPECT_EQ(error->reason(), reason::permanent_failure);
    EXPECT_THROW(std::rethrow_exception(error->cause()), std::system_error);
}

TEST(Retry, KeepsAnExceptionThatHasNoCodeAndDoesNotRepeatIt) {
    stage s;
    int calls = 0;
    auto op = [&calls]() -> asio::awaitable<int> {
        ++calls;
        throw std::out_of_range("row 12");
        co_return 1;
    };
    const auto error = s.run(retry(every_ten_seconds(), op)).error();
    ASSERT_TRUE(error);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(error->code(), error::operation_threw);
    EXPECT_EQ(error->reason(), reason::permanent_failure);
    try {
        std::rethrow_exception(error->cause());
    } catch (const std::out_of_range& e) {
        EXPECT_STREQ(e.what(), "row 12");
    }
    const auto result = s.value_of(try_retry(every_ten_seconds(), op));
    EXPECT_EQ(result.error(), error::operation_threw);
    EXPECT_THROW(std::rethrow_exception(result.cause()), std::out_of_range);
}

TEST(Retry, TakesAnExceptionThrownBeforeThereIsAnAwaitable) {
    stage s;
    int calls = 0;
    auto op = [&calls](int n) -> asio::awaitable<int> {
        if (++calls < 2) throw system_error(refused);
        return [](int m) -> asio::awaitable<int> { co_return m; }(n);
    };
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), op, 5)), 5);
    calls = 0;
    auto timed = every_ten_seconds().attempt_timeout(1s);
    EXPECT_EQ(s.value_of(retry(timed, op, 5)), 5);
}

TEST(Retry, RepeatsValuesThatTheJudgementCallsFailures) {
    stage s;
    int calls = 0;
    auto status = [&calls](int last) -> asio::awaitable<int> {
        co_return ++calls < 3 ? 503 : last;
    };
    auto fetch = operation(status).classify_value(
        [](int code) { return code == 200 ? verdict::success() : verdict(failure_kind::server); });
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), fetch, 200)), 200);
    EXPECT_EQ(s.elapsed(), 20s);

    calls = 0;
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), fetch, 500)), 500);

    calls = 0;
    const auto result = s.value_of(try_retry(every_ten_seconds(), fetch, 500));
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(result.reason(), reason::attempts_exhausted);
    ASSERT_TRUE(result.has_value());
    EXPECT_EQ(result.value(), 500);
    EXPECT_EQ(result.error(), error_code());
    EXPECT_EQ(result.report().history().at(2).kind, failure_kind::server);
    EXPECT_EQ(result.report().history().at(2).error, error_code());
}

TEST(Retry, NeverRepeatsAValueJudgedPermanent) {
    stage s;
    int calls = 0;
    auto op = operation([&calls]() -> asio::awaitable<int> {
                  co_return ++calls;
              }).classify_value([](int) { return failure_kind::permanent; });
    const auto result = s.value_of(try_retry(every_ten_seconds(), op));
    EXPECT_EQ(result.reason(), reason::permanent_failure);
    EXPECT_EQ(*result, 1);
}

TEST(Retry, WaitsAsLongAsTheVerdictAsks) {
    stage s;
    auto op = operation([](attempt a) -> asio::awaitable<unsigned> {
                  co_return a.number();
              }).classify_value([](unsigned n) {
        return n == 1   ? verdict(failure_kind::throttling).retry_after(25s)
               : n == 2 ? verdict(failure_kind::throttling).retry_after(3s)
                        : verdict::success();
    });
    const auto result = s.value_of(try_retry(every_ten_seconds(), op));
    ASSERT_TRUE(result.ok());
    const auto& history = result.report().history();
    EXPECT_EQ(history.at(0).delay, 25s);
    EXPECT_EQ(history.at(0).source, delay_source::retry_after);
    EXPECT_EQ(history.at(1).delay, 10s);
    EXPECT_EQ(history.at(1).source, delay_source::backoff);
    EXPECT_EQ(s.elapsed(), 35s);
}

TEST(Retry, RepeatsAStaleConnectionAtOnceAndUncounted) {
    stage s;
    int calls = 0;
    auto op = operation([&calls]() -> asio::awaitable<int> {
                  co_return ++calls;
              }).classify_value([](int n) {
        return n < 3 ? verdict(failure_kind::connection_lost).stale_connection()
                     : verdict::success();
    });
    const auto result = s.value_of(try_retry(every_ten_seconds(), op));
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result.report().attempts(), 2u);
    const auto& history = result.report().history();
    ASSERT_EQ(history.size(), 3u);
    EXPECT_EQ(history[0].number, 1u);
    EXPECT_EQ(history[0].source, delay_source::stale_connection);
    EXPECT_EQ(history[1].number, 1u);
    EXPECT_EQ(history[1].delay, 10s);
    EXPECT_EQ(history[2].number, 2u);
    EXPECT_EQ(s.elapsed(), 10s);
}

TEST(Retry, ResetsBetweenAttemptsOnly) {
    stage s;
    std::string order;
    auto op = operation([&order](attempt a) -> asio::awaitable<void> {
                  order += 'a';
                  if (a.number() < 3) throw system_error(refused);
                  co_return;
              }).reset([&order] { order += 'r'; });
    EXPECT_TRUE(s.run(retry(every_ten_seconds(), op)).value);
    EXPECT_EQ(order, "arara");

    order.clear();
    EXPECT_EQ(s.run(retry(retry_policy(every_ten_seconds()).max_attempts(2), op)).code(), refused);
    EXPECT_EQ(order, "ara");

    order.clear();
    auto timed = every_ten_seconds().attempt_timeout(1s).backoff(backoff::none());
    EXPECT_TRUE(s.run(retry(timed, op)).value);
    EXPECT_EQ(order, "arara");
}

TEST(Retry, TakesAnOperationWithJudgementAndReset) {
    stage s;
    int resets = 0;
    auto op = operation(until_attempt(1))
                  .classify_value([](int n) {
                      return n < 2 ? verdict(failure_kind::server) : verdict::success();
                  })
                  .reset([&resets] { ++resets; });
    EXPECT_EQ(s.value_of(retry(every_ten_seconds(), op)), 2);
    EXPECT_EQ(resets, 1);
}

TEST(Retry, ReportsEachAttemptInSuccess) {
    stage s;
    const auto op = s.scripted({step(refused, 1s), step(reset_by_peer, 2s), step({}, 3s)});
    const auto result = s.value_of(try_retry(every_ten_seconds(), op.awaitable()));
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result.error(), error_code());
    const retry_report& report = result.report();
    EXPECT_EQ(report.reason(), reason::success);
    EXPECT_EQ(report.attempts(), 3u);
    EXPECT_EQ(report.elapsed(), 26s);
    EXPECT_EQ(report.last_error(), reset_by_peer);
    EXPECT_EQ(report.forgotten(), 0u);

    class row {
    public:
        std::chrono::seconds started, elapsed, delay;
        std::optional<failure_kind> kind;
        error_code error;
        delay_source source;
    };
    const std::vector<row> expected{
        {0s, 1s, 10s, failure_kind::connect, refused, delay_source::backoff},
        {11s, 2s, 10s, failure_kind::connection_lost, reset_by_peer, delay_source::backoff},
        {23s, 3s, 0s, std::nullopt, {}, delay_source::none}};
    ASSERT_EQ(report.history().size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        SCOPED_TRACE(i + 1);
        const attempt_record& r = report.history()[i];
        EXPECT_EQ(r.number, i + 1);
        EXPECT_EQ(r.started, expected[i].started);
        EXPECT_EQ(r.elapsed, expected[i].elapsed);
        EXPECT_EQ(r.delay, expected[i].delay);
        EXPECT_EQ(r.kind, expected[i].kind);
        EXPECT_EQ(r.error, expected[i].error);
        EXPECT_EQ(r.source, expected[i].source);
        EXPECT_EQ(r.status, 0);
        EXPECT_EQ(r.sent, send_state::none);
        EXPECT_FALSE(r.reused);
    }
}

TEST(Retry, ReportsASuccessAtOnce) {
    stage s;
    const auto result = s.value_of(try_retry(every_ten_seconds(), until_attempt(1)));
    ASSERT_EQ(result.report().history().size(), 1u);
    EXPECT_EQ(result.report().history().front().number, 1u);
    EXPECT_EQ(result.report().last_error(), error_code());
    EXPECT_EQ(result.report().attempts(), 1u);
}

TEST(Retry, RemembersTheLatestAttemptsOnly) {
    stage s;
    const auto op = s.scripted({step(refused)});
    auto policy = every_ten_seconds().max_attempts(10).max_history(3);
    const auto result = s.value_of(try_retry(policy, op.awaitable()));
    EXPECT_EQ(result.report().attempts(), 10u);
    EXPECT_EQ(result.report().forgotten(), 7u);
    ASSERT_EQ(result.report().history().size(), 3u);
    EXPECT_EQ(result.report().history().front().number, 8u);
    EXPECT_EQ(result.report().history().back().number, 10u);
}

TEST(Retry, EndsForOneReason) {
    class row {
    public:
        const char* name;
        retry_policy policy;
        verdict judged;
        reason why;
        std::size_t attempts;
    };
    const auto plain = every_ten_seconds();
    const verdict throttled = failure_kind::throttling;
    const std::vector<row> rows{
        {"no failure", plain, verdict::success(), reason::success, 1},
        {"permanent", plain, failure_kind::permanent, reason::permanent_failure, 1},
        {"attempts", plain, failure_kind::server, reason::attempts_exhausted, 3},
        {"one attempt", retry_policy::never(), failure_kind::server, reason::attempts_exhausted, 1},
        {"delay past the deadline",
         retry_policy(plain).total_timeout(15s),
         failure_kind::server,
         reason::deadline_exceeded,
         2},
        {"delay up to the deadline",
         retry_policy(plain).total_timeout(10s),
         failure_kind::server,
         reason::deadline_exceeded,
         1},
        {"asked too long",
         plain,
         verdict(throttled).retry_after(31s),
         reason::retry_after_too_long,
         1},
        {"asked past the deadline",
         retry_policy(plain).total_timeout(20s),
         verdict(throttled).retry_after(20s),
         reason::retry_after_too_long,
         1},
        {"veto",
         plain,
         verdict(failure_kind::server).forbid_retry(reason::not_idempotent),
         reason::not_idempotent,
         1},
        {"veto of a body",
         plain,
         verdict(failure_kind::server).forbid_retry(reason::body_not_replayable),
         reason::body_not_replayable,
         1},
        {"kind's own limit",
         retry_policy(plain).on(failure_kind::server, kind_limits().max_attempts(5)),
         failure_kind::server,
         reason::attempts_exhausted,
         5},
    };
    for (const row& r : rows) {
        SCOPED_TRACE(r.name);
        stage s;
        std::size_t calls = 0;
        auto op = operation([&calls]() -> asio::awaitable<int> {
                      ++calls;
                      co_return 1;
                  }).classify_value([&r](int) { return r.judged; });
        const auto result = s.value_of(try_retry(r.policy, op));
        EXPECT_EQ(to_string(result.reason()), to_string(r.why));
        EXPECT_EQ(result.ok(), r.why == reason::success);
        EXPECT_EQ(calls, r.attempts);
        EXPECT_EQ(s.clock.pending(), 0u);
        EXPECT_EQ(s.elapsed(), 10s * (r.attempts - 1));
    }
}

TEST(Retry, LimitsEachKindOnItsOwn) {
    stage s;
    const auto slow = backoff::constant(5s).jitter(jitter::none);
    auto policy = every_ten_seconds().max_attempts(4).on(
        failure_kind::timeout, kind_limits().max_attempts(2).backoff(slow));
    const auto op = s.scripted({step(timed_out), step(refused), step(timed_out)});
    const auto result = s.value_of(try_retry(policy, op.awaitable()));
    EXPECT_EQ(op.attempts(), 3u);
    EXPECT_EQ(result.reason(), reason::attempts_exhausted);
    EXPECT_EQ(result.report().history().at(0).delay, 5s);
    EXPECT_EQ(result.report().history().at(1).delay, 10s);
}

TEST(Retry, AsksThePolicysClassifierFirst) {
    stage s;
    auto policy =
        every_ten_seconds().classifier([](const error_code& ec) -> std::optional<verdict> {
            if (ec == denied) return failure_kind::server;
            return std::nullopt;
        });
    const auto op = s.scripted({step(denied), step(refused), step()});
    const auto result = s.value_of(try_retry(policy, op.awaitable()));
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.report().history().at(0).kind, failure_kind::server);
    EXPECT_EQ(result.report().history().at(1).kind, failure_kind::connect);
}

TEST(Retry, TakesAnAbortNobodyAskedForAsPermanent) {
    stage s;
    const auto op = s.scripted({step(aborted)});
    const auto result = s.value_of(try_retry(every_ten_seconds(), op.awaitable()));
    EXPECT_EQ(result.reason(), reason::permanent_failure);
    EXPECT_EQ(result.error(), aborted);
    EXPECT_EQ(op.attempts(), 1u);
}

TEST(Retry, NeverTouchesATimerForZeroDelay) {
    stage s;
    std::size_t most = 0;
    auto op = [&](attempt a) -> asio::awaitable<int> {
        most = std::max(most, s.clock.pending());
        if (a.number() < 50) throw system_error(refused);
        co_return 1;
    };
    const auto policy = retry_policy().max_attempts(50).backoff(backoff::none());
    const auto end = s.start(retry(policy, op));
    s.poll();
    EXPECT_EQ(end->times, 1);
    EXPECT_TRUE(end->value);
    EXPECT_EQ(most, 0u);
    EXPECT_EQ(s.elapsed(), 0s);
}

TEST(Retry, JittersBetweenZeroAndTheDelay) {
    stage s;
    s.clock.seed(1);
    const auto op = s.scripted({step(refused)});
    auto policy =
        retry_policy().max_attempts(2000).max_history(2000).backoff(backoff::constant(10s));
    const auto result = s.value_of(try_retry(policy, op.awaitable()));
    double sum = 0;
    for (const auto& r : result.report().history()) {
        EXPECT_GE(r.delay, 0s);
        EXPECT_LE(r.delay, 10s);
        sum += std::chrono::duration<double>(r.delay).count();
    }
    EXPECT_NEAR(sum / 1999, 5.0, 0.3);

    s.clock.seed(1);
    const auto again = s.value_of(try_retry(policy, s.scripted({step(refused)}).awaitable()));
    EXPECT_EQ(again.report().elapsed(), result.report().elapsed());
}

TEST(Retry, DrawsFromThePolicysGenerator) {
    stage s;
    const auto op = s.scripted({step(refused)});
    const auto policy = retry_policy().max_attempts(2).backoff(backoff::constant(10s)).random([] {
        return std::uint64_t{1} << 63;
    });
    const auto result = s.value_of(try_retry(policy, op.awaitable()));
    EXPECT_EQ(std::chrono::round<std::chrono::microseconds>(result.report().elapsed()), 5s);
}

TEST(Retry, ThousandsOfCallsWaitAtOnce) {
    stage s;
    std::vector<std::shared_ptr<ending<int>>> ends;
    for (unsigned i = 0; i < 3000; ++i) {
        ends.push_back(s.start(retry(every_ten_seconds(), until_attempt(1 + i % 3))));
    }
    s.poll();
    EXPECT_EQ(s.clock.pending(), 2000u);
    s.clock.run(s.context);
    for (unsigned i = 0; i < 3000; ++i) {
        ASSERT_EQ(ends[i]->value, static_cast<int>(1 + i % 3));
        ASSERT_EQ(s.when(ends[i]->at), 10s * (i % 3));
    }
}

TEST(Retry, NestsInsideAnotherCall) {
    stage s;
    const auto op = s.scripted({step(refused, 1s)});
    auto inner = [&op]() -> asio::awaitable<void> {
        return retry(every_ten_seconds().max_attempts(2), op.awaitable());
    };
    const auto end = s.run(retry(every_ten_seconds().attempt_timeout(1min), inner));
    ASSERT_TRUE(end.error());
    EXPECT_EQ(end.code(), refused);
    EXPECT_EQ(end.error()->report().attempts(), 3u);
    EXPECT_EQ(op.attempts(), 6u);
    EXPECT_EQ(s.elapsed(), 6 * 1s + 5 * 10s);
    ASSERT_TRUE(end.error()->cause());
    EXPECT_THROW(std::rethrow_exception(end.error()->cause()), retry_error);
}

TEST(Retry, LeavesTheRetriesToTheOuterCallWhereToldSo) {
    stage s;
    const auto op = s.scripted({step(refused, 1s)});
    std::vector<std::size_t> attempts_within;
    auto inner = [&](attempt outer) -> asio::awaitable<void> {
        const auto before = op.attempts();
        const auto policy = every_ten_seconds().nested_in(outer);
        const auto result = co_await try_retry(policy, op.awaitable());
        attempts_within.push_back(op.attempts() - before);
        if (!result) throw system_error(result.error());
    };
    const auto end = s.run(retry(every_ten_seconds(), inner));
    EXPECT_EQ(end.code(), refused);
    EXPECT_EQ(attempts_within, (std::vector<std::size_t>{1, 1, 3}));
}

TEST(Retry, AnswersAFailedCallWithoutThrowing) {
    stage s;
    const auto op = s.scripted({step(refused)});
    auto result = s.value_of(try_retry(every_ten_seconds().name("ping"), op.awaitable()));
    EXPECT_FALSE(result);
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(result.error(), refused);
    EXPECT_THROW(result.value(), retry_error);
    EXPECT_EQ(result.report().summary(),
              "Connection refused after 3 attempts in 20.0 s (attempts_exhausted)");
}

/// Runs the context on another thread; false if it does not return by itself.
bool returns(asio::io_context& context) {
    auto run = std::async(std::launch::async, [&context] { context.run(); });
    const bool ready = run.wait_for(30s) == std::future_status::ready;
    context.stop();
    return ready;
}

TEST(Retry, ContextRunsOutOfWorkWithTheLastCallWhateverTheTimeouts) {
    asio::io_context context;
    const auto policy =
        retry_policy().attempt_timeout(1h).total_timeout(2h).backoff(backoff::constant(1us));
    for (int round = 0; round < 3; ++round) {
        SCOPED_TRACE(round);
        int done = 0;
        context.restart();
        for (int i = 0; i < 10; ++i) {
            asio::co_spawn(context,
                           retry(policy, until_attempt(3)),
                           [&done](const std::exception_ptr&, int n) { done += n; });
        }
        EXPECT_TRUE(returns(context));
        EXPECT_EQ(done, 30);
    }
}

TEST(Retry, ContextWaitsForARealBackoff) {
    asio::io_context context;
    int value = 0;
    const auto started = std::chrono::steady_clock::now();
    const auto policy = retry_policy().backoff(backoff::constant(3ms).jitter(jitter::none));
    asio::co_spawn(context,
                   retry(policy, until_attempt(3)),
                   [&value](const std::exception_ptr&, int n) { value = n; });
    EXPECT_TRUE(returns(context));
    EXPECT_EQ(value, 3);
    EXPECT_GE(std::chrono::steady_clock::now() - started, 6ms);
}

}  // namespace
}  // namespace asio_retry
