#include "support/fsm_driver.hpp"
#include <asio_retry/detail/retry_fsm.hpp>

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::backoff;
using asio_retry::delay_source;
using asio_retry::failure_kind;
using asio_retry::jitter;
using asio_retry::kind_limits;
using asio_retry::reason;
using asio_retry::retry_policy;
using asio_retry::steady_time;
using asio_retry::verdict;
using std::chrono::nanoseconds;
using test::attempt;
using test::finish;
using test::fsm_driver;
using test::retry_action;
using test::wait;

constexpr unsigned no_end = std::numeric_limits<unsigned>::max();

retry_policy constant(nanoseconds delay) {
    return retry_policy().max_attempts(no_end).max_retry_after(1h).backoff(
        backoff::constant(delay).jitter(jitter::none));
}

verdict asked(nanoseconds delay) { return verdict(failure_kind::throttling).retry_after(delay); }

TEST(RetryFsmDelay, FollowsTheSchedule) {
    fsm_driver m(retry_policy().max_attempts(no_end).backoff(backoff::exponential(1s, 5s)));
    m.start();
    for (const auto expected : {1s, 2s, 4s, 5s, 5s}) {
        EXPECT_EQ(m.repeat(failure_kind::server), wait(expected));
    }
    EXPECT_EQ(m.draws, 5);
    m.random = 0;
    EXPECT_EQ(m.repeat(failure_kind::server), wait(0s));
}

TEST(RetryFsmDelay, DrawsNothingWithoutJitter) {
    fsm_driver m(constant(1s));
    m.start();
    m.repeat(failure_kind::server);
    m.repeat(asked(3s));
    EXPECT_EQ(m.draws, 0);
    fsm_driver none(retry_policy().backoff(backoff::none()));
    none.start();
    EXPECT_EQ(none.repeat(failure_kind::server), wait(0s));
    EXPECT_EQ(none.draws, 0);
}

TEST(RetryFsmDelay, GivesDecorrelatedSchedulesThePreviousDelay) {
    fsm_driver m(retry_policy().max_attempts(no_end).backoff(backoff::decorrelated(1s, 1h)));
    m.start();
    EXPECT_EQ(m.repeat(failure_kind::server), wait(3s));
    EXPECT_EQ(m.repeat(failure_kind::server), wait(9s));
    EXPECT_EQ(m.repeat(failure_kind::server), wait(27s));
    m.random = 0;
    EXPECT_EQ(m.repeat(failure_kind::server), wait(1s));
    m.random = UINT64_MAX;
    EXPECT_EQ(m.repeat(failure_kind::server), wait(3s));
}

TEST(RetryFsmDelay, CountsByKindWhereAKindHasItsOwnSchedule) {
    fsm_driver m(retry_policy()
                     .max_attempts(no_end)
                     .backoff(backoff::linear(1s, 1h))
                     .on(failure_kind::timeout, kind_limits().backoff(backoff::linear(100s, 1h))));
    m.start();
    EXPECT_EQ(m.repeat(failure_kind::server), wait(1s));
    EXPECT_EQ(m.repeat(failure_kind::timeout), wait(100s));
    EXPECT_EQ(m.repeat(failure_kind::server), wait(3s));
    EXPECT_EQ(m.repeat(failure_kind::timeout), wait(200s));
    EXPECT_EQ(m.repeat(failure_kind::connect), wait(5s));
}

TEST(RetryFsmDelay, DoesNotCountAResend) {
    fsm_driver m(constant(1s).backoff(backoff::linear(1s, 1h)));
    m.start();
    m.repeat(verdict(failure_kind::connection_lost).stale_connection());
    EXPECT_EQ(m.repeat(failure_kind::server), wait(1s));
    EXPECT_EQ(m.repeat(failure_kind::server), wait(2s));
}

TEST(RetryFsmDelay, IsTheLongerOfBackoffAndRetryAfter) {
    struct row {
        const char* name;
        nanoseconds asked;
        retry_action next;
    };
    const row rows[] = {
        {"nothing", 0s, wait(10s)},
        {"less", 9s, wait(10s)},
        {"as long", 10s, wait(10s, delay_source::retry_after)},
        {"longer", 11s, wait(11s, delay_source::retry_after)},
        {"the most allowed", 1h, wait(1h, delay_source::retry_after)},
        {"more", 1h + 1ns, finish(reason::retry_after_too_long)},
        {"for ever", nanoseconds::max(), finish(reason::retry_after_too_long)},
    };
    for (const auto& r : rows) {
        fsm_driver m(constant(10s));
        m.start();
        EXPECT_EQ(m.done(asked(r.asked)), r.next) << r.name;
    }
    fsm_driver at_once(constant(0s));
    at_once.start();
    EXPECT_EQ(at_once.done(asked(0s)), wait(0s));
    fsm_driver never(constant(0s).max_retry_after(0s));
    never.start();
    EXPECT_EQ(never.done(asked(1ns)), finish(reason::retry_after_too_long));
}

TEST(RetryFsmDelay, RefusesARetryAfterAboveTheMaximumThoughTheBackoffIsLonger) {
    fsm_driver m(constant(10s).max_retry_after(4s));
    m.start();
    EXPECT_EQ(m.done(asked(5s)), finish(reason::retry_after_too_long));
}

TEST(RetryFsmDelay, HonoursRetryAfterOnEveryKind) {
    for (const auto kind : {failure_kind::connect,
                            failure_kind::timeout,
                            failure_kind::connection_lost,
                            failure_kind::throttling,
                            failure_kind::server}) {
        fsm_driver m(constant(1s));
        m.start();
        EXPECT_EQ(m.done(verdict(kind).retry_after(5s)), wait(5s, delay_source::retry_after));
    }
}

TEST(RetryFsmDelay, JittersRetryAfterUpwardOnly) {
    for (const auto j : {jitter::full, jitter::equal}) {
        std::mt19937_64 random(3);
        std::array<int, 4> quarters{};
        for (int i = 0; i < 4000; ++i) {
            fsm_driver m(constant(1s).backoff(backoff::constant(4s).jitter(j)));
            m.start();
            m.random = random();
            const auto next = m.done(asked(20s));
            ASSERT_EQ(next.source, delay_source::retry_after);
            ASSERT_GE(next.delay, 20s) << "earlier than asked";
            ASSERT_LE(next.delay, 24s);
            ++quarters.at(
                static_cast<std::size_t>(std::min<std::int64_t>((next.delay - 20s) / 1s, 3)));
        }
        for (const int n : quarters) EXPECT_NEAR(n, 1000, 150);
    }
}

TEST(RetryFsmDelay, KeepsTheJitterOfRetryAfterWithinTheDeadline) {
    fsm_driver m(constant(1s).backoff(backoff::constant(10s)).total_timeout(25s));
    m.start();
    EXPECT_EQ(m.done(asked(20s)), wait(25s - 1ns, delay_source::retry_after));
    EXPECT_EQ(m.waited(25s - 1ns), attempt);
}

TEST(RetryFsmDelay, DoesNotWaitPastTheDeadline) {
    struct row {
        const char* name;
        nanoseconds left;
        verdict v;
        retry_action next;
    };
    const verdict server = failure_kind::server;
    const row rows[] = {
        {"room", 11s, server, wait(10s)},
        {"just room", 10s + 1ns, server, wait(10s)},
        {"no room", 10s, server, finish(reason::deadline_exceeded)},
        {"less", 1ns, server, finish(reason::deadline_exceeded)},
        {"none left", 0s, server, finish(reason::deadline_exceeded)},
        {"too late", -1s, server, finish(reason::deadline_exceeded)},
        {"asked, room", 21s, asked(20s), wait(20s, delay_source::retry_after)},
        {"asked, just room", 20s + 1ns, asked(20s), wait(20s, delay_source::retry_after)},
        {"asked, no room", 20s, asked(20s), finish(reason::retry_after_too_long)},
        {"asked, less", 15s, asked(20s), finish(reason::retry_after_too_long)},
        {"asked for less than the backoff", 10s, asked(5s), finish(reason::deadline_exceeded)},
        {"asked, too late", 0s, asked(20s), finish(reason::deadline_exceeded)},
    };
    for (const auto& r : rows) {
        fsm_driver m(constant(10s).total_timeout(1min));
        m.start();
        m.now += 1min - r.left;
        EXPECT_EQ(m.done(r.v), r.next) << r.name;
    }
}

TEST(RetryFsmDelay, FinishesWhenAWaitEndsTooLate) {
    fsm_driver m(constant(10s).total_timeout(1min));
    m.start();
    EXPECT_EQ(m.done(failure_kind::server), wait(10s));
    EXPECT_EQ(m.waited(1min), finish(reason::deadline_exceeded));
    EXPECT_EQ(m.fsm.number(), 1U);
}

TEST(RetryFsmDelay, ShrinksAnAttemptToWhatIsLeft) {
    fsm_driver m(constant(10s).attempt_timeout(20s).total_timeout(1min));
    m.start();
    EXPECT_EQ(m.fsm.attempt_deadline(m.policy, m.now), m.now + 20s);
    EXPECT_EQ(m.fsm.attempt_deadline(m.policy, m.now + 40s), m.now + 1min);
    EXPECT_EQ(m.fsm.attempt_deadline(m.policy, m.now + 59s), m.now + 1min);
    fsm_driver unbounded(constant(10s));
    unbounded.start();
    EXPECT_EQ(unbounded.fsm.attempt_deadline(unbounded.policy, unbounded.now), steady_time::max());
}

TEST(RetryFsmDelay, TakesTheExtremesWithoutOverflow) {
    constexpr auto most = nanoseconds::max();
    const std::vector<backoff> schedules = {backoff::constant(most),
                                            backoff::linear(most, most),
                                            backoff::exponential(1ns, most, 1e9),
                                            backoff::decorrelated(1ns, most),
                                            backoff::constant(most).jitter(jitter::none)};
    for (const auto& schedule : schedules) {
        for (const auto now : {steady_time(0ns), steady_time(1ns), steady_time::max() - 1ns}) {
            for (const auto total : {most, most - 1ns, nanoseconds(1ns)}) {
                for (const auto wish : {0ns, 1ns, most}) {
                    fsm_driver m(retry_policy()
                                     .max_attempts(no_end)
                                     .attempt_timeout(most)
                                     .total_timeout(total)
                                     .max_retry_after(most)
                                     .backoff(schedule));
                    m.now = now;
                    ASSERT_EQ(m.start(), attempt);
                    EXPECT_LE(m.fsm.attempt_deadline(m.policy, now), m.fsm.deadline());
                    for (int i = 0; i < 70; ++i) {
                        const auto next = m.done(asked(wish));
                        if (next.what == retry_action::type::finish) break;
                        ASSERT_GE(next.delay, wish);
                        ASSERT_LT(next.delay, m.fsm.deadline() - m.now);
                        if (m.waited().what == retry_action::type::finish) break;
                    }
                }
            }
        }
    }
}

TEST(RetryFsmDelay, NeverGoesAgainstItsRulesForAnyHistory) {
    std::mt19937_64 random(11);
    for (int call = 0; call < 3000; ++call) {
        const nanoseconds cap(1 + random() % 10'000'000'000);
        const auto base = nanoseconds(random() % static_cast<std::uint64_t>(cap.count() + 1));
        fsm_driver m(retry_policy()
                         .max_attempts(1 + static_cast<unsigned>(random() % 20))
                         .total_timeout(nanoseconds(1 + random() % 60'000'000'000))
                         .max_retry_after(nanoseconds(random() % 20'000'000'000))
                         .backoff(random() % 2 == 0 ? backoff::exponential(base, cap)
                                                    : backoff::decorrelated(base, cap)));
        bool resent = false;
        auto next = m.start();
        while (next.what == retry_action::type::attempt) {
            ASSERT_LT(m.now, m.fsm.deadline());
            ASSERT_LE(m.fsm.number(), m.policy.max_attempts());
            m.now += nanoseconds(random() % 3'000'000'000);
            m.random = random();
            verdict v = static_cast<failure_kind>(random() % 5);
            if (random() % 3 == 0) v.retry_after(nanoseconds(random() % 10'000'000'000));
            if (random() % 5 == 0) v.stale_connection();
            const unsigned before = m.fsm.number();
            next = m.done(v);
            if (next.what == retry_action::type::finish) break;
            if (next.source == delay_source::stale_connection) {
                ASSERT_FALSE(resent);
                resent = true;
                ASSERT_EQ(next.delay, 0s);
            } else {
                ASSERT_GE(next.delay, v.retry_after().value_or(0s));
            }
            ASSERT_LT(m.now + next.delay, m.fsm.deadline());
            const bool resend = next.source == delay_source::stale_connection;
            next = m.waited(next.delay);
            ASSERT_EQ(m.fsm.number(), before + (resend ? 0 : 1));
        }
        ASSERT_NE(next.why, reason::success);
    }
}

}  // namespace
