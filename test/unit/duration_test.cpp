// Durations in words: strict in, exact out.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/detail/duration_text.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>

namespace asio_retry::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

struct valid_text {
    const char* text;
    nanoseconds value;
};

TEST(Duration, ReadsEveryUnitAndSecondsWithoutOne) {
    const valid_text table[] = {
        {"0", 0s},
        {"0ms", 0s},
        {"3", 3s},
        {"1.5", 1500ms},
        {".5", 500ms},
        {".25ms", 250us},
        {"250ms", 250ms},
        {"1.5s", 1500ms},
        {"2m", 2min},
        {"0.5m", 30s},
        {"1h", 1h},
        {"1.25h", 75min},
        {"7us", 7us},
        {"7ns", 7ns},
        {"0.000000001", 1ns},
        {"0.1ms", 100us},
        {"00010s", 10s},
        {"1.999999999h", 3600s + 3599999996400ns},
        {"9223372036.854775807s", nanoseconds::max()},
        {"9223372036854775807ns", nanoseconds::max()},
    };
    for (const auto& [text, value] : table) EXPECT_EQ(parse_duration(text), value) << text;
}

TEST(Duration, RefusesEverythingElseAndSaysWhatWouldBeRight) {
    const char* const table[] = {
        "",
        " ",
        "s",
        "ms",
        ".",
        ".s",
        ".5.s",
        "5.",
        "5.s",
        "-1",
        "-1s",
        "+1",
        "1 s",
        " 1s",
        "1s ",
        "1e3",
        "0x10",
        "1,5s",
        "1.5.5s",
        "1d",
        "1S",
        "1min",
        "1m30s",
        "inf",
        "nan",
        "five",
        "1s\n",
        "1.0000000001s",
        "9223372036.854775808s",
        "9223372036854775808ns",
        "2562048h",
        "99999999999999999999",
        "99999999999999999999999999999999999999h",
        "\xc2\xb5s",
    };
    for (const std::string text : table) {
        try {
            parse_duration(text);
            ADD_FAILURE() << "'" << text << "' was taken";
        } catch (const std::invalid_argument& error) {
            const std::string what = error.what();
            EXPECT_TRUE(what.starts_with("'" + text + "' ")) << what;
            EXPECT_NE(what.find("write 250ms, 1.5s, 2m or 1h"), std::string::npos) << what;
        }
    }
    EXPECT_THROW(parse_duration(std::string_view("1s\0", 3)), std::invalid_argument);
}

TEST(Duration, WritesWhatAPersonWould) {
    const valid_text table[] = {
        {"0s", 0s},
        {"1ns", 1ns},
        {"1.5us", 1500ns},
        {"250ms", 250ms},
        {"1.5s", 1500ms},
        {"1.000000001s", 1'000'000'001ns},
        {"59.999s", 59999ms},
        {"1m", 60s},
        {"90s", 90s},
        {"90.5s", 90500ms},
        {"90m", 90min},
        {"2h", 2h},
        {"-1.5s", -1500ms},
        {"9223372036.854775807s", nanoseconds::max()},
        {"-9223372036.854775808s", nanoseconds::min()},
    };
    for (const auto& [text, value] : table) EXPECT_EQ(format_duration(value), text);
}

TEST(Duration, ReadsBackWhatItWrites) {
    std::mt19937_64 generator(1);
    for (int i = 0; i < 20'000; ++i) {
        const auto shift = generator() % 63;
        const nanoseconds value(static_cast<std::int64_t>((generator() >> 1) >> shift));
        EXPECT_EQ(parse_duration(format_duration(value)), value) << value.count();
    }
}

}  // namespace
}  // namespace asio_retry::detail
