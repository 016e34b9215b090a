#include <asio_retry/http/rate_limit.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::quota_signal;
using std::chrono::nanoseconds;

using field_list = std::vector<std::pair<std::string, std::string>>;

/// In November 2026.
constexpr std::chrono::system_clock::time_point now(1'795'000'000s);

std::optional<quota_signal> signal_of(const field_list& fields) {
    boost::beast::http::fields all;
    for (const auto& [name, value] : fields) all.insert(name, value);
    return asio_retry::http::rate_limit(all, now);
}

quota_signal quota(std::uint64_t remaining,
                   nanoseconds reset,
                   std::uint64_t whole = 0,
                   nanoseconds window = 0s) {
    quota_signal s(remaining, reset);
    s.quota = whole;
    s.window = window;
    return s;
}

struct row {
    const char* name;
    field_list fields;
    std::optional<quota_signal> expected;
};

void check(const std::vector<row>& rows) {
    for (const auto& r : rows) {
        SCOPED_TRACE(r.name);
        const auto s = signal_of(r.fields);
        ASSERT_EQ(s.has_value(), r.expected.has_value());
        if (!s) continue;
        EXPECT_EQ(s->remaining, r.expected->remaining);
        EXPECT_NEAR(std::chrono::duration<double>(s->reset).count(),
                    std::chrono::duration<double>(r.expected->reset).count(),
                    1e-6);
        EXPECT_EQ(s->quota, r.expected->quota);
        EXPECT_EQ(s->window, r.expected->window);
    }
}

TEST(RateLimit, IsNothingWithoutFields) { EXPECT_EQ(signal_of({}), std::nullopt); }

TEST(RateLimit, ReadsTheList) {
    check({
        {"plain", {{"RateLimit", R"("default";r=50;t=30)"}}, quota(50, 30s)},
        {"a token", {{"RateLimit", "default;r=50;t=30"}}, quota(50, 30s)},
        {"blanks", {{"RateLimit", R"( "a" ; r=50; t=30 )"}}, std::nullopt},
        {"blanks after semicolons", {{"RateLimit", R"("a"; r=50; t=30)"}}, quota(50, 30s)},
        {"other parameters",
         {{"RateLimit", R"("a";r=0;t=5;pk=:dHJpYWw=:;x="y,\";z";b)"}},
         quota(0, 5s)},
        {"with its policy",
         {{"ratelimit", R"("b";r=5;t=6)"}, {"RateLimit-Policy", R"("a";q=10;w=1,"b";q=20;w=60)"}},
         quota(5, 6s, 20, 60s)},
        {"the window for the reset",
         {{"RateLimit", R"("a";r=5)"}, {"RateLimit-Policy", R"("a";q=10;w=7)"}},
         quota(5, 7s, 10, 7s)},
        {"neither reset nor window", {{"RateLimit", R"("a";r=5)"}}, std::nullopt},
        {"reset passed", {{"RateLimit", R"("a";r=5;t=0)"}}, std::nullopt},
        {"the longest per call",
         {{"RateLimit", R"("a";r=10;t=10, "b";r=10;t=20, "c";r=40;t=60)"}},
         quota(10, 20s)},
        {"none left binds most",
         {{"RateLimit", R"("a";r=1;t=3600)"}, {"RateLimit", R"("b";r=0;t=2)"}},
         quota(0, 2s)},
        {"the longest of those with none left",
         {{"RateLimit", R"("a";r=0;t=3,"b";r=0;t=4)"}},
         quota(0, 4s)},
        {"a member that says nothing", {{"RateLimit", R"("a", "b";r=1;t=4)"}}, quota(1, 4s)},
    });
}

TEST(RateLimit, ReadsTheDictionary) {
    check({
        {"whole", {{"RateLimit", "limit=100, remaining=50, reset=5"}}, quota(50, 5s, 100)},
        {"without limit", {{"RateLimit", "remaining=50, reset=5"}}, quota(50, 5s)},
        {"without reset", {{"RateLimit", "limit=100, remaining=50"}}, std::nullopt},
    });
}

TEST(RateLimit, ReadsThreeFields) {
    check({
        {"of the drafts",
         {{"RateLimit-Limit", "100, 100;w=60"},
          {"RateLimit-Remaining", "50"},
          {"RateLimit-Reset", "5"}},
         quota(50, 5s, 100)},
        {"without limit", {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "5"}}, quota(0, 5s)},
        {"without remaining", {{"RateLimit-Reset", "5"}}, std::nullopt},
        {"common, from now",
         {{"X-RateLimit-Limit", "60"}, {"X-RateLimit-Remaining", "7"}, {"X-RateLimit-Reset", "9"}},
         quota(7, 9s, 60)},
        {"common, with decimals",
         {{"X-RateLimit-Remaining", "7"}, {"X-RateLimit-Reset", "0.25"}},
         quota(7, 250ms)},
        {"common, a date",
         {{"X-RateLimit-Remaining", "7"}, {"X-RateLimit-Reset", "1795000042"}},
         quota(7, 42s)},
        {"common, a date in milliseconds",
         {{"X-RateLimit-Remaining", "7"}, {"X-RateLimit-Reset", "1795000042500"}},
         quota(7, 42s + 500ms)},
        {"common, a date in the past",
         {{"X-RateLimit-Remaining", "7"}, {"X-RateLimit-Reset", "1794999999"}},
         std::nullopt},
        {"common, twice",
         {{"X-RateLimit-Remaining", "7"},
          {"X-RateLimit-Remaining", "8"},
          {"X-RateLimit-Reset", "5"}},
         std::nullopt},
    });
}

TEST(RateLimit, PrefersTheNewerFamily) {
    check({
        {"list first",
         {{"X-RateLimit-Remaining", "1"},
          {"X-RateLimit-Reset", "1"},
          {"RateLimit-Remaining", "2"},
          {"RateLimit-Reset", "2"},
          {"RateLimit", R"("a";r=3;t=3)"}},
         quota(3, 3s)},
        {"unless it is malformed",
         {{"RateLimit-Remaining", "2"}, {"RateLimit-Reset", "2"}, {"RateLimit", R"("a;r=3;t=3)"}},
         quota(2, 2s)},
    });
}

TEST(RateLimit, IgnoresWhatIsMalformed) {
    for (const char* text : {R"("a";r=-1;t=5)",
                             R"("a";r=1;t=-5)",
                             R"("a";r=1.5;t=5)",
                             R"("a";r="1";t=)",
                             R"("a";r=1;t=5,)",
                             R"("a";r=1;t=5 "b";r=1;t=5)",
                             R"(("a" "b");r=1;t=5)",
                             R"("a)",
                             R"("a\)",
                             "=",
                             ";r=1;t=5",
                             ",",
                             "a;R=1;t=5",
                             "remaining=x, reset=5"}) {
        EXPECT_EQ(signal_of({{"RateLimit", text}}), std::nullopt) << text;
    }
    for (const char* text :
         {"", "-5", "+5", "5s", "1e3", "nan", "0x5", "5,6", ".", "Sun, 06 Nov"}) {
        EXPECT_EQ(signal_of({{"X-RateLimit-Remaining", "1"}, {"X-RateLimit-Reset", text}}),
                  std::nullopt)
            << text;
        EXPECT_EQ(signal_of({{"X-RateLimit-Remaining", text}, {"X-RateLimit-Reset", "5"}}),
                  std::nullopt)
            << text;
    }
}

TEST(RateLimit, KeepsToTheRange) {
    const auto s =
        signal_of({{"RateLimit", R"("a";r=18446744073709551615;t=18446744073709551615)"}});
    ASSERT_TRUE(s);
    EXPECT_EQ(s->reset, nanoseconds::max());
    const std::string digits(400, '9');
    EXPECT_EQ(signal_of({{"RateLimit", "\"a\";r=" + digits + ";t=1"}}), std::nullopt);
    const auto far = signal_of({{"X-RateLimit-Remaining", "1"}, {"X-RateLimit-Reset", digits}});
    EXPECT_TRUE(!far || far->reset == nanoseconds::max());
}

}  // namespace
