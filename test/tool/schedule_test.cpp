#include "tool/schedule.hpp"

#include "tool/schedule_svg.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace asio_retry::tool {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using ::testing::HasSubstr;

constexpr auto unlimited = retry_policy::unlimited;

struct row {
    nanoseconds shortest, longest, earliest, latest, end;
    bool may_be_cut_off = false;
};

void expect(const schedule& s, const std::vector<row>& rows) {
    ASSERT_EQ(s.attempts.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        SCOPED_TRACE(i + 1);
        const auto& a = s.attempts[i];
        EXPECT_EQ(a.number, i + 1);
        EXPECT_EQ(a.shortest_delay, rows[i].shortest);
        EXPECT_EQ(a.longest_delay, rows[i].longest);
        EXPECT_EQ(a.earliest, rows[i].earliest);
        EXPECT_EQ(a.latest, rows[i].latest);
        EXPECT_EQ(a.end, rows[i].end);
        EXPECT_EQ(a.may_be_cut_off, rows[i].may_be_cut_off);
    }
}

TEST(Schedule, AddsUpAttemptsAndDelays) {
    const auto s = schedule_of(retry_policy().attempt_timeout(1s).max_attempts(4).backoff(
        backoff::exponential(100ms, 300ms)));
    expect(s,
           {{0s, 0s, 0s, 0s, 1s},
            {0s, 100ms, 0s, 1100ms, 2100ms},
            {0s, 200ms, 0s, 2300ms, 3300ms},
            {0s, 300ms, 0s, 3600ms, 4600ms}});
    EXPECT_EQ(s.total, 4600ms);
    EXPECT_FALSE(s.is_total_timeout);
}

TEST(Schedule, KnowsTheRangeOfEachJitter) {
    const auto second = [](backoff b) {
        return schedule_of(retry_policy().attempt_timeout(1s).max_attempts(3).backoff(b))
            .attempts[2];
    };
    const auto none = second(backoff::linear(1s).jitter(jitter::none));
    EXPECT_EQ(none.shortest_delay, 2s);
    EXPECT_EQ(none.longest_delay, 2s);
    EXPECT_EQ(none.earliest, 3s);
    EXPECT_EQ(none.latest, 5s);
    const auto equal = second(backoff::linear(1s).jitter(jitter::equal));
    EXPECT_EQ(equal.shortest_delay, 1s);
    EXPECT_EQ(equal.longest_delay, 2s);
    EXPECT_EQ(equal.earliest, 1500ms);
    const auto decorrelated = second(backoff::decorrelated(1s, 5s));
    EXPECT_EQ(decorrelated.shortest_delay, 1s);
    EXPECT_EQ(decorrelated.longest_delay, 5s);
    EXPECT_EQ(decorrelated.earliest, 2s);
    EXPECT_EQ(decorrelated.latest, 2s + 3s + 5s);
}

TEST(Schedule, EndsAtTheTotalTimeout) {
    const auto s =
        schedule_of(retry_policy().attempt_timeout(2s).total_timeout(5s).max_attempts(5).backoff(
            backoff::constant(2s).jitter(jitter::none)));
    expect(s, {{0s, 0s, 0s, 0s, 2s}, {2s, 2s, 2s, 4s, 5s}, {2s, 2s, 4s, 5s, 5s, true}});
    EXPECT_EQ(s.total, 5s);
    EXPECT_TRUE(s.is_total_timeout);
    EXPECT_EQ(s.max_attempts, 5U);
}

TEST(Schedule, HasNoEndWithoutATimeout) {
    const auto s = schedule_of(retry_policy().max_attempts(2).backoff(backoff::constant(1s)));
    expect(s, {{0s, 0s, 0s, 0s, unlimited}, {0s, 1s, 0s, unlimited, unlimited}});
    EXPECT_EQ(s.total, unlimited);
    EXPECT_FALSE(s.is_total_timeout);
}

TEST(Schedule, IsOneForEachKindWithLimitsOfItsOwn) {
    const auto all = schedules_of(
        retry_policy()
            .attempt_timeout(1s)
            .on(failure_kind::timeout, kind_limits().max_attempts(2))
            .on(failure_kind::throttling, kind_limits().backoff(backoff::constant(9s))));
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].kind, std::nullopt);
    EXPECT_EQ(all[1].kind, failure_kind::timeout);
    EXPECT_EQ(all[1].attempts.size(), 2U);
    EXPECT_EQ(all[2].kind, failure_kind::throttling);
    EXPECT_EQ(all[2].attempts.size(), 3U);
    EXPECT_EQ(all[2].attempts[1].longest_delay, 9s);
}

TEST(Schedule, ListsTheFirstFiftyOfVeryManyAttempts) {
    const auto s = schedule_of(retry_policy().max_attempts(4'000'000'000).attempt_timeout(1s));
    EXPECT_EQ(s.attempts.size(), longest_schedule);
    EXPECT_EQ(s.max_attempts, 4'000'000'000);
    EXPECT_EQ(s.total, unlimited);
}

TEST(ScheduleSvg, IsOneDocumentWithARowForEachAttempt) {
    const auto text = draw("GET <&\"> x", schedules_of(retry_policy().attempt_timeout(1s)));
    EXPECT_TRUE(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
    EXPECT_TRUE(text.ends_with("</svg>\n"));
    EXPECT_THAT(text, HasSubstr("GET &lt;&amp;&quot;&gt; x"));
    EXPECT_THAT(text, HasSubstr("prefers-color-scheme:dark"));
    for (const char* each : {"attempt 1", "attempt 2", "attempt 3"}) {
        EXPECT_THAT(text, HasSubstr(each));
    }
    EXPECT_EQ(text.find("attempt 4"), std::string::npos);
    EXPECT_EQ(text.find("nan"), std::string::npos);
    EXPECT_EQ(text.find("inf"), std::string::npos);
}

TEST(ScheduleSvg, CanDrawAnySchedule) {
    const retry_policy table[] = {retry_policy::never(),
                                  retry_policy().max_attempts(2),
                                  retry_policy().total_timeout(0s),
                                  retry_policy().max_attempts(100).attempt_timeout(1ns),
                                  retry_policy().attempt_timeout(std::chrono::hours(2'000'000))};
    for (const auto& policy : table) {
        const auto text = draw("x", schedules_of(policy));
        EXPECT_EQ(text.find("nan"), std::string::npos);
        EXPECT_EQ(text.find("inf"), std::string::npos);
        EXPECT_EQ(text.find("width=\"-"), std::string::npos);
    }
}

}  // namespace
}  // namespace asio_retry::tool
