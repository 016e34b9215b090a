#include <asio_retry/http/retry_after.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::http::parse_http_date;
using asio_retry::http::parse_retry_after;
using asio_retry::http::retry_after;
using boost::beast::http::fields;
using std::chrono::nanoseconds;
using std::chrono::sys_days;
using std::chrono::system_clock;
using namespace std::chrono;

constexpr system_clock::time_point at(int y, unsigned m, unsigned d, seconds time = 0s) {
    return sys_days(year(y) / month(m) / day(d)) + time;
}

constexpr auto noon = at(2024, 3, 1, 12h);

TEST(HttpDate, ReadsWhatIsADateAndRefusesTheRest) {
    std::ifstream file(ASIO_RETRY_TEST_DATA "/http_dates.tsv");
    ASSERT_TRUE(file);
    int dates = 0;
    int others = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        SCOPED_TRACE(line);
        const auto tab = line.find('\t');
        const auto got = parse_http_date(line.substr(0, tab), noon);
        if (tab + 1 == line.size()) {
            ++others;
            EXPECT_FALSE(got);
            continue;
        }
        ++dates;
        // The clock ends in 2262, one of the dates lies in 3144.
        const auto expected = std::min<std::int64_t>(
            std::stoll(line.substr(tab + 1)),
            floor<seconds>(system_clock::time_point::max()).time_since_epoch().count());
        ASSERT_TRUE(got);
        EXPECT_EQ(floor<seconds>(*got).time_since_epoch().count(), expected);
    }
    EXPECT_GE(dates, 10);
    EXPECT_GE(others, 150);
}

TEST(HttpDate, RefusesImpossibleTimes) {
    for (const char* text : {
             "Sun, 00 Nov 1994 08:49:37 GMT",
             "Wed, 31 Nov 1994 08:49:37 GMT",
             "Wed, 29 Feb 2023 08:49:37 GMT",
             "Thu, 29 Feb 1900 08:49:37 GMT",
             "Sun, 06 Nov 1994 24:00:00 GMT",
             "Sun, 06 Nov 1994 08:60:00 GMT",
             "Sun, 06 Nov 1994 08:59:60 GMT",
             "Sun, 06 Nov 1994 23:59:61 GMT",
             "Sun, 06 Nov 1994 08:49:37 GMT ",
             "Sun, 06 Nov 1994 08:49:37 GM",
             "Sun, 06 Nov 1994 08:49:37",
             "Sun, 06 Nov +994 08:49:37 GMT",
             "Sun Nov 06 08:49:37 1994 GMT",
             "Sun Nov   6 08:49:37 1994",
             "Sun, 06-Nov-94 08:49:37 GMT",
             "Sunday, 31-Feb-94 08:49:37 GMT",
         }) {
        EXPECT_FALSE(parse_http_date(text, noon)) << text;
    }
    EXPECT_FALSE(parse_http_date(std::string_view("Sun, 06 Nov 1994 08:49:37 GMT\0", 30), noon));
}

TEST(HttpDate, TakesALeapSecondForTheNextOne) {
    EXPECT_EQ(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", noon), at(2017, 1, 1));
    EXPECT_EQ(parse_http_date("Saturday, 31-Dec-16 23:59:60 GMT", noon), at(2017, 1, 1));
    EXPECT_EQ(parse_http_date("Sat Dec 31 23:59:60 2016", noon), at(2017, 1, 1));
}

TEST(HttpDate, ReadsATwoDigitYearAsAtMostFiftyYearsAhead) {
    struct row {
        const char* name;
        const char* text;
        system_clock::time_point now;
        system_clock::time_point expected;
    };
    const row rows[] = {
        {"the past", "Sunday, 06-Nov-94 08:49:37 GMT", noon, at(1994, 11, 6, 8h + 49min + 37s)},
        {"the future", "Monday, 06-Nov-50 00:00:00 GMT", noon, at(2050, 11, 6)},
        {"fifty years to the second", "Monday, 01-Mar-74 12:00:00 GMT", noon, at(2074, 3, 1, 12h)},
        {"a second more", "Monday, 01-Mar-74 12:00:01 GMT", noon, at(1974, 3, 1, 12h + 1s)},
        {"before a new century", "Monday, 01-Jan-01 00:00:00 GMT", at(1999, 6, 1), at(2001, 1, 1)},
        {"at the end of one", "Monday, 01-Jan-49 00:00:00 GMT", at(2099, 6, 1), at(2149, 1, 1)},
        {"after a new century", "Monday, 31-Dec-99 00:00:00 GMT", at(2000, 1, 1), at(1999, 12, 31)},
        {"a leap day", "Tuesday, 29-Feb-00 00:00:00 GMT", at(2060, 1, 1), at(2000, 2, 29)},
        {"on a leap day", "Monday, 01-Mar-74 00:00:00 GMT", at(2024, 2, 29), at(1974, 3, 1)},
    };
    for (const auto& r : rows) EXPECT_EQ(parse_http_date(r.text, r.now), r.expected) << r.name;
}

TEST(HttpDate, IsTheNearestEndOfTheClockBeyondIt) {
    constexpr auto least = system_clock::time_point::min();
    constexpr auto most = system_clock::time_point::max();
    EXPECT_EQ(parse_http_date("Fri, 31 Dec 9999 23:59:60 GMT", noon), most);
    EXPECT_EQ(parse_http_date("Sat, 01 Jan 0000 00:00:00 GMT", noon), least);
    for (const auto now : {least, most}) {
        EXPECT_TRUE(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", now));
        EXPECT_TRUE(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", now));
    }
}

TEST(RetryAfter, CountsFromNow) {
    struct row {
        const char* value;
        nanoseconds expected;
    };
    const row rows[] = {
        {"0", 0s},
        {"120", 120s},
        {"0120", 120s},
        {" \t7 \t", 7s},
        {"Fri, 01 Mar 2024 12:00:30 GMT", 30s},
        {"Friday, 01-Mar-24 13:00:00 GMT", 1h},
        {"Fri Mar  1 12:00:01 2024", 1s},
        {"  Fri, 01 Mar 2024 12:00:30 GMT\t", 30s},
        {"Fri, 01 Mar 2024 12:00:00 GMT", 0s},
        {"Fri, 01 Mar 2024 11:59:59 GMT", 0s},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0s},
        {"Mon, 01 Jan 0001 00:00:00 GMT", 0s},
        {"9223372036", 9223372036s},
        {"9223372037", nanoseconds::max()},
        {"9223372036854775808", nanoseconds::max()},
        {"99999999999999999999999999999999999999999999", nanoseconds::max()},
    };
    for (const auto& r : rows) EXPECT_EQ(parse_retry_after(r.value, noon), r.expected) << r.value;
    EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", at(1700, 1, 1)),
              nanoseconds::max());
    EXPECT_GT(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", noon),
              nanoseconds(24h * 365 * 200));
}

TEST(RetryAfter, IgnoresWhatIsMalformed) {
    const std::vector<std::string> values = {
        "",
        " ",
        "-1",
        "-0",
        "+5",
        "1.5",
        "1,5",
        "5s",
        "5 seconds",
        "0x10",
        "1e3",
        "1 2",
        "120, 60",
        "NaN",
        "inf",
        "soon",
        "\xD9\xA1\xD9\xA2",  // digits, but not ASCII's
        "99999999999999999999-",
        "Fri, 01 Mar 2024 12:00:30",
        "Fri, 01 Mar 2024 12:00:30 UTC",
        "Fri, 01 Mar 2024 12:00:30 +0000",
        "Fri, 01 Mar 2024 12:00:30 CET",
        "fri, 01 mar 2024 12:00:30 gmt",
        "Fri, 1 Mar 2024 12:00:30 GMT",
        "Fri, 01 Mar 24 12:00:30 GMT",
        "Fri, 01-Mar-2024 12:00:30 GMT",
        "01 Mar 2024 12:00:30 GMT",
        "2024-03-01T12:00:30Z",
        "Fri, 01 Mar 2024 25:00:00 GMT",
        "Fri, 31 Feb 2024 12:00:30 GMT",
        "Fri, 01 Mar 2024 12:00:30 GMT; foo",
        "\"120\"",
        std::string("5\0", 2),
        std::string(8000, 'x'),
    };
    for (const auto& value : values) EXPECT_FALSE(parse_retry_after(value, noon)) << value;
}

TEST(RetryAfter, IsAbsentWithoutTheField) {
    EXPECT_FALSE(retry_after(fields(), noon));
    fields f;
    f.insert("Retry-Afte", "5");
    EXPECT_FALSE(retry_after(f, noon));
}

TEST(RetryAfter, TakesTheLongestOfSeveralFields) {
    fields f;
    f.insert("Retry-After", "5");
    f.insert("retry-after", "Fri, 01 Mar 2024 12:01:00 GMT");
    f.insert("RETRY-AFTER", "forever");
    f.insert("Retry-After", "20");
    EXPECT_EQ(retry_after(f, noon), 60s);
}

TEST(RetryAfter, SkipsMalformedFieldsBesideGoodOnes) {
    fields f;
    f.insert("Retry-After", "-1");
    EXPECT_FALSE(retry_after(f, noon));
    f.insert("Retry-After", "0");
    EXPECT_EQ(retry_after(f, noon), 0s);
}

TEST(RetryAfter, IsNeverNegativeWhateverComes) {
    std::mt19937 random(1);
    const std::string dates[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                 "Sunday, 06-Nov-94 08:49:37 GMT",
                                 "Sun Nov  6 08:49:37 1994",
                                 "9223372036"};
    const system_clock::time_point times[] = {
        system_clock::time_point::min(), at(1970, 1, 1), noon, system_clock::time_point::max()};
    for (int i = 0; i < 50'000; ++i) {
        std::string value = dates[random() % std::size(dates)];
        for (auto n = random() % 4; n > 0; --n) {
            const auto place = random() % value.size();
            value[place] = static_cast<char>(random() % 2 == 0 ? '0' + random() % 10 : random());
        }
        if (random() % 8 == 0) value.resize(random() % value.size());
        const auto delay = parse_retry_after(value, times[random() % std::size(times)]);
        EXPECT_GE(delay.value_or(0s), 0s) << value;
    }
}

}  // namespace
