#include <asio_retry/pacer.hpp>

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::pacer;
using asio_retry::quota_signal;
using asio_retry::steady_time;
using std::chrono::nanoseconds;

constexpr steady_time start{1000s};

quota_signal quota(std::uint64_t remaining,
                   nanoseconds reset,
                   std::uint64_t whole = 0,
                   nanoseconds window = 0s) {
    quota_signal s(remaining, reset);
    s.quota = whole;
    s.window = window;
    return s;
}

/// The turns of so many callers that come at the same time, since `start`.
std::vector<nanoseconds> crowd(pacer& p, int callers, steady_time now = start) {
    std::vector<nanoseconds> turns;
    for (int i = 0; i < callers; ++i) turns.push_back(p.take_turn(now).value() - start);
    return turns;
}

using turns = std::vector<nanoseconds>;

TEST(Pacer, LetsEverybodyGoBeforeItIsTold) {
    pacer p;
    EXPECT_EQ(crowd(p, 3), (turns{0s, 0s, 0s}));
}

TEST(Pacer, SpreadsACrowdOverTheWindow) {
    pacer p;
    p.told(quota(4, 8s), start);
    EXPECT_EQ(crowd(p, 4), (turns{0s, 2s, 4s, 6s}));
}

TEST(Pacer, HoldsTheRestUntilTheReset) {
    pacer p;
    p.told(quota(2, 8s, 16, 8s), start);
    EXPECT_EQ(crowd(p, 5), (turns{0s, 4s, 8s, 8s + 500ms, 9s}));
}

TEST(Pacer, HoldsEverybodyWhereNothingIsLeft) {
    pacer p;
    p.told(quota(0, 3s), start);
    EXPECT_EQ(crowd(p, 2), (turns{3s, 3s}));
    pacer known;
    known.told(quota(0, 3s, 10, 1s), start);
    EXPECT_EQ(crowd(known, 3), (turns{3s, 3s + 100ms, 3s + 200ms}));
}

TEST(Pacer, DoesNotHoldUpWhoComesSlowly) {
    pacer p;
    p.told(quota(10, 10s), start);
    for (int i = 0; i < 10; ++i) {
        const steady_time now = start + std::chrono::seconds(i);
        EXPECT_EQ(p.take_turn(now), now);
    }
}

TEST(Pacer, LetsEverybodyGoAfterTheReset) {
    pacer p;
    p.told(quota(1, 2s), start);
    EXPECT_EQ(crowd(p, 1), turns{0s});
    EXPECT_EQ(crowd(p, 3, start + 2s), (turns{2s, 2s, 2s}));
}

TEST(Pacer, RefusesATurnThatIsTooLate) {
    pacer p;
    p.told(quota(2, 8s), start);
    EXPECT_TRUE(p.take_turn(start, start + 1s));
    EXPECT_FALSE(p.take_turn(start, start + 4s));
    // Nothing was taken by that.
    EXPECT_EQ(p.take_turn(start, start + 5s), start + 4s);
}

TEST(Pacer, HandsOnATurnThatWasGivenBack) {
    pacer p;
    p.told(quota(4, 8s), start);
    EXPECT_EQ(crowd(p, 2), (turns{0s, 2s}));
    p.give_back(start + 2s);
    EXPECT_EQ(crowd(p, 3), (turns{2s, 4s, 6s}));
    EXPECT_EQ(crowd(p, 1), turns{8s});
    // Of a turn in the middle only the place in the quota comes back.
    pacer q;
    q.told(quota(4, 8s), start);
    EXPECT_EQ(crowd(q, 3), (turns{0s, 2s, 4s}));
    q.give_back(start + 2s);
    EXPECT_EQ(crowd(q, 2), (turns{6s, 7s}));
}

TEST(Pacer, BelievesTheLowestNumberOfAWindow) {
    pacer p;
    p.told(quota(4, 8s), start);
    EXPECT_EQ(crowd(p, 2), (turns{0s, 2s}));
    p.told(quota(4, 8s), start);          // a late answer from before these two
    p.told(quota(4, 8s + 900ms), start);  // the same, rounded otherwise
    EXPECT_EQ(crowd(p, 2), (turns{4s, 6s}));
    EXPECT_GE(crowd(p, 1).at(0), 8s);
}

TEST(Pacer, MakesRoomForOthersOfTheSameQuota) {
    pacer p;
    p.told(quota(8, 8s), start);
    EXPECT_EQ(crowd(p, 1), turns{0s});
    p.told(quota(2, 7s), start + 1s);
    EXPECT_EQ(crowd(p, 2, start + 1s), (turns{1s, 4s + 500ms}));
}

TEST(Pacer, TakesUpTheNextWindow) {
    pacer p;
    p.told(quota(1, 2s), start);
    EXPECT_EQ(crowd(p, 1), turns{0s});
    p.told(quota(4, 8s), start + 2s);
    EXPECT_EQ(crowd(p, 2, start + 2s), (turns{2s, 4s}));
}

TEST(Pacer, CountsThoseThatStillWaitInTheNextWindow) {
    pacer p;
    p.told(quota(1, 1s, 4, 4s), start);
    EXPECT_EQ(crowd(p, 4), (turns{0s, 1s, 2s, 3s}));
    // Two of them have yet to go, of the three that the server now sees left.
    p.told(quota(3, 4s, 4, 4s), start + 1s);
    EXPECT_EQ(crowd(p, 2, start + 1s), (turns{4s, 5s}));
}

TEST(Pacer, SpreadsTheBeginningOfTheNextWindow) {
    std::set<nanoseconds> seen;
    for (const std::uint64_t random : {0ULL, 123'456'789ULL, 987'654'321'000ULL}) {
        pacer p;
        p.told(quota(0, 5s), start, random);
        const auto turn = crowd(p, 1).at(0);
        EXPECT_GE(turn, 5s);
        EXPECT_LE(turn, 5s + 500ms);
        seen.insert(turn);
    }
    EXPECT_EQ(seen.size(), 3U);
    pacer p;
    p.told(quota(0, 1h), start, 999'999'999'999ULL);
    EXPECT_LE(crowd(p, 1).at(0), 1h + 1s);
}

TEST(Pacer, SurvivesAnyNumber) {
    for (const auto& s : {quota(~0ULL, nanoseconds::max(), ~0ULL, nanoseconds::max()),
                          quota(0, nanoseconds::max()),
                          quota(~0ULL, 1ns),
                          quota(1, 1ns, ~0ULL, 1ns)}) {
        pacer p;
        p.told(s, start, ~0ULL);
        p.told(s, start + 1s, ~0ULL);
        for (int i = 0; i < 3; ++i) {
            const auto turn = p.take_turn(start);
            EXPECT_TRUE(!turn || *turn >= start);
        }
    }
    pacer p;
    p.told(quota(0, 0s), start);
    p.told(quota(0, -1s), start);
    EXPECT_EQ(crowd(p, 2), (turns{0s, 0s}));
}

TEST(Pacer, GivesNoTurnTwice) {
    pacer p;
    p.told(quota(10'000, 1000s), start);
    std::vector<std::vector<steady_time>> taken(4);
    {
        std::vector<std::jthread> threads;
        for (auto& mine : taken) {
            threads.emplace_back([&p, &mine] {
                for (int i = 0; i < 1000; ++i) mine.push_back(p.take_turn(start).value());
            });
        }
    }
    std::set<steady_time> all;
    for (const auto& mine : taken) all.insert(mine.begin(), mine.end());
    EXPECT_EQ(all.size(), 4000U);
}

}  // namespace
