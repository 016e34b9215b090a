#include <asio_retry/jitter.hpp>

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <string>

namespace {

using namespace std::chrono_literals;
using asio_retry::apply_jitter;
using asio_retry::jitter;
using asio_retry::to_string;
using asio_retry::detail::uniform_up_to;
using std::chrono::nanoseconds;

constexpr std::uint64_t all_bits = std::numeric_limits<std::uint64_t>::max();

TEST(Uniform, ReachesBothEnds) {
    EXPECT_EQ(uniform_up_to(10ns, 0), 0ns);
    EXPECT_EQ(uniform_up_to(10ns, all_bits), 10ns);
    EXPECT_EQ(uniform_up_to(nanoseconds::max(), 0), 0ns);
    EXPECT_EQ(uniform_up_to(nanoseconds::max(), all_bits), nanoseconds::max());
    EXPECT_EQ(uniform_up_to(1ns, all_bits / 2), 0ns);
    EXPECT_EQ(uniform_up_to(1ns, all_bits / 2 + 1), 1ns);
}

TEST(Uniform, IsZeroForNothingOrLess) {
    for (const auto limit : {0ns, -1ns, nanoseconds::min()}) {
        EXPECT_EQ(uniform_up_to(limit, all_bits), 0ns);
    }
}

TEST(Jitter, StaysWithinItsRange) {
    struct row {
        jitter j;
        nanoseconds d;
        nanoseconds least;
        nanoseconds most;
    };
    const auto max = nanoseconds::max();
    const row rows[] = {
        {jitter::none, 100ns, 100ns, 100ns},
        {jitter::full, 100ns, 0ns, 100ns},
        {jitter::equal, 100ns, 50ns, 100ns},
        {jitter::none, 1ns, 1ns, 1ns},
        {jitter::full, 1ns, 0ns, 1ns},
        {jitter::equal, 1ns, 1ns, 1ns},
        {jitter::equal, 101ns, 51ns, 101ns},
        {jitter::none, max, max, max},
        {jitter::full, max, 0ns, max},
        {jitter::equal, max, max - max / 2, max},
        {jitter::none, 0ns, 0ns, 0ns},
        {jitter::full, 0ns, 0ns, 0ns},
        {jitter::equal, 0ns, 0ns, 0ns},
        {jitter::none, -5ns, 0ns, 0ns},
        {jitter::full, -5ns, 0ns, 0ns},
        {jitter::equal, nanoseconds::min(), 0ns, 0ns},
    };
    std::mt19937_64 random(1);
    for (const auto& r : rows) {
        SCOPED_TRACE(std::string(to_string(r.j)) + " of " + std::to_string(r.d.count()));
        EXPECT_EQ(apply_jitter(r.j, r.d, 0), r.least);
        EXPECT_EQ(apply_jitter(r.j, r.d, all_bits), r.most);
        for (int i = 0; i < 1000; ++i) {
            const auto got = apply_jitter(r.j, r.d, random());
            ASSERT_GE(got, r.least);
            ASSERT_LE(got, r.most);
        }
    }
}

/// Chi-square of draws put into 20 equal bins over [from, to].
double chi_square(jitter j, nanoseconds d, nanoseconds from, nanoseconds to) {
    constexpr int draws = 100'000;
    std::array<int, 20> bins{};
    std::mt19937_64 random(42);
    for (int i = 0; i < draws; ++i) {
        const auto offset = static_cast<double>((apply_jitter(j, d, random()) - from).count());
        const auto width = static_cast<double>((to - from).count()) + 1;
        ++bins.at(static_cast<std::size_t>(offset / width * static_cast<double>(bins.size())));
    }
    const double expected = static_cast<double>(draws) / static_cast<double>(bins.size());
    double sum = 0;
    for (const int n : bins) sum += (n - expected) * (n - expected) / expected;
    return sum;
}

TEST(Jitter, IsUniform) {
    // 43.8: the 99.9th percentile of chi-square with 19 degrees of freedom.
    EXPECT_LT(chi_square(jitter::full, 1s, 0s, 1s), 43.8);
    EXPECT_LT(chi_square(jitter::full, 10h, 0s, 10h), 43.8);
    EXPECT_LT(chi_square(jitter::full, 999ns, 0ns, 999ns), 43.8);
    EXPECT_LT(chi_square(jitter::equal, 1s, 500ms, 1s), 43.8);
    EXPECT_LT(chi_square(jitter::equal, 1998ns, 999ns, 1998ns), 43.8);
}

TEST(Jitter, HasNames) {
    EXPECT_EQ(to_string(jitter::none), "none");
    EXPECT_EQ(to_string(jitter::full), "full");
    EXPECT_EQ(to_string(jitter::equal), "equal");
    EXPECT_EQ(to_string(static_cast<jitter>(99)), "unknown");
}

static_assert(apply_jitter(jitter::full, 100ns, 0) == 0ns);

}  // namespace
