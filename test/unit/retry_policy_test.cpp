#include <asio_retry/retry_policy.hpp>

#include <boost/asio/error.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::backoff;
using asio_retry::error_code;
using asio_retry::failure_kind;
using asio_retry::failure_kind_count;
using asio_retry::kind_limits;
using asio_retry::observer;
using asio_retry::retry_policy;
using asio_retry::steady_time;
using asio_retry::verdict;

template <typename Set>
std::string refusal(Set set) {
    retry_policy p;
    try {
        set(p);
    } catch (const std::invalid_argument& e) {
        EXPECT_EQ(p, retry_policy()) << "changed by a setter that threw";
        return e.what();
    }
    return "accepted";
}

TEST(RetryPolicy, HasTheDocumentedDefaults) {
    const retry_policy p;
    EXPECT_EQ(p.max_attempts(), 3U);
    EXPECT_EQ(p.attempt_timeout(), retry_policy::unlimited);
    EXPECT_EQ(p.total_timeout(), retry_policy::unlimited);
    EXPECT_EQ(p.deadline(), steady_time::max());
    EXPECT_EQ(p.backoff(), backoff::exponential(100ms, 10s));
    EXPECT_EQ(p.max_retry_after(), 30s);
    EXPECT_EQ(p.max_history(), 32U);
    EXPECT_EQ(p.name(), "");
    EXPECT_EQ(p.observer(), nullptr);
    EXPECT_EQ(p.random(), nullptr);
    for (std::size_t i = 0; i < failure_kind_count; ++i) {
        EXPECT_EQ(p.on(static_cast<failure_kind>(i)), kind_limits());
    }
    EXPECT_FALSE(kind_limits().max_attempts());
    EXPECT_FALSE(kind_limits().backoff());
    EXPECT_EQ(retry_policy::never(), retry_policy().max_attempts(1));
}

TEST(RetryPolicy, KeepsWhatIsSet) {
    class nobody : public observer {};
    const auto watcher = std::make_shared<nobody>();
    const auto p = retry_policy()
                       .max_attempts(7)
                       .attempt_timeout(2s)
                       .total_timeout(1min)
                       .deadline(steady_time(5s))
                       .backoff(backoff::constant(3s))
                       .on(failure_kind::timeout, kind_limits().max_attempts(2))
                       .on(failure_kind::connect, kind_limits().backoff(backoff::none()))
                       .max_retry_after(1h)
                       .max_history(5)
                       .name("charge")
                       .observer(watcher)
                       .random([] { return std::uint64_t{42}; });
    EXPECT_EQ(p.max_attempts(), 7U);
    EXPECT_EQ(p.attempt_timeout(), 2s);
    EXPECT_EQ(p.total_timeout(), 1min);
    EXPECT_EQ(p.deadline(), steady_time(5s));
    EXPECT_EQ(p.backoff(), backoff::constant(3s));
    EXPECT_EQ(p.on(failure_kind::timeout).max_attempts(), 2U);
    EXPECT_EQ(p.on(failure_kind::connect).backoff(), backoff::none());
    EXPECT_EQ(p.on(failure_kind::server), kind_limits());
    EXPECT_EQ(p.max_retry_after(), 1h);
    EXPECT_EQ(p.max_history(), 5U);
    EXPECT_EQ(p.name(), "charge");
    EXPECT_EQ(p.observer(), watcher);
    ASSERT_NE(p.random(), nullptr);
    EXPECT_EQ((*p.random())(), 42U);
}

TEST(RetryPolicy, RefusesTheImpossibleAndSaysWhatIsRight) {
    const std::string too_few = "max_attempts: 0 is too few; 1 means no retry";
    EXPECT_EQ(refusal([](auto& p) { p.max_attempts(0); }), too_few);
    EXPECT_EQ(refusal([](auto&) { kind_limits().max_attempts(0); }), too_few);
    EXPECT_EQ(refusal([](auto& p) { p.attempt_timeout(0s); }), "attempt_timeout: must be above 0");
    EXPECT_EQ(refusal([](auto& p) { p.attempt_timeout(-1ns); }),
              "attempt_timeout: must be above 0");
    EXPECT_EQ(refusal([](auto& p) { p.total_timeout(-1ns); }),
              "total_timeout: is negative; must be 0 or more");
    EXPECT_EQ(refusal([](auto& p) { p.max_retry_after(-1ns); }),
              "max_retry_after: is negative; must be 0 or more");
    EXPECT_EQ(
        refusal([](auto& p) { p.on(failure_kind::permanent, {}); }),
        "on: failures of kind permanent are never retried; classify the error as another kind");
    EXPECT_EQ(
        refusal([](auto& p) { p.on(failure_kind::cancelled, {}); }),
        "on: failures of kind cancelled are never retried; classify the error as another kind");
}

TEST(RetryPolicy, TakesTheEndsOfEachRange) {
    const auto p = retry_policy()
                       .max_attempts(std::numeric_limits<unsigned>::max())
                       .attempt_timeout(1ns)
                       .total_timeout(0s)
                       .max_retry_after(0s)
                       .max_history(0);
    EXPECT_EQ(p.max_attempts(), std::numeric_limits<unsigned>::max());
    EXPECT_EQ(p.attempt_timeout(), 1ns);
    EXPECT_EQ(p.total_timeout(), 0s);
    EXPECT_EQ(p.max_retry_after(), 0s);
    EXPECT_EQ(p.max_history(), 1U);
    const auto q = retry_policy()
                       .attempt_timeout(std::chrono::hours::max())
                       .total_timeout(std::chrono::duration<double>(1e300))
                       .max_retry_after(std::chrono::years(1000));
    EXPECT_EQ(q.attempt_timeout(), retry_policy::unlimited);
    EXPECT_EQ(q.total_timeout(), retry_policy::unlimited);
    EXPECT_EQ(q.max_retry_after(), retry_policy::unlimited);
}

TEST(RetryPolicy, IsAValueWhoseCopiesDoNotShareChanges) {
    auto a = retry_policy().max_attempts(5).name("a");
    const auto b = a;
    EXPECT_EQ(a, b);
    a.max_attempts(6);
    EXPECT_EQ(b.max_attempts(), 5U);
    EXPECT_NE(a, b);
    a.max_attempts(5);
    EXPECT_EQ(a, b);
    retry_policy().max_attempts(9);
    EXPECT_EQ(retry_policy().max_attempts(), 3U);
}

TEST(RetryPolicy, SharesItsOptionsUntilACopyIsChanged) {
    auto a = retry_policy().name("a");
    auto b = a;
    EXPECT_EQ(&a.name(), &b.name());
    b.max_attempts(9);
    EXPECT_NE(&a.name(), &b.name());
    EXPECT_EQ(a.max_attempts(), 3U);
}

TEST(RetryPolicy, IsEqualInEveryOptionOrNotAtAll) {
    class nobody : public observer {};
    const std::pair<const char*, retry_policy> others[] = {
        {"max_attempts", retry_policy().max_attempts(4)},
        {"attempt_timeout", retry_policy().attempt_timeout(1s)},
        {"total_timeout", retry_policy().total_timeout(1s)},
        {"deadline", retry_policy().deadline(steady_time(1s))},
        {"backoff", retry_policy().backoff(backoff::none())},
        {"on", retry_policy().on(failure_kind::server, kind_limits().max_attempts(1))},
        {"max_retry_after", retry_policy().max_retry_after(1s)},
        {"max_history", retry_policy().max_history(1)},
        {"name", retry_policy().name("x")},
        {"observer", retry_policy().observer(std::make_shared<nobody>())},
        {"random", retry_policy().random([] { return std::uint64_t{0}; })},
        {"classifier",
         retry_policy().classifier([](const error_code&) { return std::optional<verdict>(); })},
    };
    for (const auto& [name, other] : others) {
        EXPECT_NE(other, retry_policy()) << name;
        EXPECT_EQ(other, retry_policy(other)) << name;
    }
    EXPECT_EQ(retry_policy().random(nullptr).classifier(nullptr).observer(nullptr), retry_policy());
}

TEST(RetryPolicy, NestedInAnAttemptRetriesOnlyIfThatIsTheLast) {
    using asio_retry::attempt;
    using asio_retry::attempt_place;
    const auto p =
        retry_policy()
            .max_attempts(5)
            .deadline(steady_time(1h))
            .on(failure_kind::timeout, kind_limits().max_attempts(7).backoff(backoff::constant(1s)))
            .on(failure_kind::server, kind_limits().backoff(backoff::none()));
    EXPECT_EQ(p.nested_in(attempt(2, steady_time::max(), attempt_place::last)), p);
    EXPECT_EQ(p.nested_in(attempt(2, steady_time(2h), attempt_place::last)), p);
    EXPECT_EQ(p.nested_in(attempt(2, steady_time(1s), attempt_place::last)),
              retry_policy(p).deadline(steady_time(1s)));
    EXPECT_EQ(
        p.nested_in(attempt(2, steady_time::max(), attempt_place::not_last)),
        retry_policy(p).max_attempts(1).on(
            failure_kind::timeout, kind_limits().max_attempts(1).backoff(backoff::constant(1s))));
    EXPECT_EQ(p.max_attempts(), 5U);
}

TEST(RetryPolicy, ClassifiesByItsOwnRowsFirst) {
    namespace net_error = boost::asio::error;
    const auto p = retry_policy().classifier([](const error_code& ec) -> std::optional<verdict> {
        if (ec == net_error::host_not_found) return failure_kind::connect;
        if (ec == net_error::eof) return verdict::success();
        if (!ec) return failure_kind::server;
        return std::nullopt;
    });
    EXPECT_EQ(p.classify(net_error::host_not_found).kind(), failure_kind::connect);
    EXPECT_EQ(p.classify(net_error::timed_out).kind(), failure_kind::timeout);
    EXPECT_FALSE(p.classify(net_error::eof).is_failure());
    EXPECT_EQ(p.classify({}).kind(), failure_kind::server);
    EXPECT_EQ(retry_policy().classify(net_error::host_not_found).kind(), failure_kind::permanent);
    EXPECT_FALSE(retry_policy().classify({}).is_failure());
}

TEST(RetryPolicy, IsSafeToCopyAndChangeOnSeveralThreads) {
    const auto shared = retry_policy().name("shared");
    std::vector<std::thread> threads;
    for (unsigned t = 1; t <= 4; ++t) {
        threads.emplace_back([mine = shared, t]() mutable {
            for (unsigned i = 1; i <= 2000; ++i) {
                auto copy = mine;
                copy.max_attempts(i);
                ASSERT_EQ(copy.max_attempts(), i);
                mine.max_history(t + i);
                ASSERT_EQ(mine.max_history(), t + i);
                ASSERT_EQ(mine.max_attempts(), 3U);
            }
        });
    }
    for (auto& t : threads) t.join();
    EXPECT_EQ(shared.max_history(), 32U);
}

// For the thread sanitizer: the last other owner of the options lets go while they are being
// changed.
TEST(RetryPolicy, IsSafeToChangeWhileACopyOfItGoesAway) {
    for (int i = 0; i < 500; ++i) {
        auto mine = retry_policy().name("shared");
        std::thread other([copy = mine]() mutable {
            ASSERT_EQ(copy.max_attempts(), 3U);
            copy = retry_policy();
        });
        for (unsigned n = 4; n < 100; ++n) mine.max_attempts(n);
        other.join();
        ASSERT_EQ(mine.max_attempts(), 99U);
    }
}

}  // namespace
