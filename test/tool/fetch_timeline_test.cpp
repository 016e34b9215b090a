// The lines of --timeline, to the letter.
#include <asio_retry/http/error.hpp>

#include <boost/asio/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tool/fetch_timeline.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace asio_retry::tool {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class printed {
public:
    timeline make(const std::vector<std::string>& urls, colour colours = colour::off) {
        return {urls, colours, [this](const std::string& line) { lines.push_back(line); }};
    }
    /// The n-th line from its label on: what comes before is the time of day of the test.
    std::string rest(std::size_t n) const { return lines.at(n).substr(10); }

    std::vector<std::string> lines;
};

attempt_record attempt_number(unsigned n) {
    attempt_record a;
    a.number = n;
    a.elapsed = 1100us;
    return a;
}

attempt_record with_status(unsigned n, int status, std::optional<failure_kind> kind = {}) {
    auto a = attempt_number(n);
    a.status = status;
    a.kind = kind;
    return a;
}

TEST(FetchTimeline, ALineForEachAttemptOnceItsDelayIsKnown) {
    printed out;
    auto lines = out.make({"http://h:1/a", "http://h:1/longer"});
    lines.print_title();
    const auto watch = lines.watch(0);
    auto first = with_status(1, 503, failure_kind::server);
    watch->attempt_finished("", first);
    EXPECT_EQ(out.lines.size(), 1U);
    first.delay = 150ms;
    first.source = delay_source::backoff;
    watch->retry_scheduled("", first);
    watch->attempt_finished("", with_status(2, 200));
    ASSERT_EQ(out.lines.size(), 3U);
    EXPECT_EQ(out.lines[0], "    time  url      try  result                          took  then\n");
    EXPECT_EQ(out.rest(1),
              "/a         1  503 server                    1.1 ms  again in 150 ms (backoff)\n");
    EXPECT_EQ(out.rest(2), "/a         2  200                           1.1 ms  done\n");
    EXPECT_THAT(out.lines[1], StartsWith("   0.00"));
}

TEST(FetchTimeline, SaysWhereADelayCameFrom) {
    printed out;
    auto lines = out.make({"http://h/a"});
    const auto watch = lines.watch(0);
    auto a = with_status(1, 429, failure_kind::throttling);
    a.delay = 2s;
    a.source = delay_source::retry_after;
    watch->attempt_finished("", a);
    watch->retry_scheduled("", a);
    EXPECT_THAT(out.lines.back(), HasSubstr("again in 2.00 s (the server asked: Retry-After)"));
    a = attempt_number(2);
    a.kind = failure_kind::connection_lost;
    a.error = boost::asio::error::connection_reset;
    a.source = delay_source::stale_connection;
    watch->attempt_finished("", a);
    watch->retry_scheduled("", a);
    EXPECT_THAT(out.lines.back(), HasSubstr("Connection reset by peer"));
    EXPECT_THAT(out.lines.back(), HasSubstr("again at once on a fresh connection"));
}

TEST(FetchTimeline, SaysWhyACallWasGivenUp) {
    printed out;
    auto lines = out.make({"http://h/a"});
    const auto watch = lines.watch(0);
    const auto last = with_status(4, 503, failure_kind::server);
    watch->attempt_finished("", last);
    watch->gave_up("", retry_report(reason::attempts_exhausted, {}, 4, 1s, {last}, 0));
    ASSERT_EQ(out.lines.size(), 1U);
    EXPECT_THAT(out.lines[0], HasSubstr("  4  503 server"));
    EXPECT_THAT(out.lines[0], HasSubstr("gave up: attempts_exhausted\n"));
}

TEST(FetchTimeline, ACallThatEndsInADelayGetsALineForThat) {
    printed out;
    auto lines = out.make({"http://h/a"});
    const auto watch = lines.watch(0);
    auto a = with_status(1, 503, failure_kind::server);
    a.delay = 10s;
    a.source = delay_source::backoff;
    watch->attempt_finished("", a);
    watch->retry_scheduled("", a);
    watch->gave_up("", retry_report(reason::cancelled, {}, 1, 1s, {a}, 0));
    ASSERT_EQ(out.lines.size(), 2U);
    EXPECT_THAT(out.rest(1), HasSubstr("/a     -  -"));
    EXPECT_THAT(out.lines[1], HasSubstr("gave up: cancelled\n"));
}

TEST(FetchTimeline, FrequentErrorsFitTheColumn) {
    printed out;
    auto lines = out.make({"http://h/a"});
    const auto watch = lines.watch(0);
    auto a = attempt_number(1);
    a.kind = failure_kind::connection_lost;
    a.error = http::error::incomplete_response;
    watch->attempt_finished("", a);
    watch->retry_scheduled("", a);
    EXPECT_EQ(out.rest(0), "/a     1  response cut short            1.1 ms  done\n");
}

TEST(FetchTimeline, TellsARedirectFromAnEnd) {
    printed out;
    auto lines = out.make({"http://h/a"});
    const auto watch = lines.watch(0);
    watch->attempt_finished("", with_status(1, 302));
    EXPECT_TRUE(out.lines.empty());
    watch->attempt_started("", attempt(2, steady_time::max()));
    ASSERT_EQ(out.lines.size(), 1U);
    EXPECT_EQ(out.rest(0), "/a     1  302                           1.1 ms  redirect\n");
    watch->attempt_finished("", with_status(2, 304));
    lines.end(0);
    ASSERT_EQ(out.lines.size(), 2U);
    EXPECT_EQ(out.rest(1), "/a     2  304                           1.1 ms  done\n");
    lines.end(0);
    EXPECT_EQ(out.lines.size(), 2U);
}

TEST(FetchTimeline, HasALineForEachOfAttemptsSideBySide) {
    printed out;
    auto lines = out.make({"http://h/a"});
    auto watch = lines.watch(0);
    auto cut_off = attempt_number(1);
    cut_off.kind = failure_kind::cancelled;
    cut_off.error = boost::asio::error::operation_aborted;
    watch->attempt_finished("", with_status(2, 200));
    watch->attempt_finished("", cut_off);
    lines.end(0);
    ASSERT_EQ(out.lines.size(), 2U);
    EXPECT_THAT(out.rest(0), HasSubstr("  2  200 "));
    EXPECT_THAT(out.rest(1), HasSubstr("  1  Operation canceled "));
    EXPECT_THAT(out.rest(1), HasSubstr("  another attempt won\n"));

    watch = lines.watch(0);
    const auto first = with_status(1, 503, failure_kind::server);
    const auto second = with_status(2, 503, failure_kind::server);
    watch->attempt_finished("", second);
    watch->attempt_finished("", first);
    watch->gave_up("", retry_report(reason::attempts_exhausted, {}, 2, 1s, {first, second}, 0));
    lines.end(0);
    ASSERT_EQ(out.lines.size(), 4U);
    EXPECT_THAT(out.rest(2), HasSubstr("  1  503 server "));
    EXPECT_THAT(out.rest(2), HasSubstr("  not repeated\n"));
    EXPECT_THAT(out.rest(3), HasSubstr("  2  503 server "));
    EXPECT_THAT(out.rest(3), HasSubstr("  gave up: attempts_exhausted\n"));
}

TEST(FetchTimeline, LabelsAreAsShortAsTheyCanBe) {
    printed out;
    auto lines = out.make({"http://h:1", "http://h:2/a?b=1"});
    lines.watch(0)->attempt_finished("", with_status(1, 200));
    lines.watch(1)->attempt_finished("", with_status(1, 200));
    EXPECT_THAT(out.rest(0), StartsWith("h:1          1  200"));
    EXPECT_THAT(out.rest(1), StartsWith("h:2/a?b=1    1"));

    auto long_one = out.make({"http://h/" + std::string(60, 'x') + "end"});
    long_one.watch(0)->attempt_finished("", with_status(1, 200));
    EXPECT_THAT(out.rest(2), StartsWith("/xxxxxxxxxxxxxxxxxx..xxxxxxxxxxxxxxxxend  "));
}

TEST(FetchTimeline, ColoursOnlyWhereWanted) {
    printed out;
    auto plain = out.make({"http://h/a"});
    auto coloured = out.make({"http://h/a"}, colour::on);
    plain.watch(0)->attempt_finished("", with_status(1, 200));
    coloured.watch(0)->attempt_finished("", with_status(1, 200));
    EXPECT_EQ(out.lines[0].find('\x1b'), std::string::npos);
    EXPECT_THAT(out.lines[1], HasSubstr("\x1b[32m200"));
}

TEST(FetchTimeline, ShortDurations) {
    EXPECT_EQ(short_duration(0ns), "0.0 ms");
    EXPECT_EQ(short_duration(940us), "0.9 ms");
    EXPECT_EQ(short_duration(9960us), "10 ms");
    EXPECT_EQ(short_duration(153ms), "153 ms");
    EXPECT_EQ(short_duration(999600us), "1.00 s");
    EXPECT_EQ(short_duration(1714ms), "1.71 s");
    EXPECT_EQ(short_duration(9996ms), "10 s");
    EXPECT_EQ(short_duration(119s), "119 s");
    EXPECT_EQ(short_duration(125s), "2 m 5 s");
}

}  // namespace
}  // namespace asio_retry::tool
