// A wait that expires, is woken, or is cancelled.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/detail/timed_wait.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

namespace asio_retry::detail {
namespace {

using namespace test;

class TimedWait : public ::testing::Test {
public:
    /// A handler that notes its result.
    auto note() {
        return asio::bind_executor(s.context.get_executor(),
                                   [this](wait_result r) { results.push_back(r); });
    }
    void start(std::chrono::nanoseconds d) { wait.until(s.clock.now() + d)(note()); }
    void start_cancellable(std::chrono::nanoseconds d) {
        wait.until(s.clock.now() + d)(asio::bind_cancellation_slot(s.signal.slot(), note()));
    }

    stage s;
    timed_wait wait{timer_service::of(s.context.get_executor())};
    std::vector<wait_result> results;
    using list = std::vector<wait_result>;
};

TEST_F(TimedWait, ExpiresAtItsTime) {
    start(10s);
    EXPECT_EQ(s.clock.pending(), 1u);
    s.clock.run_for(s.context, 10s - 1ns);
    EXPECT_EQ(results, list{});
    s.clock.run_for(s.context, 1ns);
    EXPECT_EQ(results, list{wait_result::expired});
    EXPECT_EQ(s.clock.pending(), 0u);
}

TEST_F(TimedWait, IsWoken) {
    start(10s);
    wait.wake();
    EXPECT_EQ(results, list{});
    EXPECT_EQ(s.clock.pending(), 0u);
    s.poll();
    EXPECT_EQ(results, list{wait_result::woken});
}

TEST_F(TimedWait, ThatIsWokenBeforeItBeginsEndsAtOnceAndNeverInline) {
    wait.wake();
    wait.wake();
    start(10s);
    EXPECT_EQ(results, list{});
    EXPECT_EQ(s.clock.pending(), 0u);
    s.poll();
    EXPECT_EQ(results, list{wait_result::woken});
    start(10s);
    s.clock.run(s.context);
    EXPECT_EQ(results, (list{wait_result::woken, wait_result::expired}));
}

TEST_F(TimedWait, InThePastExpires) {
    start(-10s);
    s.clock.run(s.context);
    EXPECT_EQ(results, list{wait_result::expired});
    EXPECT_EQ(s.elapsed(), 0s);
}

TEST_F(TimedWait, WithoutEndIsWoken) {
    wait.until(steady_time::max())(note());
    s.clock.run_for(s.context, 24h * 365);
    EXPECT_EQ(results, list{});
    wait.wake();
    s.poll();
    EXPECT_EQ(results, list{wait_result::woken});
}

TEST_F(TimedWait, ServesAnyNumberOfTimesInTurn) {
    for (int i = 0; i < 5; ++i) {
        start(1s);
        s.clock.run(s.context);
    }
    EXPECT_EQ(results, list(5, wait_result::expired));
    EXPECT_EQ(s.elapsed(), 5s);
}

TEST_F(TimedWait, IsCancelledByEveryType) {
    for (const auto type : {asio::cancellation_type::terminal,
                            asio::cancellation_type::partial,
                            asio::cancellation_type::total}) {
        results.clear();
        start_cancellable(10s);
        s.signal.emit(type);
        EXPECT_EQ(s.clock.pending(), 0u);
        s.signal.emit(type);
        wait.wake();  // too late for this one: for the next
        s.poll();
        EXPECT_EQ(results, list{wait_result::cancelled});
        EXPECT_FALSE(s.signal.slot().has_handler());
        start(10s);
        s.poll();
        EXPECT_EQ(results, (list{wait_result::cancelled, wait_result::woken}));
    }
}

TEST_F(TimedWait, ThatHasExpiredStaysSo) {
    start_cancellable(10s);
    s.clock.advance(10s);
    s.signal.emit(asio::cancellation_type::terminal);
    wait.wake();
    s.poll();
    EXPECT_EQ(results, list{wait_result::expired});
}

TEST_F(TimedWait, RemembersAWakeThatComesBetweenItsExpiryAndItsEnd) {
    class waker : public timer_entry {
    public:
        explicit waker(timed_wait& w)
            : timer_entry(
                  [](timer_entry& e, timer_event) noexcept { static_cast<waker&>(e).wait.wake(); }),
              wait(w) {}
        timed_wait& wait;
    };
    waker first(wait);
    wait.timers().schedule(first, s.clock.now() + 9s);
    start(10s);
    s.clock.advance(10s);  // both are due: the first one fires while the other has left the heap
    s.poll();
    EXPECT_EQ(results, list{wait_result::expired});
    wait.until(steady_time::max())(note());
    s.poll();
    EXPECT_EQ(results, (list{wait_result::expired, wait_result::woken}));
}

TEST_F(TimedWait, ThatIsWokenStaysSo) {
    start_cancellable(10s);
    wait.wake();
    s.clock.advance(10s);
    s.signal.emit(asio::cancellation_type::terminal);
    s.poll();
    EXPECT_EQ(results, list{wait_result::woken});
}

TEST_F(TimedWait, RunsOnTheHandlersExecutor) {
    const auto strand = asio::make_strand(s.context);
    bool done = false;
    wait.until(s.clock.now() + 1s)(asio::bind_executor(strand, [&](wait_result) {
        EXPECT_TRUE(strand.running_in_this_thread());
        done = true;
    }));
    s.clock.run(s.context);
    EXPECT_TRUE(done);
}

TEST_F(TimedWait, IsAwaited) {
    auto call = [](timed_wait& w, steady_time t) -> asio::awaitable<wait_result> {
        co_return co_await w.until(t);
    };
    EXPECT_EQ(s.value_of(call(wait, s.clock.now() + 1s)), wait_result::expired);
    EXPECT_EQ(s.elapsed(), 1s);
}

TEST_F(TimedWait, HasFreedItsMemoryWhenTheHandlerRuns) {
    const auto held = std::make_shared<int>(1);
    bool done = false;
    wait.until(s.clock.now() + 1s)(
        asio::bind_executor(s.context.get_executor(), [&done, held](wait_result) { done = true; }));
    EXPECT_EQ(held.use_count(), 2);
    s.clock.run(s.context);
    EXPECT_TRUE(done);
    EXPECT_EQ(held.use_count(), 1);
}

TEST_F(TimedWait, StartsAgainInsideItsHandler) {
    int rounds = 0;
    std::function<void()> again = [&] {
        wait.until(s.clock.now() +
                   1s)(asio::bind_executor(s.context.get_executor(), [&](wait_result) {
            if (++rounds < 100) again();
        }));
    };
    again();
    s.clock.run(s.context);
    EXPECT_EQ(rounds, 100);
    EXPECT_EQ(s.elapsed(), 100s);
}

}  // namespace
}  // namespace asio_retry::detail
