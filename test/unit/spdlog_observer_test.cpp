// The lines of the spdlog observer, word for word.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/retry.hpp>
#include <asio_retry/spdlog_observer.hpp>

#include <boost/asio/error.hpp>

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>

#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

namespace asio_retry {
namespace {

using namespace test;

class SpdlogObserver : public ::testing::Test {
public:
    SpdlogObserver() {
        logger->set_level(spdlog::level::debug);
        logger->set_pattern("[%l] %v");
    }

    std::string lines_of(retry_policy policy, std::vector<step> steps) {
        policy.observer(std::make_shared<spdlog_observer>(logger));
        stage s;
        const auto op = s.scripted(std::move(steps));
        s.run(try_retry(policy, op.awaitable()));
        logger->flush();
        return out.str();
    }

    std::ostringstream out;
    std::shared_ptr<spdlog::logger> logger = std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out));
};

TEST_F(SpdlogObserver, TellsOfASuccess) {
    EXPECT_EQ(lines_of(every_ten_seconds().name("ping"), {step({}, 12ms)}),
              "[debug] ping: attempt 1 started\n"
              "[debug] ping: attempt 1 succeeded in 12 ms\n");
}

TEST_F(SpdlogObserver, TellsWhyAndWhenItRepeatsAndWhyItGaveUp) {
    EXPECT_EQ(
        lines_of(every_ten_seconds().name("ping").max_attempts(2), {step(refused, 1500ms)}),
        "[debug] ping: attempt 1 started\n"
        "[debug] ping: attempt 1 failed in 1.5 s: Connection refused (connect)\n"
        "[warning] ping: attempt 1 failed: Connection refused (connect); next in 10.0 s (backoff)\n"
        "[debug] ping: attempt 2 started\n"
        "[debug] ping: attempt 2 failed in 1.5 s: Connection refused (connect)\n"
        "[error] ping: Connection refused after 2 attempts in 13.0 s (attempts_exhausted)\n");
}

TEST_F(SpdlogObserver, LeavesOutWhatTheLoggerDoesNotWant) {
    logger->set_level(spdlog::level::warn);
    EXPECT_EQ(
        lines_of(every_ten_seconds().name("ping"), {step(refused), step(denied)}),
        "[warning] ping: attempt 1 failed: Connection refused (connect); next in 10.0 s (backoff)\n"
        "[error] ping: Permission denied after 2 attempts in 10.0 s (permanent_failure)\n");
    out.str("");
    logger->set_level(spdlog::level::off);
    EXPECT_EQ(lines_of(every_ten_seconds(), {step(refused)}), "");
}

TEST_F(SpdlogObserver, NamesWhatHasNoName) {
    EXPECT_EQ(lines_of(every_ten_seconds().total_timeout(1s), {step({}, 2s)}),
              "[debug] operation: attempt 1 started\n"
              "[debug] operation: attempt 1 failed in 1.0 s: the attempt timed out (timeout)\n"
              "[error] operation: the attempt timed out after 1 attempt in 1.0 s "
              "(deadline_exceeded)\n");
}

TEST_F(SpdlogObserver, TellsOfAValueJudgedAFailureAndOfWhatThePeerAsked) {
    stage s;
    auto op = operation([](attempt a) -> asio::awaitable<unsigned> {
                  co_return a.number();
              }).classify_value([](unsigned n) {
        return n < 2 ? verdict(failure_kind::throttling).retry_after(250ms)
                     : verdict(failure_kind::permanent);
    });
    auto policy = retry_policy()
                      .backoff(backoff::none())
                      .name("frames")
                      .observer(std::make_shared<spdlog_observer>(logger));
    logger->set_level(spdlog::level::warn);
    s.run(try_retry(policy, op));
    EXPECT_EQ(out.str(),
              "[warning] frames: attempt 1 failed: value judged a failure (throttling); next in "
              "250 ms (retry_after)\n"
              "[error] frames: failed after 2 attempts in 250 ms (permanent_failure)\n");
}

TEST_F(SpdlogObserver, TellsOfAStatusWhoseResponseWasCut) {
    spdlog_observer watcher(logger);
    attempt_record r;
    r.number = 1;
    r.status = 429;
    r.error = boost::asio::error::eof;
    r.kind = failure_kind::connection_lost;
    watcher.attempt_finished("x", r);
    EXPECT_EQ(out.str(),
              "[debug] x: attempt 1 failed in 0 us: 429, End of file (connection_lost)\n");
}

TEST_F(SpdlogObserver, TellsOfAStatus) {
    spdlog_observer watcher(logger);
    attempt_record r;
    r.number = 3;
    r.status = 503;
    r.kind = failure_kind::server;
    r.elapsed = 850us;
    r.delay = 150ms;
    r.source = delay_source::backoff;
    watcher.attempt_finished("GET http://127.0.0.1/a", r);
    watcher.retry_scheduled("GET http://127.0.0.1/a", r);
    watcher.gave_up("GET http://127.0.0.1/a",
                    retry_report(reason::attempts_exhausted, {}, 4, 1700ms, {r}, 0));
    EXPECT_EQ(out.str(),
              "[debug] GET http://127.0.0.1/a: attempt 3 failed in 850 us: 503 (server)\n"
              "[warning] GET http://127.0.0.1/a: attempt 3 failed: 503 (server); next in 150 ms "
              "(backoff)\n"
              "[error] GET http://127.0.0.1/a: 503 after 4 attempts in 1.7 s "
              "(attempts_exhausted)\n");
}

TEST_F(SpdlogObserver, TakesNamesAndMessagesAsTheyAre) {
    spdlog_observer watcher(logger);
    watcher.attempt_started("a {} {0} {:d} b", attempt(1, steady_time::max()));
    EXPECT_EQ(out.str(), "[debug] a {} {0} {:d} b: attempt 1 started\n");
}

TEST_F(SpdlogObserver, RefusesNoLogger) {
    EXPECT_THROW(spdlog_observer(nullptr), std::invalid_argument);
}

TEST_F(SpdlogObserver, NeverEndsTheCallItTellsOf) {
    class broken final : public spdlog::sinks::sink {
    public:
        void log(const spdlog::details::log_msg&) override {
            throw std::runtime_error("disk full");
        }
        void flush() override {}
        void set_pattern(const std::string&) override {}
        void set_formatter(std::unique_ptr<spdlog::formatter>) override {}
    };
    auto bad = std::make_shared<spdlog::logger>("bad", std::make_shared<broken>());
    bad->set_level(spdlog::level::debug);
    bad->set_error_handler([](const std::string&) { throw std::runtime_error("no handler"); });
    stage s;
    const auto policy = every_ten_seconds().observer(std::make_shared<spdlog_observer>(bad));
    const auto op = s.scripted({step(refused), step()});
    EXPECT_TRUE(s.value_of(try_retry(policy, op.awaitable())).ok());
}

}  // namespace
}  // namespace asio_retry
