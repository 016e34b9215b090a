// The timers of a context: order, clock, outstanding work, randomness.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/detail/timer_service.hpp>
#include <asio_retry/testing/manual_clock.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <future>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace asio_retry::detail {
namespace {

using namespace std::chrono_literals;

class note : public timer_entry {
public:
    explicit note(std::vector<int>& to, int n) : timer_entry(&on_fire), fired(to), number(n) {}

    static void on_fire(timer_entry& e, timer_event event) noexcept {
        auto& self = static_cast<note&>(e);
        self.fired.push_back(event == timer_event::expired ? self.number : -self.number);
    }

    std::vector<int>& fired;
    int number;
};

class TimerService : public ::testing::Test {
public:
    asio::io_context context;
    timer_service& timers = timer_service::of(context.get_executor());
    std::vector<int> fired;
};

TEST_F(TimerService, IsOneForAContext) {
    EXPECT_EQ(&timers, &timer_service::of(context.get_executor()));
    EXPECT_EQ(&timers, &timer_service::of(asio::make_strand(context)));
    EXPECT_EQ(&timers, &timer_service::of(asio::any_io_executor(context.get_executor())));
    asio::io_context other;
    EXPECT_NE(&timers, &timer_service::of(other.get_executor()));
}

TEST_F(TimerService, IsThatOfTheContextWhichStandsThereNow) {
    std::optional<asio::io_context> place(std::in_place);
    timer_service::of(place->get_executor());
    place.reset();
    // Takes the memory of the service that ended, and is not remembered as found.
    asio::io_context between;
    const auto& other = asio::use_service<timer_service>(between);
    place.emplace();
    const auto& found = timer_service::of(place->get_executor());
    EXPECT_EQ(&found, &asio::use_service<timer_service>(*place));
    EXPECT_NE(&found, &other);
}

TEST_F(TimerService, TellsTheSteadyTime) {
    const auto before = std::chrono::steady_clock::now();
    const auto now = timers.now();
    EXPECT_LE(before, now);
    EXPECT_LE(now, std::chrono::steady_clock::now());
}

TEST_F(TimerService, FiresInTheOrderOfExpiry) {
    const testing::manual_clock clock(context);
    std::deque<note> notes;
    const auto start = timers.now();
    for (int i = 0; i < 200; ++i) {
        timers.schedule(notes.emplace_back(fired, i + 1), start + (i * 83 % 200) * 1s);
    }
    EXPECT_EQ(timers.pending(), 200u);
    EXPECT_EQ(timers.next_expiry(), start);
    timers.advance_to(start + 99s);
    ASSERT_EQ(fired.size(), 100u);
    timers.advance_to(start + 1h);
    ASSERT_EQ(fired.size(), 200u);
    EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end(), [](int a, int b) {
        return (a - 1) * 83 % 200 < (b - 1) * 83 % 200;
    }));
    EXPECT_EQ(timers.next_expiry(), steady_time::max());
}

TEST_F(TimerService, NeedsNoMoveOfTheManualClockForWhatIsDueAlready) {
    testing::manual_clock clock(context);
    note past(fired, 1);
    note present(fired, 2);
    note future(fired, 3);
    timers.schedule(past, timers.now() - 1s);
    timers.schedule(present, timers.now());
    timers.schedule(future, timers.now() + 1ns);
    EXPECT_TRUE(fired.empty());
    context.poll();
    EXPECT_EQ(fired, (std::vector{1, 2}));
    EXPECT_FALSE(context.stopped());
    clock.advance(1ns);
    EXPECT_EQ(fired, (std::vector{1, 2, 3}));
    context.restart();
    context.poll();
    EXPECT_TRUE(context.stopped());
}

TEST_F(TimerService, GivesBackWhatIsWithdrawn) {
    const testing::manual_clock clock(context);
    note a(fired, 1);
    note b(fired, 2);
    EXPECT_FALSE(timers.withdraw(a));
    timers.schedule(a, timers.now() + 1s);
    timers.schedule(b, timers.now() + 2s);
    EXPECT_TRUE(timers.withdraw(a));
    EXPECT_FALSE(timers.withdraw(a));
    timers.advance_to(timers.now() + 1h);
    EXPECT_EQ(fired, std::vector{2});
    EXPECT_FALSE(timers.withdraw(b));
}

TEST_F(TimerService, KnowsThatSomebodyWasWokenBeforeHisWait) {
    const testing::manual_clock clock(context);
    note a(fired, 1);
    bool woken = false;
    EXPECT_TRUE(timers.schedule_unless(woken, a, timers.now() + 1s));
    EXPECT_TRUE(timers.wake(woken, a, [] {}));
    EXPECT_FALSE(woken);
    EXPECT_FALSE(timers.wake(woken, a, [] {}));
    EXPECT_TRUE(woken);
    EXPECT_FALSE(timers.schedule_unless(woken, a, timers.now() + 1s));
    EXPECT_FALSE(woken);
    EXPECT_EQ(timers.pending(), 0u);
}

TEST_F(TimerService, FiresOnTheRealClockAndCountsWhatIsPendingAsWork) {
    note a(fired, 1);
    note b(fired, 2);
    note late(fired, 3);
    const auto start = timers.now();
    timers.schedule(late, start + 1h);
    timers.schedule(b, start + 6ms);
    timers.schedule(a, start + 3ms);
    while (fired.size() < 2) ASSERT_EQ(context.run_one_for(10s), 1u);
    EXPECT_EQ(fired, (std::vector{1, 2}));
    EXPECT_GE(timers.now() - start, 6ms);
    EXPECT_FALSE(context.stopped());
    EXPECT_EQ(context.poll(), 0u);
    EXPECT_FALSE(context.stopped());
    EXPECT_TRUE(timers.withdraw(late));
    context.restart();
    EXPECT_EQ(context.run_for(10s), 0u);
    EXPECT_TRUE(context.stopped());
}

TEST_F(TimerService, ArmedForNobodyIsNoWork) {
    note far(fired, 1);
    note near(fired, 2);
    for (int round = 0; round < 3; ++round) {
        fired.clear();
        timers.schedule(far, timers.now() + 1h);
        timers.schedule(near, timers.now() + 2ms);
        while (fired.empty()) ASSERT_EQ(context.run_one_for(10s), 1u);
        EXPECT_TRUE(timers.withdraw(far));
        EXPECT_EQ(context.run_for(10s), 0u);
        EXPECT_TRUE(context.stopped());
        context.restart();
    }
}

TEST_F(TimerService, GoesOnAfterTheContextRanOutOfWork) {
    note a(fired, 1);
    timers.schedule(a, timers.now() + 5ms);
    EXPECT_TRUE(timers.withdraw(a));  // the timer stays armed
    EXPECT_EQ(context.run(), 0u);
    context.restart();
    timers.schedule(a, timers.now() + 15ms);
    const auto start = timers.now();
    while (fired.empty()) ASSERT_GT(context.run_one_for(10s), 0u);
    EXPECT_GE(timers.now() - start, 14ms);
    context.run();
    EXPECT_TRUE(context.stopped());
}

TEST_F(TimerService, WakesAContextThatSleepsWhenAnEarlierTimeComes) {
    note far(fired, 1);
    note near(fired, 2);
    timers.schedule(far, timers.now() + 1h);
    auto running = std::async(std::launch::async, [this] {
        while (fired.empty()) context.run_one_for(10s);
    });
    timers.schedule(near, timers.now() + 1ms);
    EXPECT_EQ(running.wait_for(20s), std::future_status::ready);
    EXPECT_EQ(fired, std::vector{2});
    timers.withdraw(far);
}

TEST_F(TimerService, ServesAThreadPool) {
    class promised : public timer_entry {
    public:
        promised()
            : timer_entry([](timer_entry& e, timer_event) noexcept {
                  static_cast<promised&>(e).done.set_value();
              }) {}
        std::promise<void> done;
    };
    asio::thread_pool pool(2);
    auto& own = timer_service::of(pool.get_executor());
    promised soon;
    note later(fired, 1);
    own.schedule(later, own.now() + 1h);
    own.schedule(soon, own.now() + 2ms);
    EXPECT_EQ(soon.done.get_future().wait_for(10s), std::future_status::ready);
    EXPECT_TRUE(own.withdraw(later));
    auto joined = std::async(std::launch::async, [&pool] { pool.join(); });
    EXPECT_EQ(joined.wait_for(10s), std::future_status::ready);
    pool.stop();
}

TEST_F(TimerService, LetsAThreadPoolGoAfterAnEntryWithoutEnd) {
    class promised : public timer_entry {
    public:
        promised()
            : timer_entry([](timer_entry& e, timer_event) noexcept {
                  static_cast<promised&>(e).done.set_value();
              }) {}
        std::promise<void> done;
    };
    asio::thread_pool pool(2);
    auto& own = timer_service::of(pool.get_executor());
    promised soon;
    note never(fired, 1);
    own.schedule(never, steady_time::max());
    own.schedule(soon, own.now() + 1ms);
    EXPECT_EQ(soon.done.get_future().wait_for(10s), std::future_status::ready);
    EXPECT_TRUE(own.withdraw(never));
    auto joined = std::async(std::launch::async, [&pool] { pool.join(); });
    EXPECT_EQ(joined.wait_for(10s), std::future_status::ready);
    pool.stop();
}

TEST(TimerServiceEnd, AbandonsWhatIsPendingEachOnce) {
    std::vector<int> fired;
    std::deque<note> notes;
    {
        asio::io_context context;
        auto& timers = timer_service::of(context.get_executor());
        for (int i = 0; i < 50; ++i) {
            timers.schedule(notes.emplace_back(fired, i + 1), timers.now() + (i * 7 % 50) * 1h);
        }
        timers.withdraw(notes[10]);
    }
    EXPECT_EQ(fired.size(), 49u);
    EXPECT_EQ(std::set<int>(fired.begin(), fired.end()).size(), 49u);
    EXPECT_EQ(std::count_if(fired.begin(), fired.end(), [](int n) { return n < 0; }), 49);
}

TEST(TimerServiceEnd, LetsAnAbandonedEntryWithdrawOthers) {
    class leader : public timer_entry {
    public:
        leader()
            : timer_entry([](timer_entry& e, timer_event) noexcept {
                  auto& self = static_cast<leader&>(e);
                  if (!self.follower) return;
                  self.timers->withdraw(*self.follower);
                  self.follower.reset();
              }) {}
        timer_service* timers = nullptr;
        std::optional<note> follower;
    };
    for (const auto follows : {1h, 3h}) {
        std::vector<int> fired;
        leader first;
        {
            asio::io_context context;
            auto& timers = timer_service::of(context.get_executor());
            first.timers = &timers;
            first.follower.emplace(fired, 1);
            timers.schedule(first, timers.now() + 2h);
            timers.schedule(*first.follower, timers.now() + follows);
        }
        EXPECT_LE(fired.size(), 1u);
    }
}

TEST(TimerServiceRandom, IsEvenAndDiffersFromContextToContext) {
    asio::io_context one;
    asio::io_context two;
    auto& a = timer_service::of(one.get_executor());
    auto& b = timer_service::of(two.get_executor());
    EXPECT_NE(a.random(), b.random());
    std::set<std::uint64_t> drawn;
    int bits = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto r = a.random();
        drawn.insert(r);
        bits += __builtin_popcountll(r);
    }
    EXPECT_EQ(drawn.size(), 1000u);
    EXPECT_NEAR(bits / 64000.0, 0.5, 0.02);
    a.seed(7);
    b.seed(7);
    EXPECT_EQ(a.random(), b.random());
}

}  // namespace
}  // namespace asio_retry::detail
