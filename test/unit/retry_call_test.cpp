#include "support/fsm_driver.hpp"
#include <asio_retry/detail/retry_call.hpp>

#include <boost/asio/error.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::attempt_record;
using asio_retry::backoff;
using asio_retry::delay_source;
using asio_retry::error;
using asio_retry::error_code;
using asio_retry::failure_kind;
using asio_retry::jitter;
using asio_retry::observer;
using asio_retry::reason;
using asio_retry::retry_policy;
using asio_retry::retry_report;
using asio_retry::send_state;
using asio_retry::steady_time;
using asio_retry::verdict;
using asio_retry::detail::retry_call;
using test::attempt;
using test::finish;
using test::retry_action;
using test::wait;

const error_code refused = boost::asio::error::connection_refused;
const error_code reset = boost::asio::error::connection_reset;
constexpr steady_time epoch{1h};

retry_policy every_second() {
    return retry_policy().max_attempts(100).backoff(backoff::constant(1s).jitter(jitter::none));
}

std::uint64_t no_random() { return 0; }

/// Writes down what it is told, one line a call.
class scribe : public observer {
public:
    void attempt_started(std::string_view operation,
                         const asio_retry::attempt& a) noexcept override {
        note(operation,
             "attempt " + std::to_string(a.number()) + " by " +
                 std::to_string((a.deadline() - epoch) / 1s));
    }
    void attempt_finished(std::string_view operation, const attempt_record& r) noexcept override {
        note(operation,
             "finished " + std::to_string(r.number) + " " +
                 std::string(r.kind ? to_string(*r.kind) : "well") + " " + r.error.message());
    }
    void retry_scheduled(std::string_view operation, const attempt_record& r) noexcept override {
        note(operation,
             "after " + std::to_string(r.number) + " wait " + std::to_string(r.delay / 1ms) + " " +
                 std::string(to_string(r.source)));
    }
    void gave_up(std::string_view operation, const retry_report& report) noexcept override {
        note(operation, "gave up: " + report.summary());
    }

    std::vector<std::string> lines;

private:
    void note(std::string_view operation, const std::string& text) {
        lines.push_back(std::string(operation) + ": " + text);
    }
};

TEST(RetryCall, RecordsEachAttempt) {
    const auto policy = every_second();
    retry_call call(policy);
    EXPECT_EQ(call.start(epoch), attempt);
    EXPECT_EQ(call.begin_attempt().number(), 1U);
    call.record().sent = send_state::partial;
    call.record().remote = "127.0.0.1:80";
    EXPECT_EQ(call.end_attempt(epoch + 3s, failure_kind::connect, refused, no_random), wait(1s));
    EXPECT_EQ(call.wake_time(), epoch + 4s);
    EXPECT_EQ(call.wait_done(epoch + 6s), attempt);
    EXPECT_EQ(call.begin_attempt().number(), 2U);
    call.record().status = 503;
    const auto busy = verdict(failure_kind::throttling).retry_after(7s);
    EXPECT_EQ(call.end_attempt(epoch + 8s, busy, {}, no_random),
              wait(7s, delay_source::retry_after));
    EXPECT_EQ(call.wait_done(epoch + 15s), attempt);
    call.begin_attempt();
    call.record().status = 200;
    call.record().reused = true;
    EXPECT_EQ(call.end_attempt(epoch + 16s, verdict::success(), {}, no_random),
              finish(reason::success));
    EXPECT_FALSE(call.completion_error(reason::success));

    const auto report = call.take_report(reason::success);
    EXPECT_EQ(report.reason(), reason::success);
    EXPECT_EQ(report.attempts(), 3U);
    EXPECT_EQ(report.elapsed(), 16s);
    EXPECT_EQ(report.last_error(), refused);
    EXPECT_EQ(report.forgotten(), 0U);
    ASSERT_EQ(report.history().size(), 3U);
    const auto& first = report.history()[0];
    EXPECT_EQ(first.number, 1U);
    EXPECT_EQ(first.started, 0s);
    EXPECT_EQ(first.elapsed, 3s);
    EXPECT_EQ(first.kind, failure_kind::connect);
    EXPECT_EQ(first.error, refused);
    EXPECT_EQ(first.status, 0);
    EXPECT_EQ(first.sent, send_state::partial);
    EXPECT_EQ(first.remote, "127.0.0.1:80");
    EXPECT_EQ(first.delay, 1s);
    EXPECT_EQ(first.source, delay_source::backoff);
    const auto& second = report.history()[1];
    EXPECT_EQ(second.number, 2U);
    EXPECT_EQ(second.started, 6s);
    EXPECT_EQ(second.elapsed, 2s);
    EXPECT_EQ(second.kind, failure_kind::throttling);
    EXPECT_EQ(second.status, 503);
    EXPECT_FALSE(second.error);
    EXPECT_EQ(second.sent, send_state::none);
    EXPECT_EQ(second.remote, "");
    EXPECT_EQ(second.delay, 7s);
    EXPECT_EQ(second.source, delay_source::retry_after);
    const auto& third = report.history()[2];
    EXPECT_EQ(third.number, 3U);
    EXPECT_FALSE(third.kind);
    EXPECT_EQ(third.status, 200);
    EXPECT_TRUE(third.reused);
    EXPECT_EQ(third.delay, 0s);
    EXPECT_EQ(third.source, delay_source::none);
}

TEST(RetryCall, RecordsAResendUnderTheSameNumber) {
    const auto policy = every_second();
    retry_call call(policy);
    call.start(epoch);
    call.begin_attempt();
    call.record().reused = true;
    call.end_attempt(
        epoch, verdict(failure_kind::connection_lost).stale_connection(), reset, no_random);
    EXPECT_EQ(call.wake_time(), epoch);
    call.wait_done(epoch);
    EXPECT_EQ(call.begin_attempt().number(), 1U);
    call.end_attempt(epoch, verdict::success(), {}, no_random);
    const auto report = call.take_report(reason::success);
    EXPECT_EQ(report.attempts(), 1U);
    ASSERT_EQ(report.history().size(), 2U);
    EXPECT_EQ(report.history()[0].number, 1U);
    EXPECT_EQ(report.history()[0].source, delay_source::stale_connection);
    EXPECT_EQ(report.history()[0].delay, 0s);
    EXPECT_TRUE(report.history()[0].reused);
    EXPECT_EQ(report.history()[1].number, 1U);
    EXPECT_FALSE(report.history()[1].reused);
}

TEST(RetryCall, RemembersTheLatestAttemptsOnly) {
    for (const std::size_t bound : {1U, 2U, 5U, 9U, 10U, 11U}) {
        const auto policy = every_second().max_history(bound);
        retry_call call(policy);
        call.start(epoch);
        auto now = epoch;
        for (int i = 0; i < 10; ++i) {
            call.begin_attempt();
            call.end_attempt(now, failure_kind::connect, refused, no_random);
            now += 1s;
            if (i < 9) call.wait_done(now);
        }
        call.cancel(now);
        const auto report = call.take_report(reason::cancelled);
        const auto kept = std::min<std::size_t>(bound, 10);
        ASSERT_EQ(report.history().size(), kept);
        EXPECT_EQ(report.forgotten(), 10 - kept);
        EXPECT_EQ(report.history().front().number, 10 - kept + 1);
        EXPECT_EQ(report.history().back().number, 10U);
        EXPECT_EQ(report.attempts(), 10U);
    }
}

TEST(RetryCall, CompletesWithTheErrorOfItsLastAttempt) {
    const auto policy = every_second().max_attempts(2).total_timeout(1min);
    retry_call failing(policy);
    failing.start(epoch);
    failing.begin_attempt();
    failing.end_attempt(epoch, failure_kind::connect, refused, no_random);
    failing.wait_done(epoch + 1s);
    failing.begin_attempt();
    EXPECT_EQ(failing.end_attempt(epoch + 1s, failure_kind::connection_lost, reset, no_random),
              finish(reason::attempts_exhausted));
    EXPECT_EQ(failing.completion_error(reason::attempts_exhausted), reset);
    EXPECT_EQ(failing.take_report(reason::attempts_exhausted).last_error(), reset);

    retry_call late(policy);
    late.start(epoch);
    late.begin_attempt();
    late.end_attempt(epoch, failure_kind::connect, refused, no_random);
    EXPECT_EQ(late.wait_done(epoch + 1min), finish(reason::deadline_exceeded));
    EXPECT_EQ(late.completion_error(reason::deadline_exceeded), refused);

    retry_call with_value(policy);
    with_value.start(epoch);
    with_value.begin_attempt();
    with_value.end_attempt(epoch, failure_kind::server, {}, no_random);
    EXPECT_FALSE(with_value.completion_error(reason::deadline_exceeded));

    retry_call never_began(policy);
    EXPECT_EQ(never_began.completion_error(reason::deadline_exceeded), error::deadline_exceeded);
}

TEST(RetryCall, EndsBeforeItsFirstAttempt) {
    const auto policy = every_second().total_timeout(0s);
    retry_call late(policy);
    EXPECT_EQ(late.start(epoch), finish(reason::deadline_exceeded));
    const auto report = late.take_report(reason::deadline_exceeded);
    EXPECT_EQ(report.attempts(), 0U);
    EXPECT_EQ(report.elapsed(), 0s);
    EXPECT_TRUE(report.history().empty());

    retry_call cancelled(policy);
    EXPECT_EQ(cancelled.cancel(epoch), finish(reason::cancelled));
    EXPECT_EQ(cancelled.completion_error(reason::cancelled), boost::asio::error::operation_aborted);
    EXPECT_EQ(cancelled.take_report(reason::cancelled).elapsed(), 0s);
}

TEST(RetryCall, IsCancelledInAWait) {
    const auto policy = every_second();
    retry_call call(policy);
    call.start(epoch);
    call.begin_attempt();
    call.end_attempt(epoch + 2s, failure_kind::connect, refused, no_random);
    EXPECT_EQ(call.cancel(epoch + 2500ms), finish(reason::cancelled));
    EXPECT_EQ(call.completion_error(reason::cancelled), boost::asio::error::operation_aborted);
    const auto report = call.take_report(reason::cancelled);
    EXPECT_EQ(report.elapsed(), 2500ms);
    EXPECT_EQ(report.last_error(), refused);
    EXPECT_EQ(report.history().size(), 1U);
}

TEST(RetryCall, TellsItsObserverEachStepInOrder) {
    const auto watcher = std::make_shared<scribe>();
    const auto policy =
        every_second().max_attempts(2).attempt_timeout(5s).observer(watcher).name("charge");
    retry_call call(policy);
    EXPECT_FALSE(call.unwatched());
    call.start(epoch);
    call.begin_attempt();
    call.end_attempt(epoch + 1s, failure_kind::connect, refused, no_random);
    call.wait_done(epoch + 2s);
    call.begin_attempt();
    call.end_attempt(epoch + 3s, failure_kind::timeout, error::attempt_timeout, no_random);
    call.take_report(reason::attempts_exhausted);
    EXPECT_EQ(watcher->lines,
              (std::vector<std::string>{
                  "charge: attempt 1 by 5",
                  "charge: finished 1 connect Connection refused",
                  "charge: after 1 wait 1000 backoff",
                  "charge: attempt 2 by 7",
                  "charge: finished 2 timeout the attempt timed out",
                  "charge: gave up: the attempt timed out after 2 attempts in 3.0 s "
                  "(attempts_exhausted)",
              }));
}

TEST(RetryCall, TellsItsObserverOfNoGivingUpAfterASuccess) {
    const auto watcher = std::make_shared<scribe>();
    const auto policy = every_second().observer(watcher).name("GET http://h/");
    retry_call call(policy);
    call.start(epoch);
    call.begin_attempt();
    call.end_attempt(epoch, verdict::success(), {}, no_random);
    call.take_report(reason::success);
    ASSERT_EQ(watcher->lines.size(), 2U);
    EXPECT_EQ(watcher->lines[1], "GET http://h/: finished 1 well Success");
    const auto unwatched = every_second();
    EXPECT_TRUE(retry_call(unwatched).unwatched());
}

}  // namespace
