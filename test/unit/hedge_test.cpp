// A hedged operation: when another attempt starts, who wins, and that nothing is left behind.
#include "support/run.hpp"
#include <asio_retry/hedge.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;

hedge_options after(std::chrono::nanoseconds d) { return std::move(hedge_options().after(d)); }

/// Answers the number of its attempt, after a while of its own or with an error.
class numbered {
public:
    numbered(stage& s, std::vector<step> steps) : op_(s.scripted(std::move(steps))) {}

    asio::awaitable<unsigned> operator()(const attempt& a) const {
        const unsigned number = a.number();
        auto pending = op_(asio::use_awaitable);
        co_await std::move(pending);
        co_return number;
    }

    const std::vector<steady_time>& starts() const { return op_.starts(); }

private:
    scripted_operation op_;
};

TEST(Hedge, DoesNotStartASecondAttemptBesideAQuickFirst) {
    stage s;
    const numbered op(s, {step({}, 9ms)});
    EXPECT_EQ(s.value_of(hedge(after(10ms), op)), 1U);
    EXPECT_EQ(op.starts().size(), 1U);
    EXPECT_EQ(s.clock.pending(), 0U);
}

TEST(Hedge, TakesTheSecondIfThatIsFirst) {
    stage s;
    const numbered op(s, {step({}, 1s), step({}, 5ms)});
    const auto end = s.run(hedge(after(10ms), op));
    EXPECT_EQ(end.value, 2U);
    EXPECT_EQ(s.when(end.at), 15ms);
    EXPECT_EQ(s.when(op.starts().at(1)), 10ms);
    EXPECT_EQ(s.clock.pending(), 0U);
}

TEST(Hedge, TakesTheFirstIfThatIsFirstAfterAll) {
    stage s;
    const numbered op(s, {step({}, 12ms), step({}, 1s)});
    const auto end = s.run(hedge(after(10ms), op));
    EXPECT_EQ(end.value, 1U);
    EXPECT_EQ(s.when(end.at), 12ms);
    EXPECT_EQ(s.clock.pending(), 0U);
}

TEST(Hedge, StartsAsManyAsItMay) {
    stage s;
    const numbered op(s, {step({}, 10s), step({}, 10s), step({}, 10s), step({}, 1ms)});
    const auto end = s.run(hedge(after(10ms).max_extra(3), op));
    EXPECT_EQ(end.value, 4U);
    EXPECT_EQ(s.when(end.at), 31ms);
    EXPECT_EQ(op.starts().size(), 4U);
    stage t;
    const numbered slow(t, {step({}, 10s)});
    EXPECT_EQ(t.run(hedge(after(10ms).max_extra(3), slow)).value, 1U);
    EXPECT_EQ(slow.starts().size(), 4U);
}

TEST(Hedge, DoesNotHedgeWhatHasFailed) {
    stage s;
    const numbered op(s, {step(refused, 9ms), step()});
    EXPECT_EQ(s.run(hedge(after(10ms), op)).code(), refused);
    EXPECT_EQ(op.starts().size(), 1U);
}

TEST(Hedge, WaitsForTheOtherIfOneFails) {
    stage s;
    const numbered op(s, {step(refused, 11ms), step({}, 20ms)});
    EXPECT_EQ(s.run(hedge(after(10ms), op)).value, 2U);
    stage t;
    const numbered other(t, {step({}, 40ms), step(refused, 1ms)});
    const auto end = t.run(hedge(after(10ms), other));
    EXPECT_EQ(end.value, 1U);
    EXPECT_EQ(t.when(end.at), 40ms);
}

TEST(Hedge, EndsAsTheFirstIfAllFail) {
    stage s;
    const numbered op(s, {step(refused, 11ms), step(reset_by_peer, 20ms)});
    const auto end = s.run(hedge(after(10ms), op));
    EXPECT_EQ(end.code(), refused);
    EXPECT_EQ(s.when(end.at), 30ms);
}

TEST(Hedge, JudgesValues) {
    stage s;
    const numbered op(s, {step({}, 12ms), step({}, 20ms)});
    auto picky = operation(op).classify_value([](unsigned number) {
        return number == 1 ? verdict(failure_kind::server) : verdict::success();
    });
    EXPECT_EQ(s.run(hedge(after(10ms), std::move(picky))).value, 2U);
    stage t;
    const numbered bad(t, {step({}, 12ms), step({}, 20ms)});
    auto never = operation(bad).classify_value([](unsigned) { return failure_kind::server; });
    EXPECT_EQ(t.run(hedge(after(10ms), std::move(never))).value, 1U);
}

TEST(Hedge, PassesArgumentsAndNothing) {
    stage s;
    auto joined = [](std::string a, std::unique_ptr<int>& b) -> asio::awaitable<std::string> {
        co_return a + std::to_string(*b);
    };
    EXPECT_EQ(s.value_of(hedge(after(1s), joined, std::string("a"), std::make_unique<int>(7))),
              "a7");
    auto op = s.scripted({step()});
    EXPECT_TRUE(s.run(hedge(after(1s), op.awaitable())).value);
}

TEST(Hedge, PassesAnyExceptionOn) {
    stage s;
    auto wrong = []() -> asio::awaitable<int> {
        throw std::logic_error("wrong");
        co_return 1;
    };
    const auto end = s.run(hedge(after(1s), wrong));
    EXPECT_THROW(std::rethrow_exception(end.exception), std::logic_error);
}

TEST(Hedge, IsPaidFromTheBudget) {
    const auto budget = std::make_shared<retry_budget>(
        budget_options().capacity(10).retry_cost(5).success_refund(0).refill_per_second(0));
    const hedging shared(after(10ms), budget);
    std::vector<std::size_t> attempts;
    for (int i = 0; i < 3; ++i) {
        stage s;
        const numbered op(s, {step({}, 1s)});
        EXPECT_EQ(s.run(hedge(shared, op)).value, 1U);
        attempts.push_back(op.starts().size());
    }
    EXPECT_EQ(attempts, (std::vector<std::size_t>{2, 2, 1}));
}

TEST(Hedge, LearnsItsDelay) {
    const hedging shared{hedge_options()};
    std::size_t extra = 0;
    for (int i = 0; i < 200; ++i) {
        stage s;
        const numbered op(s, {step({}, 10ms)});
        s.run(hedge(shared, op));
        extra += op.starts().size() - 1;
    }
    EXPECT_LT(extra, 40U);
    stage s;
    const numbered op(s, {step({}, 10s), step({}, 10ms)});
    const auto end = s.run(hedge(shared, op));
    EXPECT_EQ(end.value, 2U);
    EXPECT_LT(s.when(end.at), 30ms);
}

TEST(Hedge, NeedsADelayOrSomethingToLearnItFrom) {
    stage s;
    const numbered op(s, {step()});
    EXPECT_THROW((void)hedge(hedge_options(), op), std::invalid_argument);
    const numbered slow(s, {step({}, 1h)});
    s.run(hedge(hedging(hedge_options()), slow));
    EXPECT_EQ(slow.starts().size(), 1U);
}

TEST(HedgeOptions, RefuseWhatCannotBe) {
    hedge_options o;
    EXPECT_THROW(o.after(0s), std::invalid_argument);
    EXPECT_THROW(o.max_extra(0), std::invalid_argument);
    EXPECT_THROW(o.max_extra(9), std::invalid_argument);
    EXPECT_EQ(o, hedge_options());
    EXPECT_TRUE(o.observes());
    EXPECT_FALSE(after(1s).observes());
    EXPECT_TRUE(after(1s).after_p95().observes());
    EXPECT_EQ(hedge_options(), hedge_options().after_p95());
    EXPECT_NE(after(1s), after(1s).after_p95());
    EXPECT_NE(after(1s), after(1s).max_extra(2));
}

class HedgeCancelled : public ::testing::TestWithParam<asio::cancellation_type> {};

TEST_P(HedgeCancelled, EndsAllAttemptsAtOnce) {
    for (const auto when : {5ms, 15ms}) {
        stage s;
        const numbered op(s, {step({}, 10s)});
        const auto end = s.start(hedge(after(10ms), op), caller(caller::filter::every_type));
        s.poll();
        s.clock.run_for(s.context, when);
        EXPECT_EQ(op.starts().size(), when < 10ms ? 1U : 2U);
        s.signal.emit(GetParam());
        s.poll();
        EXPECT_EQ(end->times, 1);
        EXPECT_EQ(end->code(), aborted);
        EXPECT_EQ(s.clock.pending(), 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(Types,
                         HedgeCancelled,
                         ::testing::Values(asio::cancellation_type::terminal,
                                           asio::cancellation_type::partial,
                                           asio::cancellation_type::total));

TEST(HedgeCancelled, AlsoWhenTheFirstHasFailedAlready) {
    stage s;
    const numbered op(s, {step(asio::error::connection_refused, 12ms), step({}, 10s)});
    const auto end = s.start(hedge(after(10ms), op), caller(caller::filter::every_type));
    s.poll();
    s.clock.run_for(s.context, 20ms);
    ASSERT_EQ(end->times, 0);
    s.signal.emit(asio::cancellation_type::terminal);
    s.poll();
    EXPECT_EQ(end->times, 1);
    EXPECT_EQ(end->code(), aborted);
}

TEST(HedgeCancelled, BeforeItBegan) {
    stage s;
    const numbered op(s, {step({}, 10s)});
    const auto end = s.start(hedge(after(10ms), op), caller(caller::filter::every_type));
    s.signal.emit(asio::cancellation_type::terminal);
    s.clock.run(s.context);
    EXPECT_LE(end->times, 1);
    EXPECT_EQ(s.elapsed(), 0s);
}

TEST(HedgeCancelled, DoesNotBeginWhereCancellationDoesNotThrow) {
    stage s;
    const numbered op(s, {step({}, 10s)});
    auto late = [&](numbered f) -> asio::awaitable<unsigned> {
        detail::timed_wait wait(detail::timer_service::of(s.executor()));
        co_await wait.until(steady_time::max());
        auto pending = hedge(after(10ms), f);
        co_return co_await std::move(pending);
    };
    const auto end = s.start(late(op), caller(caller::filter::every_type, caller::throwing::off));
    s.poll();
    s.signal.emit(asio::cancellation_type::terminal);
    s.poll();
    EXPECT_EQ(end->times, 1);
    EXPECT_EQ(end->code(), aborted);
    EXPECT_EQ(op.starts().size(), 0U);
}

TEST(HedgeCancelled, LosersHaveEndedWhenTheCallReturns) {
    stage s;
    int running = 0;
    auto op = s.scripted({step({}, 1s), step({}, 5ms)});
    auto counted = [&running](scripted_operation o) -> asio::awaitable<void> {
        ++running;
        try {
            auto pending = o(asio::use_awaitable);
            co_await std::move(pending);
        } catch (...) {
        }
        // Takes its time to end.
        co_await asio::this_coro::throw_if_cancelled(false);
        for (int i = 0; i < 5; ++i) co_await asio::post(asio::use_awaitable);
        --running;
    };
    auto whole = [&](auto f) -> asio::awaitable<int> {
        auto pending = hedge(after(10ms), f, op);
        co_await std::move(pending);
        co_return running;
    };
    EXPECT_EQ(s.value_of(whole(counted)), 0);
    EXPECT_EQ(op.attempts(), 2U);
}

TEST(Hedge, IsDestroyedWithItsContext) {
    auto s = std::make_unique<stage>();
    const auto kept = std::make_shared<int>(1);
    auto op = [&ctx = *s](std::shared_ptr<int> p) -> asio::awaitable<int> {
        scripted_operation slow = ctx.scripted({step({}, 10s)});
        auto pending = slow(asio::use_awaitable);
        co_await std::move(pending);
        co_return *p;
    };
    const auto end = s->start(hedge(after(10ms), op, kept));
    s->poll();
    s->clock.run_for(s->context, 20ms);
    EXPECT_GT(kept.use_count(), 1);
    s.reset();
    EXPECT_EQ(end->times, 0);
    EXPECT_EQ(kept.use_count(), 1);
}

TEST(Hedge, RunsInAPoolOfThreads) {
    asio::thread_pool pool(4);
    std::atomic<int> running{0};
    auto work = [&running](const attempt& a) -> asio::awaitable<unsigned> {
        const unsigned number = a.number();
        ++running;
        detail::timed_wait wait(detail::timer_service::of(co_await asio::this_coro::executor));
        const auto end = wait.timers().now() + (number == 1 ? 600us : 300us);
        co_await wait.until(end);
        --running;
        co_return number;
    };
    auto call = [&](auto f) -> asio::awaitable<bool> {
        auto pending = hedge(after(300us), f);
        const unsigned number = co_await std::move(pending);
        co_return number == 1 || number == 2;
    };
    std::vector<std::future<bool>> all;
    for (int i = 0; i < 500; ++i) {
        all.push_back(asio::co_spawn(
            asio::any_io_executor(pool.get_executor()), call(work), asio::use_future));
    }
    for (auto& each : all) EXPECT_TRUE(each.get());
    pool.join();
}

}  // namespace
}  // namespace asio_retry
