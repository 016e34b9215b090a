// What retries, budgets and hedges do to a server and to its other clients: the claims of
// README.md. SPDX-License-Identifier: BSL-1.0
#include "fleet/contention.hpp"
#include "fleet/hedging.hpp"
#include "fleet/outage.hpp"
#include "fleet/random_outage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace asio_retry::fleet {
namespace {

TEST(FleetContention, FullJitterNeedsLessThanHalfTheCallsOfPlainExponential) {
    const auto schedule = backoff::exponential(10ms, 2s);
    const auto full = contend(100, backoff(schedule).jitter(jitter::full), 30, 1);
    const auto plain = contend(100, backoff(schedule).jitter(jitter::none), 30, 1);
    EXPECT_NEAR(full.calls, 795, 795 * 0.03);
    EXPECT_NEAR(plain.calls, 1850, 1850 * 0.03);
    EXPECT_LT(full.completion_time, plain.completion_time / 5);
}

TEST(FleetContention, IsTheSameEveryTime) {
    const auto schedule = backoff::decorrelated(10ms, 2s);
    EXPECT_EQ(contend(20, schedule, 3, 7).calls, contend(20, schedule, 3, 7).calls);
    EXPECT_NE(contend(20, schedule, 3, 7).calls, contend(20, schedule, 3, 8).calls);
}

class FleetOutage : public ::testing::Test {
public:
    outage_result run(unsigned attempts,
                      std::optional<budget_options> budget,
                      std::size_t clients = 1) {
        setup.max_attempts = attempts;
        setup.budget = budget;
        setup.clients = clients;
        return run_outage(setup);
    }

    outage_setup setup;
};

TEST_F(FleetOutage, HasTheServerWorkOffItsQueueWithoutRetries) {
    const auto r = run(1, std::nullopt);
    ASSERT_TRUE(r.recovery);
    // 2,000 were queued, and 100 a second more are done than come.
    EXPECT_GE(*r.recovery, 15s);
    EXPECT_LE(*r.recovery, 25s);
    EXPECT_EQ(r.requests, r.calls);
}

TEST_F(FleetOutage, NeverEndsWithThreeAttemptsAndNoBudget) {
    setup.length = 600s;
    const auto r = run(3, std::nullopt);
    EXPECT_FALSE(r.recovery);
    EXPECT_EQ(r.seconds[599].succeeded, 0U);
}

TEST_F(FleetOutage, EndsWithTheDefaultBudgetAlmostAsSoonAsWithoutRetries) {
    const auto none = run(1, std::nullopt).recovery;
    ASSERT_TRUE(none);
    for (const std::size_t clients : {1U, 10U, 100U}) {
        const auto budgeted = run(3, budget_options(), clients).recovery;
        ASSERT_TRUE(budgeted) << clients;
        EXPECT_LE(seconds(*budgeted), 1.6 * seconds(*none)) << clients;
    }
}

TEST_F(FleetOutage, EndsAlsoForManyClientsThatEachCallSeldom) {
    setup.length = 300s;
    EXPECT_TRUE(run(3, budget_options(), 1000).recovery);
    EXPECT_FALSE(run(3, budget_options::aws(), 1000).recovery) << "why it is not the default";
    EXPECT_FALSE(run(3, budget_options().refill_per_second(1), 1000).recovery);
}

TEST_F(FleetOutage, SavesAlmostEveryCallWhileFewFail) {
    setup.kind = outage_kind::fail;
    setup.failure_rate = 0.1;
    const auto none = run(1, std::nullopt);
    const auto budgeted = run(3, budget_options());
    EXPECT_LT(none.calls - none.succeeded, none.calls / 50);
    EXPECT_GT(none.calls - none.succeeded, 100U);
    EXPECT_LT(budgeted.calls - budgeted.succeeded, 10U);
}

TEST(FleetRandomOutages, NeverTakeMoreThanTheBudgetAllows) {
    std::map<outage_kind, int> kinds;
    double closest = 0;
    for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
        const outage_setup setup = draw_outage(seed);
        const outage_result r = run_outage(setup);
        ASSERT_LE(static_cast<double>(r.requests), allowed_requests(setup, r)) << "seed " << seed;
        ++kinds[setup.kind];
        closest = std::max(closest, static_cast<double>(r.requests) / allowed_requests(setup, r));
    }
    EXPECT_EQ(kinds.size(), 3U);
    EXPECT_GT(closest, 0.95) << "or the bound says little";
}

TEST(FleetRandomOutages, KeepTheDefaultToAFifthMoreInTheLongRun) {
    EXPECT_DOUBLE_EQ(allowed_in_the_long_run(budget_options()), 1.2);
    outage_setup s;
    s.kind = outage_kind::fail;
    s.offered = 50;
    s.length = 1000s;
    s.outage_at = 0s;
    s.outage_for = s.length;
    s.max_attempts = 10;
    for (const double rate : {0.1, 0.2, 0.4, 0.6, 0.8, 1.0}) {
        s.failure_rate = rate;
        s.budget = budget_options();
        const auto r = run_outage(s);
        EXPECT_LE(static_cast<double>(r.requests), 1.2 * static_cast<double>(r.calls) + 50) << rate;
    }
}

TEST(FleetHedging, CutsTheTailByFiveForFivePercentMoreRequests) {
    hedging_setup s;
    const auto hedged = run_hedging(s);
    s.hedge = false;
    const auto plain = run_hedging(s);
    EXPECT_EQ(plain.requests, plain.calls);
    EXPECT_GT(plain.p999, 5 * hedged.p999);
    EXPECT_LE(static_cast<double>(hedged.requests), 1.05 * static_cast<double>(hedged.calls));
    EXPECT_LE(hedged.p50, plain.p50 + 1ms);
}

TEST(FleetHedging, IsHeldByItsBudget) {
    hedging_setup s;
    s.slow = 0.04;  // each of which would be hedged
    s.fast_least = s.fast_most = 10ms;
    s.budget = budget_options::ratio(0.02, 0);
    const auto r = run_hedging(s);
    EXPECT_LE(static_cast<double>(r.requests), 1.02 * static_cast<double>(r.calls) + 10);
    EXPECT_GE(static_cast<double>(r.requests), 1.015 * static_cast<double>(r.calls));
}

}  // namespace
}  // namespace asio_retry::fleet
