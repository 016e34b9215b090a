#include <asio_retry/detail/saturate.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace {

using namespace std::chrono_literals;
using asio_retry::detail::saturating_add;
using asio_retry::detail::saturating_cast;
using asio_retry::detail::saturating_multiply;
using std::chrono::duration;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr auto most = nanoseconds::max();
constexpr auto least = nanoseconds::min();

TEST(Saturate, MultipliesUpToTheEnd) {
    struct row {
        nanoseconds d;
        std::uint64_t n;
        nanoseconds expected;
    };
    const row rows[] = {
        {0ns, 0, 0ns},
        {0ns, std::numeric_limits<std::uint64_t>::max(), 0ns},
        {5s, 0, 0ns},
        {5s, 1, 5s},
        {5s, 3, 15s},
        {-1ns, 3, 0ns},
        {least, 1, 0ns},
        {most, 1, most},
        {most, 2, most},
        {most / 2, 2, most - 1ns},
        {most / 2 + 1ns, 2, most},
        {1ns, std::numeric_limits<std::int64_t>::max(), most},
        {1ns, std::uint64_t{1} << 63, most},
        {2ns, std::numeric_limits<std::uint64_t>::max(), most},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(saturating_multiply(r.d, r.n), r.expected) << r.d.count() << " * " << r.n;
    }
}

TEST(Saturate, MultipliesExactlyWhereItFits) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 10'000; ++i) {
        const auto d = static_cast<std::int64_t>(random() >> (1 + random() % 63));
        const auto n = random() >> (random() % 64);
        __extension__ using uint128 = unsigned __int128;
        const auto exact = static_cast<uint128>(d) * n;
        const auto expected = exact > static_cast<uint128>(most.count())
                                  ? most
                                  : nanoseconds(static_cast<std::int64_t>(exact));
        ASSERT_EQ(saturating_multiply(nanoseconds(d), n), expected);
    }
}

TEST(Saturate, AddsUpToTheEnd) {
    EXPECT_EQ(saturating_add(1s, 2s), 3s);
    EXPECT_EQ(saturating_add(most, 0ns), most);
    EXPECT_EQ(saturating_add(most, 1ns), most);
    EXPECT_EQ(saturating_add(most, most), most);
    EXPECT_EQ(saturating_add(most - 1ns, 1ns), most);
}

TEST(Saturate, AddsToTimesUpToTheEnd) {
    using time = steady_clock::time_point;
    EXPECT_EQ(saturating_add(time(1s), 2s), time(3s));
    EXPECT_EQ(saturating_add(time(1ns), most), time::max());
    EXPECT_EQ(saturating_add(time::max(), 1ns), time::max());
    EXPECT_EQ(saturating_add(time::min(), most), time(-1ns));
}

TEST(Saturate, CastsWhatFitsExactly) {
    EXPECT_EQ(saturating_cast(7ns), 7ns);
    EXPECT_EQ(saturating_cast(1h), 3600s);
    EXPECT_EQ(saturating_cast(-250ms), -250ms);
    EXPECT_EQ(saturating_cast(1.5s), 1500ms);
    EXPECT_EQ(saturating_cast(duration<unsigned>(3)), 3s);
    EXPECT_EQ(saturating_cast(duration<std::int64_t, std::pico>(1999)), 1ns);
    EXPECT_EQ(saturating_cast(9223372036s), 9223372036s);
    EXPECT_EQ(saturating_cast(-9223372036s), -9223372036s);
}

TEST(Saturate, CastsTheRestToTheNearestEnd) {
    using seconds_as_double = duration<double>;
    EXPECT_EQ(saturating_cast(9223372037s), most);
    EXPECT_EQ(saturating_cast(-9223372037s), least);
    EXPECT_EQ(saturating_cast(std::chrono::hours::max()), most);
    EXPECT_EQ(saturating_cast(std::chrono::hours::min()), least);
    EXPECT_EQ(saturating_cast(std::chrono::years(1000)), most);
    EXPECT_EQ(saturating_cast(seconds_as_double(1e300)), most);
    EXPECT_EQ(saturating_cast(seconds_as_double(-1e300)), least);
    EXPECT_EQ(saturating_cast(seconds_as_double(std::numeric_limits<double>::infinity())), most);
    EXPECT_EQ(saturating_cast(seconds_as_double(-std::numeric_limits<double>::infinity())), least);
    EXPECT_EQ(saturating_cast(seconds_as_double(std::numeric_limits<double>::quiet_NaN())), 0ns);
    EXPECT_EQ(saturating_cast(nanoseconds::max()), most);
    EXPECT_EQ(saturating_cast(std::chrono::microseconds::max()), most);
}

}  // namespace
