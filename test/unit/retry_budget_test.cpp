#include <asio_retry/retry_budget.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;
using asio_retry::budget_options;
using asio_retry::failure_kind;
using asio_retry::failure_kind_count;
using asio_retry::retry_budget;
using asio_retry::steady_time;

constexpr steady_time start{1h};
constexpr failure_kind retried[] = {failure_kind::connect,
                                    failure_kind::timeout,
                                    failure_kind::connection_lost,
                                    failure_kind::throttling,
                                    failure_kind::server};

/// Without refill, so that tests see nothing but what they do.
budget_options still() { return budget_options().refill_per_second(0); }

template <typename Set>
std::string refusal(Set set) {
    budget_options o;
    try {
        set(o);
    } catch (const std::invalid_argument& e) {
        EXPECT_EQ(o, budget_options()) << "changed by a setter that threw";
        return e.what();
    }
    return "accepted";
}

TEST(BudgetOptions, HaveTheDocumentedDefaults) {
    const budget_options o;
    EXPECT_EQ(o.capacity(), 100);
    EXPECT_EQ(o.retry_cost(), 5);
    EXPECT_EQ(o.timeout_cost(), 10);
    EXPECT_EQ(o.failure_cost(), 0);
    EXPECT_EQ(o.floor(), 0);
    EXPECT_EQ(o.success_refund(), 1);
    EXPECT_EQ(o.refill_per_second(), 0.1);
    EXPECT_FALSE(o.returns_retry_cost());
    for (const auto kind : retried) {
        EXPECT_EQ(o.cost(kind), kind == failure_kind::timeout ? 10 : 5);
    }
}

TEST(BudgetOptions, KeepWhatIsSetInAnyOrder) {
    const auto o = budget_options()
                       .cost(failure_kind::server, 3)
                       .timeout_cost(7)
                       .retry_cost(2)
                       .capacity(50)
                       .failure_cost(0.5)
                       .floor(4)
                       .success_refund(0.25)
                       .returns_retry_cost(true)
                       .refill_per_second(0.125);
    EXPECT_EQ(o.cost(failure_kind::server), 3);
    EXPECT_EQ(o.cost(failure_kind::timeout), 7);
    EXPECT_EQ(o.cost(failure_kind::connect), 2);
    EXPECT_EQ(o.capacity(), 50);
    EXPECT_EQ(o.failure_cost(), 0.5);
    EXPECT_EQ(o.floor(), 4);
    EXPECT_EQ(o.success_refund(), 0.25);
    EXPECT_TRUE(o.returns_retry_cost());
    EXPECT_EQ(o.refill_per_second(), 0.125);
    EXPECT_EQ(o, budget_options(o));
    EXPECT_NE(o, budget_options());
}

TEST(BudgetOptions, RefuseTheImpossibleAndSayWhatIsRight) {
    const auto nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_EQ(refusal([](auto& o) { o.capacity(-1); }),
              "capacity: -1 is negative; must be from 0 to 1e+09");
    EXPECT_EQ(refusal([](auto& o) { o.retry_cost(1e10); }),
              "retry_cost: 1e+10 is too large; must be from 0 to 1e+09");
    EXPECT_EQ(refusal([=](auto& o) { o.timeout_cost(nan); }),
              "timeout_cost: nan is not a number; must be from 0 to 1e+09");
    EXPECT_EQ(refusal([](auto& o) { o.cost(failure_kind::server, -0.5); }),
              "cost: -0.5 is negative; must be from 0 to 1e+09");
    EXPECT_EQ(refusal([](auto& o) { o.cost(failure_kind::permanent, 1); }),
              "cost: failures of kind permanent are never retried");
    EXPECT_EQ(refusal([](auto& o) { o.cost(failure_kind::cancelled, 1); }),
              "cost: failures of kind cancelled are never retried");
    EXPECT_EQ(refusal([](auto& o) { o.failure_cost(-1); }).substr(0, 12), "failure_cost");
    EXPECT_EQ(refusal([](auto& o) { o.floor(-1); }).substr(0, 5), "floor");
    EXPECT_EQ(refusal([](auto& o) { o.success_refund(-1); }).substr(0, 14), "success_refund");
    EXPECT_EQ(refusal([](auto& o) { o.refill_per_second(1e6); }),
              "refill_per_second: 1e+06 is too large; must be from 0 to 1e+05");
}

TEST(RetryBudget, StartsFullAndNeverHoldsMore) {
    retry_budget b(still());
    EXPECT_EQ(b.available(start), 100);
    b.call_succeeded(start);
    b.give_back(failure_kind::timeout, start);
    b.give_back(start);
    EXPECT_EQ(b.available(start), 100);
}

TEST(RetryBudget, TakesTheCostOfTheKindOrNothing) {
    retry_budget b(still().capacity(22).cost(failure_kind::server, 6));
    EXPECT_TRUE(b.try_spend(failure_kind::timeout, start));
    EXPECT_EQ(b.available(start), 12);
    EXPECT_TRUE(b.try_spend(failure_kind::server, start));
    EXPECT_EQ(b.available(start), 6);
    EXPECT_TRUE(b.try_spend(start));
    EXPECT_EQ(b.available(start), 1);
    EXPECT_FALSE(b.try_spend(failure_kind::connect, start));
    EXPECT_FALSE(b.try_spend(start));
    EXPECT_EQ(b.available(start), 1);
    b.give_back(failure_kind::server, start);
    EXPECT_EQ(b.available(start), 7);
}

TEST(RetryBudget, SpendsTheLastToken) {
    retry_budget b(still().capacity(5));
    EXPECT_TRUE(b.try_spend(failure_kind::server, start));
    EXPECT_EQ(b.available(start), 0);
    EXPECT_FALSE(b.try_spend(failure_kind::server, start));
}

TEST(RetryBudget, OfNothingAllowsNoRetryEvenAtNoCost) {
    retry_budget b(still().capacity(0).retry_cost(0));
    EXPECT_FALSE(b.try_spend(failure_kind::server, start));
    b.call_succeeded(start);
    EXPECT_FALSE(b.try_spend(failure_kind::server, start));
}

TEST(RetryBudget, CountsThousandthsExactly) {
    retry_budget b(still().capacity(10).retry_cost(1).success_refund(0.1));
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(b.try_spend(start));
    for (int i = 0; i < 9; ++i) b.call_succeeded(start);
    EXPECT_FALSE(b.try_spend(start));
    b.call_succeeded(start);
    EXPECT_TRUE(b.try_spend(start));
}

TEST(RetryBudget, RefillsWithTimeUpToTheCapacity) {
    retry_budget b(budget_options().capacity(10).refill_per_second(2));
    EXPECT_TRUE(b.try_spend(failure_kind::timeout, start));
    EXPECT_EQ(b.available(start), 0);
    EXPECT_FALSE(b.try_spend(start + 2499ms));
    EXPECT_TRUE(b.try_spend(start + 2500ms));
    EXPECT_EQ(b.available(start + 2500ms), 0);
    EXPECT_NEAR(b.available(start + 4s), 3, 0.002);
    EXPECT_EQ(b.available(start + 1h), 10);
    EXPECT_TRUE(b.try_spend(failure_kind::timeout, start + 1h));
    EXPECT_FALSE(b.try_spend(start + 1h));
}

TEST(RetryBudget, LosesNoRefillHoweverOftenItIsAsked) {
    retry_budget often(budget_options().capacity(1000).retry_cost(1000).refill_per_second(0.3));
    ASSERT_TRUE(often.try_spend(start));
    for (int i = 0; i < 100'000; ++i) EXPECT_FALSE(often.try_spend(start + i * 1us));
    EXPECT_NEAR(often.available(start + 100s), 30, 0.002);
}

TEST(RetryBudget, EarnsNothingFromTimesOutOfOrder) {
    retry_budget b(budget_options().capacity(10).refill_per_second(1));
    EXPECT_TRUE(b.try_spend(failure_kind::timeout, start + 10s));
    EXPECT_FALSE(b.try_spend(start));
    EXPECT_EQ(b.available(start), 0);
    b.call_succeeded(start);
    b.attempt_failed(failure_kind::server, start);
    EXPECT_EQ(b.available(start + 10s), 1);
    EXPECT_FALSE(b.try_spend(start - 2h));
    EXPECT_EQ(b.available(start + 10s), 1);
}

TEST(RetryBudget, KeepsCountingForCenturies) {
    for (const double rate : {1e-3, 1.0, 1e5}) {
        retry_budget b(budget_options().capacity(10).refill_per_second(rate));
        const auto late = steady_time::max() - 24h * 365;
        EXPECT_EQ(b.available(late), 10) << rate;
        ASSERT_TRUE(b.try_spend(failure_kind::timeout, late)) << rate;
        EXPECT_EQ(b.available(late), 0) << rate;
        EXPECT_EQ(b.available(steady_time::max()), 10) << rate;
        EXPECT_EQ(b.available(steady_time::min()), 0) << rate;
    }
}

TEST(RetryBudget, ReturnsTheCostOfASuccessfulRetryWhereToldSo) {
    retry_budget plain(still());
    retry_budget aws(budget_options::aws());
    EXPECT_EQ(aws.available(start), 500);
    for (auto* b : {&plain, &aws}) {
        ASSERT_TRUE(b->try_spend(failure_kind::timeout, start));
        b->call_succeeded(failure_kind::timeout, start);
    }
    EXPECT_EQ(plain.available(start), 91);
    EXPECT_EQ(aws.available(start), 500);
    ASSERT_TRUE(aws.try_spend(failure_kind::server, start));
    aws.call_succeeded(start);
    EXPECT_EQ(aws.available(start), 496);
}

TEST(RetryBudget, ThrottlesAsGrpcDoes) {
    retry_budget b(budget_options::grpc_throttle(10, 0.1));
    for (int i = 0; i < 4; ++i) b.attempt_failed(failure_kind::server, start);
    EXPECT_EQ(b.available(start), 6);
    EXPECT_TRUE(b.try_spend(failure_kind::server, start));
    EXPECT_EQ(b.available(start), 6) << "a retry itself is free";
    b.attempt_failed(failure_kind::server, start);
    EXPECT_FALSE(b.try_spend(failure_kind::server, start)) << "half is not more than half";
    b.call_succeeded(start);
    EXPECT_TRUE(b.try_spend(failure_kind::server, start));
    for (int i = 0; i < 20; ++i) b.attempt_failed(failure_kind::connect, start);
    EXPECT_EQ(b.available(start), 0);
    for (int i = 0; i < 50; ++i) b.call_succeeded(start);
    EXPECT_FALSE(b.try_spend(failure_kind::server, start));
    b.call_succeeded(start);
    EXPECT_TRUE(b.try_spend(failure_kind::server, start));
}

TEST(RetryBudget, ChargesNothingForFailuresThatAreNotThePeers) {
    retry_budget b(budget_options::grpc_throttle(10, 0.1));
    b.attempt_failed(failure_kind::permanent, start);
    b.attempt_failed(failure_kind::cancelled, start);
    EXPECT_EQ(b.available(start), 10);
}

TEST(RetryBudget, KeepsToARatioOfTheSuccesses) {
    retry_budget b(budget_options::ratio(0.2, 0));
    while (b.try_spend(start)) {
    }
    int granted = 0;
    for (int i = 0; i < 1000; ++i) {
        b.call_succeeded(start);
        if (b.try_spend(failure_kind::server, start)) ++granted;
    }
    EXPECT_EQ(granted, 200);
}

TEST(RetryBudget, CanTakeOverWhatAnotherHadLeft) {
    retry_budget old(still());
    ASSERT_TRUE(old.try_spend(failure_kind::timeout, start));
    const auto larger = budget_options().capacity(200).refill_per_second(1);
    const retry_budget next(larger, old.available(start), start);
    EXPECT_EQ(next.available(start), 90);
    EXPECT_NEAR(next.available(start + 5s), 95, 0.002);
    EXPECT_EQ(retry_budget(still().capacity(50), 90, start).available(start), 50);
    EXPECT_EQ(retry_budget(still(), -1, start).available(start), 0);
}

}  // namespace
