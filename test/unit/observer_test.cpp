// What an observer is told, by each driver, and when.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/async_retry.hpp>
#include <asio_retry/observer.hpp>
#include <asio_retry/retry.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;

/// Writes down each hook in a line.
class diary final : public observer {
public:
    explicit diary(stage& s) : stage_(s) {}

    void attempt_started(std::string_view operation, const attempt& a) noexcept override {
        write(operation, "started " + std::to_string(a.number()));
    }
    void attempt_finished(std::string_view operation, const attempt_record& r) noexcept override {
        EXPECT_EQ(r.delay, 0s);
        EXPECT_EQ(r.source, delay_source::none);
        write(operation,
              "finished " + std::to_string(r.number) + ' ' +
                  (r.kind ? std::string(to_string(*r.kind)) : "ok"));
    }
    void retry_scheduled(std::string_view operation, const attempt_record& r) noexcept override {
        EXPECT_NE(r.source, delay_source::none);
        write(operation,
              "scheduled " + std::to_string(r.delay / 1s) + "s after " + std::to_string(r.number));
    }
    void gave_up(std::string_view operation, const retry_report& r) noexcept override {
        EXPECT_EQ(r.attempts(), r.history().empty() ? 0 : r.history().back().number);
        write(operation, "gave up " + std::string(to_string(r.reason())));
    }

    std::vector<std::string> lines;

private:
    void write(std::string_view operation, const std::string& what) {
        lines.push_back(std::to_string(stage_.elapsed() / 1s) + "s " + std::string(operation) +
                        ": " + what);
    }

    stage& stage_;
};

using list = std::vector<std::string>;

/// What the observer is told, which must be the same from each driver.
list told(const retry_policy& base,
          const std::vector<step>& steps,
          std::chrono::seconds cancel = 0s) {
    list first;
    for (int driver = 0; driver < 4; ++driver) {
        SCOPED_TRACE(driver);
        stage s;
        const auto watcher = std::make_shared<diary>(s);
        const auto policy = retry_policy(base).name("ping").observer(watcher);
        const auto op = s.scripted(steps);
        std::shared_ptr<void> end;
        const auto slot = s.signal.slot();
        switch (driver) {
            case 0: end = s.start(retry(policy, op.awaitable()), caller()); break;
            case 1: end = s.start(try_retry(policy, op.awaitable()), caller()); break;
            case 2:
                async_retry(s.executor(),
                            policy,
                            op,
                            asio::bind_cancellation_slot(slot, [](error_code) {}));
                break;
            default:
                async_try_retry(s.executor(),
                                policy,
                                op,
                                asio::bind_cancellation_slot(slot, [](retry_result<void>) {}));
        }
        if (cancel > 0s) {
            s.clock.run_for(s.context, cancel);
            s.signal.emit(asio::cancellation_type::terminal);
        }
        s.clock.run(s.context);
        if (driver == 0) first = watcher->lines;
        EXPECT_EQ(watcher->lines, first);
    }
    return first;
}

TEST(Observer, SeesASuccess) {
    EXPECT_EQ(told(every_ten_seconds(), {step({}, 2s)}),
              (list{"0s ping: started 1", "2s ping: finished 1 ok"}));
}

TEST(Observer, SeesRetriesAndTheSuccessAfterThem) {
    EXPECT_EQ(told(every_ten_seconds(), {step(refused, 2s), step(reset_by_peer, 1s), step({}, 1s)}),
              (list{"0s ping: started 1",
                    "2s ping: finished 1 connect",
                    "2s ping: scheduled 10s after 1",
                    "12s ping: started 2",
                    "13s ping: finished 2 connection_lost",
                    "13s ping: scheduled 10s after 2",
                    "23s ping: started 3",
                    "24s ping: finished 3 ok"}));
}

TEST(Observer, SeesTheEndOfAttempts) {
    EXPECT_EQ(told(every_ten_seconds().max_attempts(2), {step(refused, 2s)}),
              (list{"0s ping: started 1",
                    "2s ping: finished 1 connect",
                    "2s ping: scheduled 10s after 1",
                    "12s ping: started 2",
                    "14s ping: finished 2 connect",
                    "14s ping: gave up attempts_exhausted"}));
}

TEST(Observer, SeesAPermanentFailure) {
    EXPECT_EQ(told(every_ten_seconds(), {step(denied, 2s)}),
              (list{"0s ping: started 1",
                    "2s ping: finished 1 permanent",
                    "2s ping: gave up permanent_failure"}));
}

TEST(Observer, SeesATimeoutAndTheDeadline) {
    EXPECT_EQ(told(every_ten_seconds().attempt_timeout(2s).total_timeout(5s), {step({}, 1h)}),
              (list{"0s ping: started 1",
                    "2s ping: finished 1 timeout",
                    "2s ping: gave up deadline_exceeded"}));
    EXPECT_EQ(told(every_ten_seconds().total_timeout(0s), {step()}),
              (list{"0s ping: gave up deadline_exceeded"}));
}

TEST(Observer, SeesACancellationInAnAttempt) {
    EXPECT_EQ(
        told(every_ten_seconds(), {step({}, 10s)}, 4s),
        (list{
            "0s ping: started 1", "4s ping: finished 1 cancelled", "4s ping: gave up cancelled"}));
}

TEST(Observer, SeesACancellationInADelay) {
    EXPECT_EQ(told(every_ten_seconds(), {step(refused, 2s)}, 4s),
              (list{"0s ping: started 1",
                    "2s ping: finished 1 connect",
                    "2s ping: scheduled 10s after 1",
                    "4s ping: gave up cancelled"}));
}

TEST(Observer, SeesAttemptsWithoutDelay) {
    EXPECT_EQ(told(retry_policy().backoff(backoff::none()), {step(refused), step()}),
              (list{"0s ping: started 1",
                    "0s ping: finished 1 connect",
                    "0s ping: scheduled 0s after 1",
                    "0s ping: started 2",
                    "0s ping: finished 2 ok"}));
}

TEST(Observer, MakesNoDifferenceToTheEnd) {
    stage s;
    const auto deadline_first = every_ten_seconds().total_timeout(0s);
    for (const bool watched : {false, true}) {
        auto policy = deadline_first;
        if (watched) policy.observer(std::make_shared<diary>(s));
        const auto end = s.run(retry(policy, s.scripted({step()}).awaitable()));
        EXPECT_EQ(end.code(), error::deadline_exceeded);
    }
}

TEST(Observer, LivesAsLongAsTheCall) {
    stage s;
    std::weak_ptr<diary> watcher;
    {
        const auto strong = std::make_shared<diary>(s);
        watcher = strong;
        async_retry(s.executor(),
                    every_ten_seconds().observer(strong),
                    s.scripted({step(refused)}),
                    [](error_code) {});
    }
    s.clock.run_for(s.context, 5s);
    EXPECT_FALSE(watcher.expired());
    s.clock.run(s.context);
    EXPECT_TRUE(watcher.expired());
}

}  // namespace
}  // namespace asio_retry
