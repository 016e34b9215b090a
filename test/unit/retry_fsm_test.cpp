#include "support/fsm_driver.hpp"
#include <asio_retry/detail/retry_fsm.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::backoff;
using asio_retry::delay_source;
using asio_retry::failure_kind;
using asio_retry::kind_limits;
using asio_retry::reason;
using asio_retry::retry_policy;
using asio_retry::steady_time;
using asio_retry::verdict;
using test::attempt;
using test::finish;
using test::fsm_driver;
using test::retry_action;
using test::wait;

constexpr failure_kind retried[] = {failure_kind::connect,
                                    failure_kind::timeout,
                                    failure_kind::connection_lost,
                                    failure_kind::throttling,
                                    failure_kind::server};

retry_policy every_second() { return retry_policy().backoff(backoff::constant(1s)); }

verdict stale() { return verdict(failure_kind::connection_lost).stale_connection(); }

// Each state of the machine, and how it is reached.
const std::pair<const char*, std::function<void(fsm_driver&)>> running_states[] = {
    {"attempting", [](auto& m) { m.start(); }},
    {"waiting", [](auto& m) { m.start(), m.done(failure_kind::server); }},
    {"attempting again", [](auto& m) { m.start(), m.repeat(failure_kind::server); }},
    {"about to resend", [](auto& m) { m.start(), m.done(stale()); }},
    {"resending", [](auto& m) { m.start(), m.repeat(stale()); }},
};

TEST(RetryFsm, StartsWithTheFirstAttempt) {
    fsm_driver m;
    EXPECT_EQ(m.fsm.number(), 0U);
    EXPECT_EQ(m.start(), attempt);
    EXPECT_EQ(m.fsm.number(), 1U);
    EXPECT_EQ(m.fsm.deadline(), steady_time::max());
}

TEST(RetryFsm, DoesNotStartAfterItsDeadline) {
    const retry_policy policies[] = {retry_policy().total_timeout(0s),
                                     retry_policy().deadline(steady_time(1h)),
                                     retry_policy().deadline(steady_time(59min)),
                                     retry_policy().deadline(steady_time::min())};
    for (const auto& policy : policies) {
        fsm_driver m(policy);
        EXPECT_EQ(m.start(), finish(reason::deadline_exceeded));
        EXPECT_EQ(m.fsm.number(), 0U);
    }
}

TEST(RetryFsm, EndsWithTheEarlierOfDeadlineAndTotalTimeout) {
    fsm_driver m(retry_policy().total_timeout(10s).deadline(steady_time(1h + 20s)));
    m.start();
    EXPECT_EQ(m.fsm.deadline(), steady_time(1h + 10s));
    fsm_driver n(retry_policy().total_timeout(30s).deadline(steady_time(1h + 20s)));
    n.start();
    EXPECT_EQ(n.fsm.deadline(), steady_time(1h + 20s));
}

TEST(RetryFsm, FinishesOnAnySuccess) {
    for (const auto& [name, reach] : running_states) {
        fsm_driver m(every_second());
        reach(m);
        EXPECT_EQ(m.done(verdict::success()), finish(reason::success)) << name;
    }
}

TEST(RetryFsm, NeverRetriesPermanentAndCancelled) {
    for (const auto& [name, reach] : running_states) {
        for (const bool is_stale : {false, true}) {
            fsm_driver m(every_second().max_attempts(100));
            reach(m);
            auto v = verdict(failure_kind::permanent).retry_after(1s);
            if (is_stale) v.stale_connection();
            EXPECT_EQ(m.done(v), finish(reason::permanent_failure)) << name;
            fsm_driver n(every_second().max_attempts(100));
            reach(n);
            EXPECT_EQ(n.done(failure_kind::cancelled), finish(reason::cancelled)) << name;
        }
    }
}

TEST(RetryFsm, RetriesEveryOtherKindUpToTheLimit) {
    for (const auto kind : retried) {
        SCOPED_TRACE(to_string(kind));
        fsm_driver m(every_second().max_attempts(3));
        EXPECT_EQ(m.start(), attempt);
        EXPECT_EQ(m.done(kind), wait(1s));
        EXPECT_EQ(m.waited(1s), attempt);
        EXPECT_EQ(m.fsm.number(), 2U);
        EXPECT_EQ(m.done(kind), wait(1s));
        EXPECT_EQ(m.waited(1s), attempt);
        EXPECT_EQ(m.fsm.number(), 3U);
        EXPECT_EQ(m.done(kind), finish(reason::attempts_exhausted));
        EXPECT_EQ(m.fsm.number(), 3U);
    }
}

TEST(RetryFsm, MakesOneAttemptWithoutRetry) {
    for (const auto kind : retried) {
        fsm_driver m(retry_policy::never());
        m.start();
        EXPECT_EQ(m.done(kind), finish(reason::attempts_exhausted));
        EXPECT_EQ(m.draws, 0);
    }
}

TEST(RetryFsm, CountsAKindWithALimitOfItsOwnByItself) {
    const auto policy = every_second()
                            .max_attempts(3)
                            .on(failure_kind::timeout, kind_limits().max_attempts(5))
                            .on(failure_kind::throttling, kind_limits().max_attempts(1));
    struct row {
        const char* name;
        std::vector<failure_kind> failures;  // the last of them ends the call
    };
    using enum failure_kind;
    const row rows[] = {
        {"the policy's limit", {server, server, server}},
        {"shared by the kinds without one", {server, connect, connection_lost}},
        {"more than the policy's", {timeout, timeout, timeout, timeout, timeout}},
        {"less than the policy's", {throttling}},
        {"less, later", {server, throttling}},
        {"own failures only", {server, timeout, timeout, timeout, timeout, timeout}},
        {"attempts of others count for the policy's", {timeout, timeout, server}},
        {"beyond the policy's", {timeout, timeout, timeout, server}},
    };
    for (const auto& r : rows) {
        SCOPED_TRACE(r.name);
        fsm_driver m(policy);
        m.start();
        for (std::size_t i = 0; i + 1 < r.failures.size(); ++i) {
            ASSERT_EQ(m.done(r.failures[i]), wait(1s));
            ASSERT_EQ(m.waited(1s), attempt);
        }
        EXPECT_EQ(m.done(r.failures.back()), finish(reason::attempts_exhausted));
        EXPECT_EQ(m.fsm.number(), r.failures.size());
    }
}

TEST(RetryFsm, KnowsTheLastAttempt) {
    const retry_policy policies[] = {
        every_second().max_attempts(1),
        every_second().max_attempts(3),
        every_second().max_attempts(2).on(failure_kind::timeout, kind_limits().max_attempts(3)),
        every_second().max_attempts(3).on(failure_kind::connect, kind_limits().max_attempts(1)),
    };
    for (const auto& policy : policies) {
        for (const auto each : retried) {
            SCOPED_TRACE(to_string(each));
            fsm_driver m(policy);
            retry_action next = m.start();
            while (next == attempt) {
                bool may_follow = false;
                for (const auto kind : retried) {
                    auto other = m;
                    if (other.done(kind) == wait(1s)) may_follow = true;
                }
                EXPECT_EQ(m.fsm.place(policy) == asio_retry::attempt_place::not_last, may_follow)
                    << m.fsm.number();
                next = m.done(each);
                if (next == wait(1s)) next = m.waited(1s);
            }
        }
    }
}

TEST(RetryFsm, HonoursAVetoWhereItWouldRetry) {
    for (const auto why : {reason::not_idempotent,
                           reason::body_not_replayable,
                           reason::budget_exhausted,
                           reason::circuit_open,
                           reason::queue_full}) {
        for (const auto kind : retried) {
            fsm_driver m(every_second());
            m.start();
            EXPECT_EQ(m.done(verdict(kind).forbid_retry(why).retry_after(1s)), finish(why));
            EXPECT_EQ(m.done(kind), finish(why));
        }
    }
    fsm_driver last(retry_policy::never());
    last.start();
    EXPECT_EQ(last.done(verdict(failure_kind::server).forbid_retry(reason::not_idempotent)),
              finish(reason::attempts_exhausted));
    fsm_driver hopeless;
    hopeless.start();
    EXPECT_EQ(hopeless.done(verdict(failure_kind::permanent).forbid_retry(reason::not_idempotent)),
              finish(reason::permanent_failure));
}

TEST(RetryFsm, ResendsOnceOverAFreshConnectionAtNoCost) {
    fsm_driver m(every_second().max_attempts(2));
    m.start();
    EXPECT_EQ(m.done(stale()), wait(0s, delay_source::stale_connection));
    EXPECT_EQ(m.waited(), attempt);
    EXPECT_EQ(m.fsm.number(), 1U);
    EXPECT_EQ(m.done(stale()), wait(1s)) << "a second stale connection is a failure like others";
    EXPECT_EQ(m.waited(1s), attempt);
    EXPECT_EQ(m.fsm.number(), 2U);
    EXPECT_EQ(m.done(stale()), finish(reason::attempts_exhausted));
    EXPECT_EQ(m.draws, 1);
}

TEST(RetryFsm, CountsTheAttemptWhoseResendIsRefused) {
    fsm_driver m;
    m.start();
    EXPECT_EQ(m.done(stale()), wait(0s, delay_source::stale_connection));
    EXPECT_EQ(m.waited(), attempt);
    EXPECT_EQ(m.fsm.refuse_attempt(reason::queue_full).why, reason::queue_full);
    EXPECT_EQ(m.fsm.number(), 1U);
}

TEST(RetryFsm, ResendsAlsoInTheLastAttempt) {
    fsm_driver m(retry_policy::never());
    m.start();
    EXPECT_EQ(m.done(stale()), wait(0s, delay_source::stale_connection));
    EXPECT_EQ(m.waited(), attempt);
    EXPECT_EQ(m.done(failure_kind::server), finish(reason::attempts_exhausted));

    fsm_driver later(every_second().max_attempts(2));
    later.start();
    later.repeat(failure_kind::server);
    EXPECT_EQ(later.done(stale()), wait(0s, delay_source::stale_connection));
    EXPECT_EQ(later.waited(), attempt);
    EXPECT_EQ(later.fsm.number(), 2U);
}

TEST(RetryFsm, DoesNotCountAResendForItsKind) {
    const auto policy =
        every_second().on(failure_kind::connection_lost, kind_limits().max_attempts(2));
    fsm_driver m(policy);
    m.start();
    m.repeat(stale());
    EXPECT_EQ(m.done(failure_kind::connection_lost), wait(1s));
    m.waited(1s);
    EXPECT_EQ(m.done(failure_kind::connection_lost), finish(reason::attempts_exhausted));
}

TEST(RetryFsm, DoesNotResendAgainstAVetoOrAfterTheDeadline) {
    fsm_driver vetoed;
    vetoed.start();
    EXPECT_EQ(vetoed.done(stale().forbid_retry(reason::not_idempotent)),
              finish(reason::not_idempotent));
    fsm_driver late(retry_policy().total_timeout(5s));
    late.start();
    late.now += 5s;
    EXPECT_EQ(late.done(stale()), finish(reason::deadline_exceeded));
    fsm_driver later(retry_policy().total_timeout(5s));
    later.start();
    later.done(stale());
    EXPECT_EQ(later.waited(5s), finish(reason::deadline_exceeded));
}

TEST(RetryFsm, IsCancelledInEveryState) {
    for (const auto& [name, reach] : running_states) {
        fsm_driver m(every_second());
        reach(m);
        EXPECT_EQ(m.fsm.cancel(), finish(reason::cancelled)) << name;
    }
    fsm_driver before;
    EXPECT_EQ(before.fsm.cancel(), finish(reason::cancelled));
    EXPECT_EQ(before.start(), finish(reason::cancelled));
    EXPECT_EQ(before.fsm.number(), 0U);
}

TEST(RetryFsm, StaysFinishedForItsReason) {
    const std::pair<reason, std::function<void(fsm_driver&)>> ends[] = {
        {reason::success, [](auto& m) { m.done(verdict::success()); }},
        {reason::permanent_failure, [](auto& m) { m.done(failure_kind::permanent); }},
        {reason::attempts_exhausted,
         [](auto& m) { m.repeat(failure_kind::server), m.done(failure_kind::server); }},
        {reason::deadline_exceeded, [](auto& m) { m.now += 1min, m.done(failure_kind::server); }},
        {reason::deadline_exceeded, [](auto& m) { m.done(failure_kind::server), m.waited(1min); }},
        {reason::retry_after_too_long,
         [](auto& m) { m.done(verdict(failure_kind::server).retry_after(1h)); }},
        {reason::not_idempotent,
         [](auto& m) {
             m.done(verdict(failure_kind::server).forbid_retry(reason::not_idempotent));
         }},
        {reason::cancelled, [](auto& m) { m.done(failure_kind::cancelled); }},
        {reason::cancelled, [](auto& m) { m.fsm.cancel(); }},
    };
    for (const auto& [why, reach] : ends) {
        SCOPED_TRACE(to_string(why));
        fsm_driver m(every_second().max_attempts(2).total_timeout(1min));
        m.start();
        reach(m);
        const auto number = m.fsm.number();
        EXPECT_EQ(m.done(verdict::success()), finish(why));
        EXPECT_EQ(m.done(failure_kind::server), finish(why));
        EXPECT_EQ(m.done(failure_kind::cancelled), finish(why));
        EXPECT_EQ(m.done(stale()), finish(why));
        EXPECT_EQ(m.waited(1s), finish(why));
        EXPECT_EQ(m.fsm.cancel(), finish(why));
        EXPECT_EQ(m.start(), finish(why));
        EXPECT_EQ(m.fsm.number(), number);
    }
}

}  // namespace
