// What a call asks of the retry budget and the circuit breaker, and what it tells them.
#include <asio_retry/async_retry.hpp>
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/detail/retry_call.hpp>
#include <asio_retry/retry.hpp>
#include <asio_retry/retry_budget.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

namespace asio_retry {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using detail::retry_action;
using detail::retry_call;

const error_code refused = asio::error::connection_refused;
const error_code denied = asio::error::access_denied;
constexpr steady_time epoch{1h};

std::uint64_t no_random() { return 0; }

retry_policy every_second() {
    return retry_policy().max_attempts(100).backoff(backoff::constant(1s).jitter(jitter::none));
}

auto tokens(double n) {
    return std::make_shared<retry_budget>(
        budget_options().capacity(n).retry_cost(5).timeout_cost(10).refill_per_second(0));
}

auto breaker_of(unsigned minimum_calls, unsigned probes = 1) {
    return std::make_shared<circuit_breaker>(breaker_options()
                                                 .minimum_calls(minimum_calls)
                                                 .failure_rate(1)
                                                 .open_for(10s)
                                                 .half_open_probes(probes),
                                             7);
}

retry_action fail(retry_call& call, steady_time now, const verdict& v, const error_code& ec) {
    call.begin_attempt();
    return call.end_attempt(now, v, ec, no_random);
}

void expect_finish(const retry_action& next, reason why) {
    EXPECT_EQ(next.what, retry_action::type::finish);
    EXPECT_EQ(next.why, why);
}

TEST(RetryBudgetInACall, GrantsRetriesUntilItIsSpent) {
    const auto budget = tokens(10);
    const auto policy = every_second().retry_budget(budget);
    retry_call call(policy);
    call.start(epoch);
    EXPECT_EQ(fail(call, epoch, failure_kind::connect, refused).what, retry_action::type::wait);
    EXPECT_EQ(budget->available(epoch), 5);
    call.wait_done(epoch + 1s);
    EXPECT_EQ(fail(call, epoch, failure_kind::connect, refused).what, retry_action::type::wait);
    call.wait_done(epoch + 2s);
    expect_finish(fail(call, epoch + 2s, failure_kind::connect, refused), reason::budget_exhausted);
    EXPECT_EQ(call.completion_error(reason::budget_exhausted), refused);
    const auto report = call.take_report(reason::budget_exhausted);
    EXPECT_EQ(report.attempts(), 3U);
    EXPECT_EQ(report.history().at(2).delay, 0s);
    EXPECT_EQ(report.retry_after(), std::nullopt);
}

TEST(RetryBudgetInACall, CostsByTheKindOfFailure) {
    const auto budget = tokens(100);
    const auto policy = every_second().retry_budget(budget);
    retry_call call(policy);
    call.start(epoch);
    fail(call, epoch, failure_kind::timeout, refused);
    EXPECT_EQ(budget->available(epoch), 90);
}

TEST(RetryBudgetInACall, IsNotAskedForWhatIsNotRetried) {
    const auto budget = tokens(100);
    const auto policy = every_second().max_attempts(1).retry_budget(budget);
    for (const verdict& v : {verdict(failure_kind::permanent), verdict(failure_kind::connect)}) {
        retry_call call(policy);
        call.start(epoch);
        EXPECT_EQ(fail(call, epoch, v, refused).what, retry_action::type::finish);
        EXPECT_EQ(budget->available(epoch), 100);
    }
}

TEST(RetryBudgetInACall, GivesAResendOnAFreshConnectionForNothing) {
    const auto budget = tokens(0);
    const auto policy = every_second().retry_budget(budget);
    retry_call call(policy);
    call.start(epoch);
    const auto next =
        fail(call, epoch, verdict(failure_kind::connection_lost).stale_connection(), refused);
    EXPECT_EQ(next.source, delay_source::stale_connection);
}

TEST(RetryBudgetInACall, EarnsBySuccess) {
    const auto budget = tokens(100);
    ASSERT_TRUE(budget->try_spend(failure_kind::timeout, epoch));
    const auto policy = every_second().retry_budget(budget);
    retry_call call(policy);
    call.start(epoch);
    expect_finish(fail(call, epoch, verdict::success(), {}), reason::success);
    EXPECT_EQ(budget->available(epoch), 91);
}

TEST(RetryBudgetInACall, GetsTheCostOfTheRetryBackWhereItSaysSo) {
    const auto budget = std::make_shared<retry_budget>(budget_options::aws());
    const auto policy = every_second().retry_budget(budget);
    retry_call call(policy);
    call.start(epoch);
    fail(call, epoch, failure_kind::timeout, refused);
    EXPECT_EQ(budget->available(epoch), 490);
    call.wait_done(epoch + 1s);
    fail(call, epoch + 1s, verdict::success(), {});
    EXPECT_EQ(budget->available(epoch), 500);
}

TEST(RetryBudgetInACall, GetsBackWhatARetryCostThatWasNotMade) {
    const auto budget = tokens(100);
    const auto policy = every_second().retry_budget(budget);
    retry_call cancelled(policy);
    cancelled.start(epoch);
    fail(cancelled, epoch, failure_kind::connect, refused);
    EXPECT_EQ(budget->available(epoch), 95);
    cancelled.cancel(epoch + 1ms);
    EXPECT_EQ(budget->available(epoch), 100);
    cancelled.cancel(epoch + 2ms);
    EXPECT_EQ(budget->available(epoch), 100);

    retry_call without_place(policy);
    without_place.start(epoch);
    fail(without_place, epoch, failure_kind::connect, refused);
    without_place.wait_done(epoch + 1s);
    expect_finish(without_place.refuse(reason::queue_full, epoch + 1s), reason::queue_full);
    EXPECT_EQ(budget->available(epoch), 100);
    EXPECT_EQ(without_place.completion_error(reason::queue_full), refused);
    EXPECT_EQ(without_place.take_report(reason::queue_full).attempts(), 1U);
}

TEST(RetryBudgetInACall, KeepsWhatAnAttemptThatWasMadeCost) {
    const auto budget = tokens(100);
    const auto policy = every_second().retry_budget(budget);
    retry_call call(policy);
    call.start(epoch);
    fail(call, epoch, failure_kind::connect, refused);
    call.wait_done(epoch + 1s);
    call.begin_attempt();
    call.cancel(epoch + 1s);
    EXPECT_EQ(budget->available(epoch), 95);
}

TEST(CircuitBreakerInACall, EndsTheCallBeforeItsFirstAttempt) {
    const auto breaker = breaker_of(1);
    breaker->acquire(epoch).fail(epoch);
    const auto policy = every_second().circuit_breaker(breaker);
    retry_call call(policy);
    expect_finish(call.start(epoch + 2s), reason::circuit_open);
    EXPECT_EQ(call.number(), 0U);
    EXPECT_EQ(call.completion_error(reason::circuit_open), error::circuit_open);
    const auto report = call.take_report(reason::circuit_open);
    EXPECT_EQ(report.attempts(), 0U);
    ASSERT_TRUE(report.retry_after());
    EXPECT_EQ(*report.retry_after(), breaker->retry_at(epoch + 2s) - (epoch + 2s));
    EXPECT_GE(*report.retry_after(), 8s);
}

TEST(CircuitBreakerInACall, SaysThatOneHeldOpenHasNoTime) {
    const auto breaker = breaker_of(1);
    breaker->isolate(epoch);
    const auto policy = every_second().circuit_breaker(breaker);
    retry_call call(policy);
    expect_finish(call.start(epoch), reason::circuit_open);
    EXPECT_EQ(call.take_report(reason::circuit_open).retry_after(),
              std::chrono::nanoseconds::max());
}

TEST(CircuitBreakerInACall, StopsTheRetriesOfTheCallThatOpenedIt) {
    const auto breaker = breaker_of(2);
    const auto budget = tokens(100);
    const auto policy = every_second().circuit_breaker(breaker).retry_budget(budget);
    retry_call call(policy);
    call.start(epoch);
    fail(call, epoch, failure_kind::server, {});
    call.wait_done(epoch + 1s);
    fail(call, epoch + 1s, failure_kind::connect, refused);
    EXPECT_EQ(breaker->state(epoch + 1s), breaker_state::open);
    expect_finish(call.wait_done(epoch + 2s), reason::circuit_open);
    EXPECT_EQ(call.completion_error(reason::circuit_open), refused);
    EXPECT_EQ(call.take_report(reason::circuit_open).attempts(), 2U);
    EXPECT_EQ(budget->available(epoch), 95);
}

TEST(CircuitBreakerInACall, CountsEachKindOfOutcomeAsItTellsOfThePeer) {
    class row {
    public:
        verdict v;
        error_code ec;
        unsigned calls;
        unsigned failed;
    };
    const row rows[] = {
        {verdict::success(), {}, 1, 0},
        {failure_kind::connect, refused, 1, 1},
        {failure_kind::timeout, error::attempt_timeout, 1, 1},
        {failure_kind::connection_lost, asio::error::eof, 1, 1},
        {failure_kind::throttling, {}, 1, 1},
        {failure_kind::server, {}, 1, 1},
        {failure_kind::permanent, {}, 1, 0},
        {failure_kind::permanent, denied, 0, 0},
        {failure_kind::cancelled, asio::error::operation_aborted, 0, 0},
    };
    for (const row& r : rows) {
        const auto breaker = breaker_of(100);
        const auto policy = every_second().circuit_breaker(breaker);
        retry_call call(policy);
        call.start(epoch);
        fail(call, epoch, r.v, r.ec);
        const auto counts = breaker->counts(epoch);
        EXPECT_EQ(counts.calls, r.calls) << r.ec.message();
        EXPECT_EQ(counts.failed, r.failed) << r.ec.message();
    }
}

TEST(CircuitBreakerInACall, CountsAResendAndItsAttemptAsOne) {
    const auto breaker = breaker_of(100);
    const auto policy = every_second().circuit_breaker(breaker);
    retry_call call(policy);
    call.start(epoch);
    fail(call, epoch, verdict(failure_kind::connection_lost).stale_connection(), refused);
    EXPECT_EQ(breaker->counts(epoch).calls, 0U);
    call.wait_done(epoch);
    fail(call, epoch, verdict::success(), {});
    EXPECT_EQ(breaker->counts(epoch).calls, 1U);
    EXPECT_EQ(breaker->counts(epoch).failed, 0U);
}

TEST(CircuitBreakerInACall, GetsAProbesPlaceBackFromACallThatIsDropped) {
    const auto breaker = breaker_of(1);
    breaker->acquire(epoch).fail(epoch);
    const auto policy = every_second().circuit_breaker(breaker);
    const steady_time later = epoch + 1h;
    {
        retry_call dropped(policy);
        EXPECT_EQ(dropped.start(later).what, retry_action::type::attempt);
        retry_call second(policy);
        expect_finish(second.start(later), reason::circuit_open);
    }
    retry_call next(policy);
    EXPECT_EQ(next.start(later).what, retry_action::type::attempt);
}

TEST(CircuitBreakerInACall, IsAskedAgainAfterAWaitForAPlace) {
    const auto breaker = breaker_of(1);
    const auto policy = every_second().circuit_breaker(breaker);
    retry_call call(policy);
    EXPECT_EQ(call.start(epoch).what, retry_action::type::attempt);
    breaker->acquire(epoch).fail(epoch);
    expect_finish(call.readmit(epoch + 1s), reason::circuit_open);
    EXPECT_EQ(call.number(), 0U);
    retry_call later(policy);
    EXPECT_EQ(later.start(epoch + 1h).what, retry_action::type::attempt);
    EXPECT_EQ(later.readmit(epoch + 1h).what, retry_action::type::attempt);
}

TEST(RetryReport, TellsTheWaitThatWasTooLong) {
    const auto policy = every_second().max_retry_after(30s);
    retry_call call(policy);
    call.start(epoch);
    expect_finish(fail(call, epoch, verdict(failure_kind::throttling).retry_after(31s), {}),
                  reason::retry_after_too_long);
    EXPECT_EQ(call.take_report(reason::retry_after_too_long).retry_after(), 31s);
}

asio::awaitable<error_code> answer(error_code ec) { co_return ec; }

TEST(Guards, StandRoundEveryRetriedOperation) {
    asio::io_context io;
    const auto breaker = breaker_of(100);
    const auto budget = tokens(5);
    const auto policy = retry_policy()
                            .max_attempts(9)
                            .backoff(backoff::none())
                            .retry_budget(budget)
                            .circuit_breaker(breaker);
    reason why = reason::success;
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
            const auto r = co_await try_retry(policy, answer, refused);
            why = r.reason();
            co_await retry(policy, answer, error_code());
        },
        asio::detached);
    io.run();
    EXPECT_EQ(why, reason::budget_exhausted);
    EXPECT_EQ(breaker->counts(std::chrono::steady_clock::now()).calls, 3U);
    EXPECT_EQ(budget->available(std::chrono::steady_clock::now()), 1);

    breaker->isolate(std::chrono::steady_clock::now());
    error_code last;
    const auto post = [&io](auto token) { return asio::post(io, std::move(token)); };
    async_retry(io.get_executor(), policy, post, [&](error_code ec) { last = ec; });
    io.restart();
    io.run();
    EXPECT_EQ(last, error::circuit_open);
}

}  // namespace
}  // namespace asio_retry
