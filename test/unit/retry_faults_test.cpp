// What a user's functions throw, or cancel from within, ends the call as the documentation says.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/async_retry.hpp>
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/hedge.hpp>
#include <asio_retry/observer.hpp>
#include <asio_retry/retry.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio_retry {
namespace {

using namespace test;
using boost::system::system_error;

/// Throws while it is initiated, the first `failures` times; then completes.
class throwing_operation {
public:
    throwing_operation(asio::any_io_executor ex, int failures, std::function<void()> fault)
        : then_(std::move(ex)), left_(std::make_shared<int>(failures)), fault_(std::move(fault)) {}

    template <typename Token>
    auto operator()(Token&& token) const {
        return asio::async_initiate<Token, void(error_code)>(
            [left = left_, fault = fault_, then = then_](auto handler) {
                if ((*left)-- > 0) fault();
                then(std::move(handler));
            },
            token);
    }

private:
    posted_operation then_;
    std::shared_ptr<int> left_;
    std::function<void()> fault_;
};

void no_descriptors() { throw system_error(asio::error::no_descriptors, "open"); }
void no_room() { throw std::length_error("no room"); }

TEST(AsyncRetry, TakesWhatTheInitiationThrowsForTheAttemptsError) {
    for (const bool timed : {false, true}) {
        for (const int failures : {1, 2, 3}) {
            stage s;
            auto policy = every_ten_seconds();
            if (timed) policy.attempt_timeout(1s);
            std::optional<error_code> got;
            async_retry(
                s.executor(),
                policy,
                throwing_operation(s.executor(), failures, no_descriptors),
                asio::bind_cancellation_slot(s.signal.slot(), [&got](error_code ec) { got = ec; }));
            EXPECT_FALSE(got);
            s.clock.run(s.context);
            ASSERT_TRUE(got);
            EXPECT_EQ(*got, failures < 3 ? error_code() : asio::error::no_descriptors);
            EXPECT_EQ(s.elapsed(), 10s * std::min(failures, 2));
            EXPECT_EQ(s.clock.pending(), 0U);
            s.signal.emit(asio::cancellation_type::terminal);
        }
    }
}

TEST(AsyncRetry, DoesNotRepeatWhatTheInitiationThrowsWithoutACode) {
    stage s;
    std::optional<retry_result<void>> got;
    async_try_retry(s.executor(),
                    every_ten_seconds(),
                    throwing_operation(s.executor(), 9, no_room),
                    [&got](retry_result<void> r) { got = std::move(r); });
    s.clock.run(s.context);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->error(), error::operation_threw);
    EXPECT_EQ(got->report().attempts(), 1U);
}

TEST(AsyncRetry, IsAwaitedAlsoWhereALaterInitiationThrows) {
    stage s;
    const throwing_operation op(s.executor(), 9, no_descriptors);
    auto whole = [&](asio::any_io_executor ex) -> asio::awaitable<void> {
        auto pending = async_retry(ex, every_ten_seconds(), op, asio::use_awaitable);
        co_await std::move(pending);
    };
    const auto end = s.run(whole(s.executor()));
    EXPECT_EQ(end.times, 1);
    EXPECT_EQ(end.code(), asio::error::no_descriptors);
}

TEST(AsyncRetry, EndsWithAnOperationThatDropsItsHandler) {
    stage s;
    const auto owned = std::make_shared<int>();
    auto op = [](auto&& token) {
        return asio::async_initiate<decltype(token), void(error_code)>([](auto&&) {}, token);
    };
    for (const auto& policy : {every_ten_seconds(), every_ten_seconds().attempt_timeout(1s)}) {
        async_retry(s.executor(),
                    policy,
                    op,
                    asio::bind_cancellation_slot(
                        s.signal.slot(), [owned](error_code) { ADD_FAILURE() << "completed"; }));
        EXPECT_EQ(owned.use_count(), 1);
        s.clock.run(s.context);
        s.signal.emit(asio::cancellation_type::terminal);
        EXPECT_EQ(s.clock.pending(), 0U);
    }
}

/// Cancels when it has heard of an event so many times.
class canceller final : public observer {
public:
    enum class event { started, finished, scheduled };

    canceller(asio::cancellation_signal& s, event e) : signal_(s), event_(e) {}

    void attempt_started(std::string_view, const attempt&) noexcept override {
        hear(event::started);
    }
    void attempt_finished(std::string_view, const attempt_record&) noexcept override {
        hear(event::finished);
    }
    void retry_scheduled(std::string_view, const attempt_record&) noexcept override {
        hear(event::scheduled);
    }
    void gave_up(std::string_view, const retry_report& r) noexcept override {
        ++ends;
        why = r.reason();
    }

    int ends = 0;
    reason why = reason::success;

private:
    void hear(event e) {
        if (e == event_) signal_.emit(asio::cancellation_type::terminal);
    }

    asio::cancellation_signal& signal_;
    event event_;
};

/// Suspended once before: Asio throws where a coroutine is cancelled that never was.
template <typename Executor, typename Function>
asio::awaitable<retry_result<void>, Executor> in_a_moment(retry_policy policy, Function f) {
    co_await asio::post(asio::use_awaitable_t<Executor>());
    auto pending = try_retry(policy, f);
    co_return co_await std::move(pending);
}

class CancelledByAHook : public ::testing::TestWithParam<std::tuple<canceller::event, bool>> {};

TEST_P(CancelledByAHook, EndsTheCallAtOnce) {
    const auto [when, timed] = GetParam();
    for (const bool composed : {false, true}) {
        stage s;
        const auto hook = std::make_shared<canceller>(s.signal, when);
        auto policy = every_ten_seconds();
        policy.observer(hook);
        if (timed) policy.attempt_timeout(1h);
        auto op = s.scripted({step(refused, 1min)});
        auto awaitable = op.awaitable();
        std::optional<error_code> got;
        std::shared_ptr<ending<retry_result<void>>> end;
        if (composed) {
            async_retry(
                s.executor(),
                policy,
                op,
                asio::bind_cancellation_slot(s.signal.slot(), [&got](error_code ec) { got = ec; }));
        } else {
            end = s.start(in_a_moment<asio::any_io_executor>(policy, awaitable), caller());
        }
        s.clock.run(s.context);
        if (!composed) {
            ASSERT_TRUE(end->value) << "it threw";
            got = end->value->error();
        }
        EXPECT_EQ(got, error_code(aborted));
        EXPECT_EQ(hook->ends, 1);
        EXPECT_EQ(hook->why, reason::cancelled);
        EXPECT_LE(s.elapsed(), when == canceller::event::started ? 0s : 60s);
        EXPECT_LE(op.attempts(), 1U);
    }
}

INSTANTIATE_TEST_SUITE_P(Events,
                         CancelledByAHook,
                         ::testing::Combine(::testing::Values(canceller::event::started,
                                                              canceller::event::finished,
                                                              canceller::event::scheduled),
                                            ::testing::Bool()));

TEST(RetryCancelled, ByTheOperationBeforeItWaits) {
    for (const bool timed : {false, true}) {
        stage s;
        auto policy = every_ten_seconds();
        if (timed) policy.attempt_timeout(1h);
        auto op = s.scripted({step({}, 1min)});
        using executor = asio::io_context::executor_type;
        auto f = [&]() -> asio::awaitable<void, executor> {
            s.signal.emit(asio::cancellation_type::terminal);
            auto pending = op(asio::use_awaitable_t<executor>());
            co_await std::move(pending);
        };
        const auto end = s.start(in_a_moment<executor>(policy, f), caller());
        s.clock.run(s.context);
        ASSERT_TRUE(end->value);
        EXPECT_EQ(end->value->reason(), reason::cancelled);
        EXPECT_EQ(s.elapsed(), 0s);
    }
}

TEST(Retry, TakesAnExceptionWhoseCodeIsZeroForAnError) {
    stage s;
    auto f = []() -> asio::awaitable<int> {
        throw system_error(error_code());
        co_return 1;
    };
    const auto judged = s.run(retry(
        every_ten_seconds(), operation(f).classify_value([](int) { return verdict::success(); })));
    ASSERT_TRUE(judged.error());
    EXPECT_EQ(judged.error()->code(), error::operation_threw);
    EXPECT_EQ(judged.error()->report().reason(), reason::permanent_failure);
}

TEST(Retry, AnswersWhereTheClassifierCallsAnErrorASuccess) {
    auto policy = every_ten_seconds();
    policy.classifier([](const error_code& ec) -> std::optional<verdict> {
        if (ec == asio::error::eof) return verdict::success();
        return std::nullopt;
    });
    stage s;
    auto nothing = [&]() -> asio::awaitable<void> {
        throw system_error(asio::error::eof);
        co_return;
    };
    EXPECT_FALSE(s.run(retry(policy, nothing)).exception);
    const auto r = s.value_of(try_retry(policy, nothing));
    EXPECT_TRUE(r.ok());
    EXPECT_TRUE(r.has_value());
    // Where there is no value to answer it stays an error.
    auto number = [&]() -> asio::awaitable<int> {
        throw system_error(asio::error::eof);
        co_return 1;
    };
    const auto failed = s.value_of(try_retry(policy, number));
    EXPECT_EQ(failed.error(), asio::error::eof);
    EXPECT_EQ(failed.reason(), reason::permanent_failure);
}

TEST(Retry, FailsWithWhatTheJudgementThrows) {
    auto judge = [](int) -> verdict { throw std::out_of_range("stoi"); };
    stage s;
    auto f = []() -> asio::awaitable<int> { co_return 1; };
    const auto r = s.value_of(try_retry(every_ten_seconds(), operation(f).classify_value(judge)));
    EXPECT_EQ(r.error(), error::operation_threw);
    EXPECT_THROW(std::rethrow_exception(r.cause()), std::out_of_range);

    auto op = [&s](auto&& token) {
        return asio::async_initiate<decltype(token), void(error_code, int)>(
            [&s](auto handler) {
                asio::post(s.context,
                           [h = std::move(handler)]() mutable { std::move(h)(error_code(), 1); });
            },
            token);
    };
    std::optional<error_code> got;
    async_retry(s.executor(),
                every_ten_seconds(),
                operation(op).classify_value(judge),
                [&got](error_code ec, int) { got = ec; });
    s.clock.run(s.context);
    EXPECT_EQ(got, error_code(error::operation_threw));
}

TEST(Hedge, FailsWithWhatTheJudgementThrows) {
    stage s;
    auto op = s.scripted({step({}, 12ms), step({}, 1s)});
    auto f = [&op](std::string&) -> asio::awaitable<int> {
        auto pending = op(asio::use_awaitable);
        co_await std::move(pending);
        co_return 1;
    };
    auto judged = operation(f).classify_value([](int) -> verdict { throw std::out_of_range("x"); });
    const auto end = s.run(hedge(hedge_options().after(10ms), judged, std::string(100, 'x')));
    ASSERT_TRUE(end.exception);
    EXPECT_THROW(std::rethrow_exception(end.exception), std::out_of_range);
    EXPECT_EQ(s.clock.pending(), 0U);
}

/// What has no default value.
class handle {
public:
    explicit handle(int n) : number(n) {}
    int number;
};

TEST(AsyncRetry, AnOpenCircuitCancelsTheAttemptThatIsMadeForWantOfAValue) {
    stage s;
    auto policy = every_ten_seconds();
    policy.circuit_breaker(std::make_shared<circuit_breaker>(breaker_options()));
    policy.circuit_breaker()->isolate(s.clock.now());
    const auto waits = s.scripted({step({}, 1h)});
    auto op = [&waits](auto&& token) {
        return asio::async_initiate<decltype(token), void(error_code, handle)>(
            [&waits](auto handler) {
                const auto slot = asio::get_associated_cancellation_slot(handler);
                waits(asio::bind_cancellation_slot(slot,
                                                   [h = std::move(handler)](error_code ec) mutable {
                                                       std::move(h)(ec, handle(1));
                                                   }));
            },
            token);
    };
    std::optional<error_code> got;
    async_retry(s.executor(), policy, op, [&got](error_code ec, handle) { got = ec; });
    s.clock.run(s.context);
    EXPECT_EQ(got, error_code(error::circuit_open));
    EXPECT_EQ(s.elapsed(), 0s);
}

TEST(AsyncRetry, KnowsAnErrorThatIsPassedByReference) {
    stage s;
    int attempts = 0;
    auto op = [&](auto&& token) {
        return asio::async_initiate<decltype(token), void(const error_code&)>(
            [&](auto handler) {
                ++attempts;
                asio::post(s.context, [h = std::move(handler)]() mutable {
                    const error_code ec = refused;
                    std::move(h)(ec);
                });
            },
            token);
    };
    std::optional<error_code> got;
    async_retry(s.executor(), every_ten_seconds(), op, [&got](error_code ec) { got = ec; });
    s.clock.run(s.context);
    EXPECT_EQ(got, error_code(refused));
    EXPECT_EQ(attempts, 3);
}

/// Frees what its cancellation would touch before it completes.
TEST(AsyncRetry, CancelsNothingThatHasCompleted) {
    stage s;
    auto op = [&s](auto&& token) {
        return asio::async_initiate<decltype(token), void(error_code)>(
            [&s](auto handler) {
                auto target = std::make_shared<int>(0);
                asio::get_associated_cancellation_slot(handler).assign(
                    [weak = std::weak_ptr<int>(target)](asio::cancellation_type) {
                        EXPECT_FALSE(weak.expired()) << "cancelled behind its end";
                    });
                // Queued behind the expiry, which is at the same time.
                auto wait = s.scripted({step({}, 1s)});
                wait([h = std::move(handler), target](error_code ec) mutable {
                    target.reset();
                    std::move(h)(ec);
                });
            },
            token);
    };
    for (const auto timeout : {1s, 2s}) {
        std::optional<error_code> got;
        async_retry(
            s.executor(), every_ten_seconds().attempt_timeout(timeout), op, [&got](error_code ec) {
                got = ec;
            });
        s.clock.run(s.context);
        EXPECT_EQ(got, error_code());
    }
}

}  // namespace
}  // namespace asio_retry
