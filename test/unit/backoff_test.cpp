#include <asio_retry/backoff.hpp>

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::backoff;
using asio_retry::jitter;
using std::chrono::nanoseconds;

constexpr auto most = nanoseconds::max();
constexpr std::uint64_t all_bits = std::numeric_limits<std::uint64_t>::max();

template <typename Make>
std::string refusal(Make make) {
    try {
        make();
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "accepted";
}

TEST(Backoff, TakesAnyDuration) {
    EXPECT_EQ(backoff::constant(1.5s).base(), 1500ms);
    EXPECT_EQ(backoff::exponential(0.1s, std::chrono::hours::max()).cap(), most);
    EXPECT_EQ(backoff::linear(std::chrono::years(1000), std::chrono::years(1000)).base(), most);
    EXPECT_EQ(backoff::decorrelated(1ms, 0.5h).cap(), 30min);
    EXPECT_EQ(backoff::custom([](unsigned, nanoseconds d) { return d; }, 2.5s).cap(), 2500ms);
}

TEST(Backoff, FollowsItsFormula) {
    struct row {
        const char* name;
        backoff schedule;
        std::vector<nanoseconds> delays;
    };
    const row rows[] = {
        {"none", backoff::none(), {0s, 0s, 0s}},
        {"constant", backoff::constant(3s), {3s, 3s, 3s}},
        {"linear", backoff::linear(2s), {2s, 4s, 6s, 8s, 10s, 10s}},
        {"linear under a cap", backoff::linear(2s, 5s), {2s, 4s, 5s, 5s}},
        {"linear of nothing", backoff::linear(0s), {0s, 0s}},
        {"default", backoff(), {100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 10s, 10s}},
        {"exponential", backoff::exponential(1s, 1h), {1s, 2s, 4s, 8s, 16s}},
        {"exponential by 3", backoff::exponential(1s, 1h, 3), {1s, 3s, 9s, 27s}},
        {"exponential by 1.5", backoff::exponential(4s, 1h, 1.5), {4s, 6s, 9s, 13500ms}},
        {"exponential by 1", backoff::exponential(4s, 1h, 1), {4s, 4s, 4s}},
        {"exponential at its cap", backoff::exponential(4s, 4s), {4s, 4s, 4s}},
        {"exponential of nothing", backoff::exponential(0s, 1h), {0s, 0s}},
        {"custom", backoff::custom([](unsigned n, auto) { return n * 1s; }), {1s, 2s, 3s}},
        {"custom under a cap",
         backoff::custom([](unsigned n, auto) { return n * 1s; }, 2s),
         {1s, 2s, 2s}},
        {"custom below zero", backoff::custom([](unsigned, auto) { return -1s; }), {0s, 0s}},
    };
    for (const auto& r : rows) {
        for (unsigned n = 1; n <= r.delays.size(); ++n) {
            SCOPED_TRACE(std::string(r.name) + ", n = " + std::to_string(n));
            const auto expected = r.delays[n - 1];
            EXPECT_EQ(r.schedule.ceiling(n, 7s), expected);
            EXPECT_EQ(backoff(r.schedule).jitter(jitter::none).delay(n, 7s, 12345), expected);
            EXPECT_EQ(r.schedule.delay(n, 7s, all_bits), expected);
            EXPECT_EQ(r.schedule.delay(n, 7s, 0), 0s);
        }
    }
}

TEST(Backoff, GivesACustomScheduleTheDelayBefore) {
    const auto schedule =
        backoff::custom([](unsigned n, nanoseconds previous) { return previous + n * 1ns; });
    EXPECT_EQ(schedule.ceiling(2, 5s), 5s + 2ns);
}

TEST(Backoff, DrawsDecorrelatedDelaysBetweenBaseAndThreeTimesThePrevious) {
    const auto schedule = backoff::decorrelated(1s, 20s);
    struct row {
        nanoseconds previous;
        nanoseconds highest;
    };
    for (const auto& r : std::initializer_list<row>{{0s, 3s},
                                                    {500ms, 3s},
                                                    {1s, 3s},
                                                    {2s, 6s},
                                                    {6s, 18s},
                                                    {7s, 20s},
                                                    {20s, 20s},
                                                    {most, 20s}}) {
        EXPECT_EQ(schedule.ceiling(1, r.previous), r.highest);
        EXPECT_EQ(schedule.delay(1, r.previous, 0), 1s);
        EXPECT_EQ(schedule.delay(1, r.previous, all_bits), r.highest);
    }
    EXPECT_EQ(backoff::decorrelated(5s, 5s).delay(1, 0s, all_bits), 5s);
}

TEST(Backoff, AppliesTheCapBeforeTheJitter) {
    const auto capped = backoff::exponential(1s, 10s);
    std::mt19937_64 random(7);
    int at_cap = 0;
    int lower_half = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto delay = capped.delay(30, 10s, random());
        ASSERT_LE(delay, 10s);
        at_cap += delay == 10s ? 1 : 0;
        lower_half += delay < 5s ? 1 : 0;
    }
    EXPECT_LE(at_cap, 1);
    EXPECT_NEAR(lower_half, 5000, 300);
}

TEST(Backoff, SpreadsDecorrelatedDelaysUnderTheirCap) {
    const auto schedule = backoff::decorrelated(100ms, 10s);
    std::mt19937_64 random(7);
    std::array<int, 10> bins{};
    nanoseconds previous{0};
    for (int i = 0; i < 50'000; ++i) {
        previous = schedule.delay(1, previous, random());
        ASSERT_GE(previous, 100ms);
        ASSERT_LE(previous, 10s);
        if (previous < 10s) ++bins.at(static_cast<std::size_t>(previous / 1s));
    }
    for (const int n : bins) EXPECT_GT(n, 1000);
}

TEST(Backoff, NeverOverflowsNorGoesBelowZero) {
    const std::pair<const char*, backoff> schedules[] = {
        {"constant", backoff::constant(most)},
        {"linear", backoff::linear(1s, most)},
        {"linear, large", backoff::linear(most, most)},
        {"exponential", backoff::exponential(1ns, most)},
        {"exponential, large", backoff::exponential(most, most)},
        {"exponential, steep", backoff::exponential(1ns, most, 1e9)},
        {"exponential, flat", backoff::exponential(1ns, most, 1 + 1e-9)},
        {"decorrelated", backoff::decorrelated(1ns, most)},
        {"decorrelated, large", backoff::decorrelated(most, most)},
        {"custom", backoff::custom([](unsigned, nanoseconds) { return nanoseconds::max(); })},
        {"custom, negative",
         backoff::custom([](unsigned, nanoseconds) { return nanoseconds::min(); })},
    };
    for (auto [name, schedule] : schedules) {
        for (const auto j : {jitter::none, jitter::full, jitter::equal}) {
            schedule.jitter(j);
            for (const unsigned n : {1U, 2U, 63U, 64U, 65U, 1000U, 1U << 20}) {
                for (const auto previous : {0ns, 1ns, most / 3, most / 3 + 1ns, most}) {
                    const auto highest = schedule.ceiling(n, previous);
                    for (const std::uint64_t random : {std::uint64_t{0}, all_bits / 2, all_bits}) {
                        const auto delay = schedule.delay(n, previous, random);
                        ASSERT_GE(delay, 0ns) << name << n;
                        ASSERT_LE(delay, highest) << name << n;
                        ASSERT_LE(delay, schedule.cap()) << name << n;
                    }
                }
            }
        }
    }
    EXPECT_EQ(backoff::exponential(1ns, most).ceiling(std::numeric_limits<unsigned>::max(), 0s),
              most);
    EXPECT_EQ(backoff::linear(2s, most).ceiling(std::numeric_limits<unsigned>::max(), 0s),
              2s * std::int64_t{std::numeric_limits<unsigned>::max()});
}

TEST(Backoff, RefusesTheImpossible) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::string negative = "backoff: the delay is negative; it must be 0 or more";
    const std::string low_cap = "backoff: the cap is below the base; it must be at least the base";
    const std::string factor = "backoff: the factor must be a number from 1 to 1e9";
    EXPECT_EQ(refusal([] { backoff::constant(-1ns); }), negative);
    EXPECT_EQ(refusal([] { backoff::linear(-1ns); }), negative);
    EXPECT_EQ(refusal([] { backoff::exponential(-1ns); }), negative);
    EXPECT_EQ(refusal([] { backoff::decorrelated(-1ns); }), negative);
    EXPECT_EQ(refusal([] { backoff::linear(2s, 1s); }), low_cap);
    EXPECT_EQ(refusal([] { backoff::exponential(11s); }), low_cap);
    EXPECT_EQ(refusal([] { backoff::decorrelated(2s, 1s); }), low_cap);
    EXPECT_EQ(refusal([] { backoff::exponential(1s, 2s, 0.99); }), factor);
    EXPECT_EQ(refusal([] { backoff::exponential(1s, 2s, -2); }), factor);
    EXPECT_EQ(refusal([] { backoff::exponential(1s, 2s, 1.1e9); }), factor);
    EXPECT_EQ(refusal([=] { backoff::exponential(1s, 2s, nan); }), factor);
    EXPECT_EQ(refusal([] { backoff::custom(nullptr); }), "backoff: the custom function is empty");
    EXPECT_EQ(refusal([] { backoff::custom([](unsigned, auto) { return 0ns; }, -1ns); }), low_cap);
}

TEST(Backoff, IsAValue) {
    EXPECT_EQ(backoff(), backoff::exponential(100ms, 10s, 2));
    EXPECT_NE(backoff(), backoff::exponential(100ms, 10s, 3));
    EXPECT_NE(backoff(), backoff().jitter(jitter::equal));
    EXPECT_NE(backoff::constant(1s), backoff::linear(1s, 1s));
    const auto custom = backoff::custom([](unsigned, auto) { return 0ns; });
    const auto copy = custom;
    EXPECT_EQ(custom, copy);
    EXPECT_NE(custom, backoff::custom([](unsigned, auto) { return 0ns; }));
}

TEST(Backoff, TellsItsParts) {
    const auto schedule = backoff::exponential(1s, 2s, 3).jitter(jitter::equal);
    EXPECT_EQ(schedule.type(), backoff::kind::exponential);
    EXPECT_EQ(schedule.base(), 1s);
    EXPECT_EQ(schedule.cap(), 2s);
    EXPECT_EQ(schedule.factor(), 3);
    EXPECT_EQ(schedule.jitter(), jitter::equal);
    EXPECT_EQ(backoff().jitter(), jitter::full);
    EXPECT_TRUE(schedule.is_random());
    EXPECT_FALSE(backoff::constant(1s).jitter(jitter::none).is_random());
    // Decorrelated delays are random by themselves.
    const auto decorrelated = backoff::decorrelated(1s).jitter(jitter::full);
    EXPECT_EQ(decorrelated.jitter(), jitter::none);
    EXPECT_TRUE(decorrelated.is_random());

    EXPECT_EQ(to_string(backoff::kind::constant), "constant");
    EXPECT_EQ(to_string(backoff::kind::linear), "linear");
    EXPECT_EQ(to_string(backoff::kind::exponential), "exponential");
    EXPECT_EQ(to_string(backoff::kind::decorrelated), "decorrelated");
    EXPECT_EQ(to_string(backoff::kind::custom), "custom");
}

}  // namespace
