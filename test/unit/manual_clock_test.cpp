// The clock that tests move by hand, and the operation that follows a script.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/async_retry.hpp>
#include <asio_retry/testing/manual_clock.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

namespace asio_retry::testing {
namespace {

using namespace test;

/// Starts a wait that notes its time.
void note(stage& s, std::chrono::nanoseconds after, std::vector<std::chrono::nanoseconds>& to) {
    s.scripted({step({}, after)})([&s, &to](error_code ec) {
        EXPECT_FALSE(ec);
        to.push_back(s.elapsed());
    });
}

TEST(ManualClock, StandsStillUntilItIsMoved) {
    asio::io_context context;
    const manual_clock clock(context);
    const auto now = clock.now();
    std::this_thread::yield();
    EXPECT_EQ(clock.now(), now);
    EXPECT_EQ(clock.pending(), 0u);
    EXPECT_EQ(clock.next_expiry(), steady_time::max());
}

TEST(ManualClock, MovesForwardOnly) {
    asio::io_context context;
    manual_clock clock(context);
    const auto start = clock.now();
    clock.advance(3s);
    EXPECT_EQ(clock.now() - start, 3s);
    clock.advance(-10s);
    clock.advance(0s);
    EXPECT_EQ(clock.now() - start, 3s);
    clock.advance(std::chrono::nanoseconds::max());
    EXPECT_EQ(clock.now(), steady_time::max());
    clock.advance(1s);
    EXPECT_EQ(clock.now(), steady_time::max());
}

TEST(ManualClock, MakesReadyWhatIsDueAndRunsNothingItself) {
    stage s;
    std::vector<std::chrono::nanoseconds> ended;
    note(s, 2s, ended);
    note(s, 5s, ended);
    EXPECT_EQ(s.clock.pending(), 2u);
    EXPECT_EQ(s.when(s.clock.next_expiry()), 2s);
    s.clock.advance(3s);
    EXPECT_TRUE(ended.empty());
    EXPECT_EQ(s.clock.pending(), 1u);
    s.poll();
    EXPECT_EQ(ended, (std::vector<std::chrono::nanoseconds>{3s}));
}

TEST(ManualClock, MovesToTheNextExpiry) {
    stage s;
    std::vector<std::chrono::nanoseconds> ended;
    EXPECT_FALSE(s.clock.advance_to_next());
    note(s, 2s, ended);
    note(s, 5s, ended);
    EXPECT_TRUE(s.clock.advance_to_next());
    EXPECT_EQ(s.elapsed(), 2s);
    EXPECT_TRUE(s.clock.advance_to_next());
    EXPECT_EQ(s.elapsed(), 5s);
    EXPECT_FALSE(s.clock.advance_to_next());
}

TEST(ManualClock, RunsToTheEndInTheRightOrder) {
    stage s;
    std::vector<std::chrono::nanoseconds> ended;
    for (const auto d : {5s, 1s, 3s, 3s}) note(s, d, ended);
    s.clock.run(s.context);
    EXPECT_EQ(ended, (std::vector<std::chrono::nanoseconds>{1s, 3s, 3s, 5s}));
    s.clock.run(s.context);
    EXPECT_EQ(s.elapsed(), 5s);
}

TEST(ManualClock, RunsForASpan) {
    stage s;
    std::vector<std::chrono::nanoseconds> ended;
    for (const auto d : {5s, 1s, 3s}) note(s, d, ended);
    s.clock.run_for(s.context, 3s);
    EXPECT_EQ(ended, (std::vector<std::chrono::nanoseconds>{1s, 3s}));
    s.clock.run_for(s.context, 1s);
    EXPECT_EQ(s.elapsed(), 4s);
    EXPECT_EQ(ended.size(), 2u);
    EXPECT_EQ(s.clock.pending(), 1u);
}

TEST(ManualClock, IsOneForEachContext) {
    stage a;
    stage b;
    a.clock.advance(1h);
    EXPECT_EQ(b.elapsed(), 0s);
}

TEST(ManualClock, ReturnsTheContextToTheRealClock) {
    asio::io_context context;
    std::optional<manual_clock> clock(context);
    clock->advance(1h);
    const scripted_operation op(context.get_executor(), {step({}, 1s)});
    bool done = false;
    op([&done](error_code) { done = true; });
    EXPECT_EQ(context.run_for(1ms), 0u);
    clock.reset();
    // What was pending goes on by the real clock, which is past the manual one's first day or not:
    // it is due in either case once the context's clock has come there.
    auto& timers = detail::timer_service::of(context.get_executor());
    const auto real = std::chrono::steady_clock::now();
    EXPECT_GE(timers.now(), real);
    EXPECT_EQ(timers.pending(), 1u);

    bool ended = false;
    const scripted_operation soon(context.get_executor(), {step({}, 2ms)});
    soon([&ended](error_code) { ended = true; });
    context.restart();
    while (!ended) ASSERT_GT(context.run_one_for(10s), 0u);
    EXPECT_GE(std::chrono::steady_clock::now() - real, 2ms);
}

TEST(ManualClock, ComesIntoForceOverARealTimer) {
    asio::io_context context;
    const scripted_operation op(context.get_executor(), {step({}, 1h)});
    bool done = false;
    op([&done](error_code) { done = true; });
    context.poll();
    manual_clock clock(context);
    clock.advance(std::chrono::steady_clock::now() - clock.now() + 2h);
    clock.run(context);
    EXPECT_TRUE(done);
}

TEST(ScriptedOperation, FollowsItsStepsAndRepeatsTheLast) {
    stage s;
    const auto op = s.scripted({step(refused, 1s), step({}, 2s), step(denied)});
    std::vector<error_code> errors;
    for (int i = 0; i < 4; ++i) {
        op([&errors](error_code ec) { errors.push_back(ec); });
        s.clock.run(s.context);
    }
    EXPECT_EQ(errors, (std::vector<error_code>{refused, {}, denied, denied}));
    EXPECT_EQ(op.attempts(), 4u);
    ASSERT_EQ(op.starts().size(), 4u);
    EXPECT_EQ(s.when(op.starts()[1]), 1s);
    EXPECT_EQ(s.when(op.starts()[3]), 3s);
}

TEST(ScriptedOperation, SharesItsCountAmongCopiesAndMayRunManyTimesAtOnce) {
    stage s;
    const auto op = s.scripted({step({}, 2s), step(refused, 1s)});
    const auto copy = op;
    std::vector<error_code> errors;
    const auto push = [&errors](error_code ec) { errors.push_back(ec); };
    op(push);
    copy(push);
    s.clock.run(s.context);
    EXPECT_EQ(errors, (std::vector<error_code>{refused, {}}));
    EXPECT_EQ(op.attempts(), 2u);
}

TEST(ScriptedOperation, HonoursCancellation) {
    stage s;
    const auto op = s.scripted({step({}, 2s)});
    error_code got;
    op(asio::bind_cancellation_slot(s.signal.slot(), [&got](error_code ec) { got = ec; }));
    s.signal.emit(asio::cancellation_type::total);
    s.poll();
    EXPECT_EQ(got, aborted);
    EXPECT_EQ(s.clock.pending(), 0u);
}

}  // namespace
}  // namespace asio_retry::testing
