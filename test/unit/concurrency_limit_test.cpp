// The concurrency limit: who runs, who waits, who is refused, and who comes next.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/concurrency_limit.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;

concurrency_options one_and_two() { return concurrency_options().max_concurrency(1).queue(2); }

/// How an async_acquire ended.
class entry {
public:
    bool ended = false;
    error_code error;
    concurrency_lease lease;
};

class ConcurrencyLimit : public ::testing::Test {
    static auto keep(entry& e) {
        return [&e](error_code ec, concurrency_lease lease) {
            EXPECT_FALSE(e.ended);
            e.ended = true;
            e.error = ec;
            e.lease = std::move(lease);
            EXPECT_EQ(static_cast<bool>(e.lease), !ec);
        };
    }

public:
    /// A caller that waits until `d` from now.
    entry& call(std::chrono::nanoseconds d = 1h) {
        entry& e = entries.emplace_back();
        limit.async_acquire(s.executor(), s.clock.now() + d, keep(e));
        s.poll();
        return e;
    }
    entry& call_cancellable(asio::cancellation_signal& signal) {
        entry& e = entries.emplace_back();
        limit.async_acquire(
            s.executor(), s.clock.now() + 1h, asio::bind_cancellation_slot(signal.slot(), keep(e)));
        s.poll();
        return e;
    }
    void release(entry& e) {
        e.lease.release();
        s.poll();
    }

    concurrency_limit limit{one_and_two()};
    stage s;
    std::deque<entry> entries;
};

template <typename Set>
std::string refusal(Set set) {
    concurrency_options o;
    try {
        set(o);
    } catch (const std::invalid_argument& e) {
        EXPECT_EQ(o, concurrency_options()) << "changed by a setter that threw";
        return e.what();
    }
    return "accepted";
}

TEST(ConcurrencyOptions, HaveTheDocumentedDefaults) {
    const concurrency_options o;
    EXPECT_EQ(o.max_concurrency(), 64U);
    EXPECT_EQ(o.queue(), 128U);
    EXPECT_EQ(o.adaptive_latency(), concurrency_options::unlimited);
    EXPECT_EQ(o.min_concurrency(), 1U);
}

TEST(ConcurrencyOptions, KeepWhatIsSetAndRefuseTheImpossible) {
    const auto o =
        concurrency_options().max_concurrency(9).queue(0).adaptive_latency(2s).min_concurrency(3);
    EXPECT_EQ(o.max_concurrency(), 9U);
    EXPECT_EQ(o.queue(), 0U);
    EXPECT_EQ(o.adaptive_latency(), 2s);
    EXPECT_EQ(o.min_concurrency(), 3U);
    EXPECT_NE(o, concurrency_options());
    EXPECT_EQ(refusal([](auto& b) { b.max_concurrency(0); }),
              "max_concurrency: 0 is too few; must be 1 or more");
    EXPECT_EQ(refusal([](auto& b) { b.min_concurrency(0); }),
              "min_concurrency: 0 is too few; must be 1 or more");
    EXPECT_EQ(refusal([](auto& b) { b.adaptive_latency(0s); }),
              "adaptive_latency: must be above 0");
}

TEST(ConcurrencyLease, IsAPlaceUntilItIsReleased) {
    concurrency_limit limit(concurrency_options().max_concurrency(2));
    const steady_time now{1h};
    concurrency_lease a = limit.try_acquire(now);
    concurrency_lease b = limit.try_acquire(now);
    EXPECT_TRUE(a && b);
    EXPECT_FALSE(limit.try_acquire(now));
    EXPECT_EQ(limit.running(), 2U);
    a.release();
    EXPECT_FALSE(a);
    a.release();
    a.succeed(now);
    a.fail(now);
    EXPECT_EQ(limit.running(), 1U);
    a = limit.try_acquire(now);
    EXPECT_TRUE(a);
    b = std::move(a);
    EXPECT_FALSE(a);
    EXPECT_EQ(limit.running(), 1U) << "the place that b had is free";
    b = concurrency_lease();
    EXPECT_EQ(limit.running(), 0U);
    {
        const concurrency_lease c = limit.try_acquire(now);
    }
    EXPECT_EQ(limit.running(), 0U);
}

TEST_F(ConcurrencyLimit, ServesAtOnceWhileThereIsRoomAndNeverInline) {
    entry& a = entries.emplace_back();
    limit.async_acquire(s.executor(), s.clock.now(), [&](error_code ec, concurrency_lease l) {
        a.ended = true;
        a.error = ec;
        a.lease = std::move(l);
    });
    EXPECT_FALSE(a.ended);
    s.poll();
    EXPECT_TRUE(a.ended && a.lease);
}

TEST_F(ConcurrencyLimit, ServesThoseThatWaitInOrder) {
    entry& a = call();
    entry& b = call();
    entry& c = call();
    EXPECT_TRUE(a.ended);
    EXPECT_FALSE(b.ended || c.ended);
    EXPECT_EQ(limit.waiting(), 2U);
    release(a);
    EXPECT_TRUE(b.lease);
    EXPECT_FALSE(c.ended);
    release(b);
    EXPECT_TRUE(c.lease);
    release(c);
    EXPECT_EQ(limit.running(), 0U);
    EXPECT_EQ(limit.waiting(), 0U);
    EXPECT_EQ(s.clock.pending(), 0U);
}

TEST_F(ConcurrencyLimit, RefusesAtOnceWhatTheQueueCannotHold) {
    entry& a = call();
    call();
    call();
    entry& d = call();
    EXPECT_EQ(d.error, error::queue_full);
    EXPECT_EQ(limit.waiting(), 2U);
    release(a);
    EXPECT_FALSE(call().ended) << "there is room in the queue again";
}

TEST_F(ConcurrencyLimit, LetsNobodyOvertakeTheQueue) {
    entry& a = call();
    entry& b = call();
    a.lease.release();
    EXPECT_FALSE(limit.try_acquire(s.clock.now()))
        << "the place is b's, who has not heard of it yet";
    s.poll();
    EXPECT_TRUE(b.lease);
}

TEST_F(ConcurrencyLimit, GivesUpAtTheDeadline) {
    entry& a = call();
    entry& b = call(10s);
    entry& c = call();
    s.clock.run_for(s.context, 10s - 1ns);
    EXPECT_FALSE(b.ended);
    s.clock.run_for(s.context, 1ns);
    EXPECT_EQ(b.error, error::deadline_exceeded);
    EXPECT_EQ(limit.waiting(), 1U);
    release(a);
    EXPECT_TRUE(c.lease);
}

TEST_F(ConcurrencyLimit, GivesUpAtOnceWhereTheDeadlineHasPassed) {
    entry& a = call(-1s);
    EXPECT_TRUE(a.lease) << "a free place costs no time";
    entry& b = call(-1s);
    s.clock.run_for(s.context, 0s);
    EXPECT_EQ(b.error, error::deadline_exceeded);
}

TEST_F(ConcurrencyLimit, EndsAWaitThatIsCancelled) {
    for (const auto type : {asio::cancellation_type::terminal,
                            asio::cancellation_type::partial,
                            asio::cancellation_type::total}) {
        entry& a = call();
        asio::cancellation_signal signal;
        entry& b = call_cancellable(signal);
        entry& c = call();
        signal.emit(type);
        s.poll();
        EXPECT_EQ(b.error, aborted);
        EXPECT_EQ(limit.waiting(), 1U);
        release(a);
        ASSERT_TRUE(c.lease);
        release(c);
        EXPECT_EQ(limit.running(), 0U);
    }
}

TEST_F(ConcurrencyLimit, KeepsAPlaceThatCameBeforeTheCancellation) {
    entry& a = call();
    asio::cancellation_signal signal;
    entry& b = call_cancellable(signal);
    a.lease.release();
    signal.emit(asio::cancellation_type::terminal);
    s.poll();
    EXPECT_TRUE(b.lease);
}

TEST_F(ConcurrencyLimit, KeepsAPlaceThatCameWithTheDeadline) {
    entry& a = call();
    entry& b = call(10s);
    s.clock.advance(10s);  // the wait has expired, and its handler is on the way
    a.lease.release();
    s.poll();
    EXPECT_TRUE(b.lease) << b.error;
}

TEST_F(ConcurrencyLimit, PassesOnWhatAnAbandonedTicketWasGiven) {
    auto& timers = detail::timer_service::of(s.executor());
    concurrency_lease a = limit.try_acquire(s.clock.now());
    std::optional<concurrency_ticket> ticket(std::in_place, timers);
    EXPECT_FALSE(limit.acquire(s.clock.now(), *ticket));
    EXPECT_TRUE(ticket->is_queued());
    entry& c = call();
    a.release();
    EXPECT_FALSE(c.ended);
    ticket.reset();
    s.poll();
    EXPECT_TRUE(c.lease);
}

TEST_F(ConcurrencyLimit, ServesADriverThatKeepsItsTicketInItsFrame) {
    concurrency_lease other = limit.try_acquire(s.clock.now());
    auto driver = [this]() -> asio::awaitable<bool> {
        auto& timers = detail::timer_service::of(s.executor());
        concurrency_ticket ticket(timers);
        concurrency_lease lease = limit.acquire(timers.now(), ticket);
        if (ticket.is_queued()) {
            co_await ticket.turn(timers.now() + 1min);
            lease = ticket.take(timers.now());
        }
        co_return static_cast<bool>(lease);
    };
    std::optional<bool> served;
    asio::co_spawn(s.executor(), driver, [&](const std::exception_ptr&, bool v) { served = v; });
    s.poll();
    EXPECT_FALSE(served);
    other.release();
    s.poll();
    EXPECT_EQ(served, true);
}

TEST_F(ConcurrencyLimit, IsAwaited) {
    concurrency_lease other = limit.try_acquire(s.clock.now());
    const auto end = s.run([this]() -> asio::awaitable<int> {
        const auto until = s.clock.now() + 5s;
        auto got = limit.async_acquire(s.executor(), until, asio::as_tuple(asio::use_awaitable));
        auto result = co_await std::move(got);
        co_return std::get<0>(result) == error::deadline_exceeded ? 1 : 0;
    }());
    EXPECT_EQ(end.value, 1);
    EXPECT_EQ(s.elapsed(), 5s);
}

TEST_F(ConcurrencyLimit, DropsWaitsWithTheirContext) {
    auto handle = std::make_shared<int>();
    const std::weak_ptr<int> alive = handle;
    std::optional<asio::io_context> context(std::in_place);
    concurrency_lease a = limit.try_acquire(s.clock.now());
    limit.async_acquire(context->get_executor(),
                        steady_time::max(),
                        [h = std::move(handle)](error_code, const concurrency_lease&) {});
    EXPECT_EQ(limit.waiting(), 1U);
    context.reset();
    EXPECT_EQ(limit.waiting(), 0U);
    EXPECT_TRUE(alive.expired());
}

TEST_F(ConcurrencyLimit, CompletesOnTheHandlersExecutor) {
    asio::io_context other;
    bool done = false;
    limit.async_acquire(
        s.executor(),
        s.clock.now(),
        asio::bind_executor(other.get_executor(),
                            [&](error_code, const concurrency_lease&) { done = true; }));
    s.poll();
    EXPECT_FALSE(done);
    other.run();
    EXPECT_TRUE(done);
}

class AdaptiveLimit : public ::testing::Test {
public:
    AdaptiveLimit()
        : limit(concurrency_options().max_concurrency(20).min_concurrency(4).adaptive_latency(
              100ms)) {}

    /// So many calls at once that each take this long.
    void run(unsigned n, std::chrono::nanoseconds took, bool fail = false) {
        std::vector<concurrency_lease> leases(n);
        for (auto& l : leases) l = limit.try_acquire(now);
        now += took;
        for (auto& l : leases) fail ? l.fail(now) : l.succeed(now);
    }

    concurrency_limit limit;
    steady_time now{1h};
};

TEST_F(AdaptiveLimit, StartsAtTheHighestAndStaysWhileCallsAreFast) {
    EXPECT_EQ(limit.limit(), 20U);
    for (int i = 0; i < 100; ++i) run(20, 100ms);
    EXPECT_EQ(limit.limit(), 20U);
}

TEST_F(AdaptiveLimit, FallsOnceForAllCallsThatWereOnTheirWay) {
    run(20, 101ms);
    EXPECT_EQ(limit.limit(), 18U);
    run(18, 101ms);
    EXPECT_EQ(limit.limit(), 16U);
    run(1, 1ms, true);
    EXPECT_EQ(limit.limit(), 14U) << "failures count as well";
}

TEST_F(AdaptiveLimit, NeverFallsBelowTheLowest) {
    for (int i = 0; i < 100; ++i) run(1, 1s);
    EXPECT_EQ(limit.limit(), 4U);
}

TEST_F(AdaptiveLimit, RisesByOneARoundOfGoodCallsInUse) {
    for (int i = 0; i < 100; ++i) run(1, 1s);
    run(4, 1ms);
    EXPECT_GE(limit.limit() + 1, 5U);
    int rounds = 0;
    for (; limit.limit() < 20; ++rounds) run(limit.limit(), 1ms);
    EXPECT_GE(rounds, 16);
    EXPECT_LE(rounds, 48) << "the later calls of a round see less than half in use";
}

TEST_F(AdaptiveLimit, DoesNotRiseWhileItIsNotNeeded) {
    for (int i = 0; i < 100; ++i) run(1, 1s);
    for (int i = 0; i < 100; ++i) run(1, 1ms);
    EXPECT_EQ(limit.limit(), 4U);
}

TEST_F(AdaptiveLimit, LearnsNothingFromAReleaseWithoutResult) {
    concurrency_lease l = limit.try_acquire(now);
    now += 1h;
    l.release();
    EXPECT_EQ(limit.limit(), 20U);
}

TEST(AdaptiveQueue, ServesSeveralWhenTheLimitHasRisenAndNoneWhileItIsExceeded) {
    concurrency_limit limit(
        concurrency_options().max_concurrency(10).adaptive_latency(1s).min_concurrency(1));
    stage s;
    std::vector<concurrency_lease> running(10);
    for (auto& l : running) l = limit.try_acquire(s.clock.now());
    std::vector<concurrency_lease> served;
    for (int i = 0; i < 3; ++i) {
        limit.async_acquire(s.executor(), steady_time::max(), [&](error_code, concurrency_lease l) {
            served.push_back(std::move(l));
        });
    }
    running[0].fail(s.clock.now());
    s.poll();
    EXPECT_EQ(limit.limit(), 9U);
    EXPECT_EQ(limit.running(), 9U);
    EXPECT_EQ(served.size(), 0U);
    running[1].release();
    s.poll();
    EXPECT_EQ(served.size(), 1U);
    for (auto& l : running) l.release();
    s.poll();
    EXPECT_EQ(served.size(), 3U);
}

/// Also where nothing else is work: `run` does not return before the handler has run.
TEST(ConcurrencyQueue, AWaitCountsAsWorkUntilItsHandlerHasRun) {
    const auto handler = [](bool& called) {
        return [&called](error_code ec, concurrency_lease) { called = !ec; };
    };
    concurrency_limit limit(one_and_two());
    for (const bool elsewhere : {false, true}) {
        asio::io_context context;
        asio::io_context other;
        auto lease = limit.try_acquire({});
        bool called = false;
        const auto to = elsewhere ? other.get_executor() : context.get_executor();
        limit.async_acquire(
            context.get_executor(), steady_time::max(), asio::bind_executor(to, handler(called)));
        other.poll();
        EXPECT_EQ(other.stopped(), !elsewhere);
        context.poll();
        lease.release();
        other.run();
        context.run();
        EXPECT_TRUE(called);
    }
}

TEST(ConcurrencyQueue, MayBeCancelledWhenTheContextOfItsHandlerIsGone) {
    concurrency_limit limit(one_and_two());
    asio::io_context context;
    asio::cancellation_signal signal;
    auto lease = limit.try_acquire({});
    {
        asio::io_context other;
        const auto handler = [](error_code, concurrency_lease) { ADD_FAILURE() << "called"; };
        limit.async_acquire(context.get_executor(),
                            steady_time::max(),
                            asio::bind_cancellation_slot(
                                signal.slot(), asio::bind_executor(other.get_executor(), handler)));
        lease.release();
    }
    signal.emit(asio::cancellation_type::terminal);
    EXPECT_EQ(limit.running(), 0U);
    EXPECT_EQ(limit.waiting(), 0U);
}

TEST(ConcurrencyQueue, AThreadPoolIsNotJoinedBeforeAWaitWithoutDeadlineEnds) {
    concurrency_limit limit(one_and_two());
    asio::thread_pool pool(1);
    auto lease = limit.try_acquire({});
    std::atomic<bool> called = false;
    limit.async_acquire(pool.get_executor(),
                        steady_time::max(),
                        [&](error_code, concurrency_lease) { called = true; });
    asio::post(pool, [&] { asio::post(pool, [&] { lease.release(); }); });
    pool.join();
    EXPECT_TRUE(called);
}

TEST(ConcurrencyBound, MinimumAboveTheMaximumCountsAsTheMaximum) {
    concurrency_limit limit(
        concurrency_options().max_concurrency(2).min_concurrency(5).adaptive_latency(1ms));
    limit.try_acquire({}).fail({});
    EXPECT_EQ(limit.limit(), 2U);
}

}  // namespace
}  // namespace asio_retry
