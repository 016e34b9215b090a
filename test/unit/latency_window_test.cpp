#include <asio_retry/detail/latency_window.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace {

using namespace std::chrono_literals;
using asio_retry::detail::latency_window;

TEST(LatencyWindow, TellsNothingBeforeThereAreEnough) {
    latency_window w;
    for (int i = 0; i < 31; ++i) {
        w.record(1ms);
        EXPECT_FALSE(w.p95());
    }
    w.record(1ms);
    EXPECT_EQ(w.p95(), 1ms);
}

TEST(LatencyWindow, FindsTheLatencyThat95Of100DoNotExceed) {
    latency_window w;
    for (int i = 200; i >= 1; --i) w.record(i * 1ms);
    EXPECT_EQ(w.p95(), 191ms) << "so that at most 1 in 20 of the next exceed it";
}

TEST(LatencyWindow, IsNotMovedByOneSlowCallInAHundred) {
    latency_window w;
    std::mt19937 random(1);
    for (int i = 0; i < 10'000; ++i) {
        w.record(random() % 100 == 0 ? 1s : 10ms);
        if (w.p95()) {
            EXPECT_EQ(w.p95(), 10ms);
        }
    }
}

TEST(LatencyWindow, ForgetsAllButTheLatest256) {
    latency_window w;
    for (int i = 0; i < 1000; ++i) w.record(1s);
    EXPECT_EQ(w.p95(), 1s);
    for (int i = 0; i < 256; ++i) w.record(1ms);
    EXPECT_EQ(w.p95(), 1ms);
}

TEST(LatencyWindow, LooksAgainAfter32Calls) {
    latency_window w;
    for (int i = 0; i < 256; ++i) w.record(1ms);
    EXPECT_EQ(w.p95(), 1ms);
    for (int i = 0; i < 31; ++i) w.record(1s);
    EXPECT_EQ(w.p95(), 1ms);
    w.record(1s);
    EXPECT_EQ(w.p95(), 1s);
}

TEST(LatencyWindow, TakesAnyDuration) {
    for (const auto& [given, found] : {std::pair{0ns, 1us},
                                       {-5ns, 1us},
                                       {1ns, 1us},
                                       {1001ns, 2us},
                                       {std::chrono::nanoseconds::max(), 4'294'967'295us},
                                       {std::chrono::nanoseconds::min(), 1us}}) {
        latency_window w;
        for (int i = 0; i < 32; ++i) w.record(given);
        EXPECT_EQ(w.p95(), found) << given.count();
    }
}

}  // namespace
