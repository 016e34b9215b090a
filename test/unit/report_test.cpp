#include <asio_retry/report.hpp>

#include <boost/asio/error.hpp>

#include <gtest/gtest.h>

#include <clocale>
#include <string>
#include <utility>

namespace {

using namespace std::chrono_literals;
using asio_retry::attempt_record;
using asio_retry::delay_source;
using asio_retry::error_code;
using asio_retry::failure_kind;
using asio_retry::reason;
using asio_retry::retry_report;
using asio_retry::send_state;
using std::chrono::nanoseconds;

const error_code refused = boost::asio::error::connection_refused;

attempt_record record(unsigned number, int status, error_code ec = {}) {
    attempt_record r;
    r.number = number;
    r.status = status;
    r.error = ec;
    return r;
}

TEST(AttemptRecord, KnowsNothingAtFirst) {
    const attempt_record r;
    EXPECT_EQ(r.number, 0U);
    EXPECT_EQ(r.status, 0);
    EXPECT_FALSE(r.kind);
    EXPECT_EQ(r.sent, send_state::none);
    EXPECT_FALSE(r.reused);
    EXPECT_EQ(r.source, delay_source::none);
    EXPECT_EQ(r.started, 0s);
    EXPECT_EQ(r.elapsed, 0s);
    EXPECT_EQ(r.delay, 0s);
    EXPECT_FALSE(r.error);
    EXPECT_EQ(r.remote, "");
}

TEST(AttemptRecord, HasNamesForItsParts) {
    EXPECT_EQ(to_string(send_state::none), "none");
    EXPECT_EQ(to_string(send_state::partial), "partial");
    EXPECT_EQ(to_string(send_state::full), "full");
    EXPECT_EQ(to_string(static_cast<send_state>(9)), "unknown");
    EXPECT_EQ(to_string(delay_source::none), "none");
    EXPECT_EQ(to_string(delay_source::backoff), "backoff");
    EXPECT_EQ(to_string(delay_source::retry_after), "retry_after");
    EXPECT_EQ(to_string(delay_source::stale_connection), "stale_connection");
    EXPECT_EQ(to_string(static_cast<delay_source>(9)), "unknown");
}

TEST(Report, KeepsWhatItIsGiven) {
    const retry_report empty;
    EXPECT_EQ(empty.reason(), reason::success);
    EXPECT_EQ(empty.attempts(), 0U);
    EXPECT_TRUE(empty.history().empty());

    const retry_report report(
        reason::cancelled, refused, 7, 3s, {record(6, 0, refused), record(7, 503)}, 5);
    EXPECT_EQ(report.reason(), reason::cancelled);
    EXPECT_EQ(report.last_error(), refused);
    EXPECT_EQ(report.attempts(), 7U);
    EXPECT_EQ(report.elapsed(), 3s);
    EXPECT_EQ(report.forgotten(), 5U);
    ASSERT_EQ(report.history().size(), 2U);
    EXPECT_EQ(report.history()[0].number, 6U);
    EXPECT_EQ(report.history()[1].status, 503);
}

TEST(Report, SaysWhatFailedAndWhyNoMoreFollowed) {
    struct row {
        retry_report report;
        const char* summary;
    };
    const row rows[] = {
        {{reason::attempts_exhausted, {}, 4, 1700ms, {record(4, 503)}, 0},
         "503 after 4 attempts in 1.7 s (attempts_exhausted)"},
        {{reason::success, {}, 1, 12ms, {record(1, 200)}, 0},
         "200 after 1 attempt in 12 ms (success)"},
        {{reason::success, {}, 1, 850us, {record(1, 0)}, 0},
         "success after 1 attempt in 850 us (success)"},
        {{reason::success, refused, 2, 2s, {record(1, 0, refused), record(2, 0)}, 0},
         "success after 2 attempts in 2.0 s (success)"},
        {{reason::permanent_failure, refused, 1, 1ms, {record(1, 0, refused)}, 0},
         "Connection refused after 1 attempt in 1 ms (permanent_failure)"},
        {{reason::deadline_exceeded, {}, 0, 0s, {}, 0},
         "failed after 0 attempts in 0 us (deadline_exceeded)"},
    };
    for (const auto& r : rows) EXPECT_EQ(r.report.summary(), r.summary);
}

TEST(Report, WritesDurationsForAPerson) {
    const std::pair<nanoseconds, const char*> rows[] = {
        {0ns, "0 us"},
        {400ns, "0 us"},
        {600ns, "1 us"},
        {999us, "999 us"},
        {1ms, "1 ms"},
        {999ms, "999 ms"},
        {1s, "1.0 s"},
        {1749ms, "1.7 s"},
        {90s, "90.0 s"},
        {24h, "86400.0 s"},
        {-1s, "-1000000 us"},
    };
    for (const auto& [d, text] : rows) EXPECT_EQ(asio_retry::detail::to_text(d), text);
    EXPECT_EQ(asio_retry::detail::to_text(nanoseconds::max()), "9223372036.9 s");
}

TEST(Report, WritesDurationsTheSameInEveryLocale) {
    const char* const before = std::setlocale(LC_NUMERIC, nullptr);
    const std::string kept = before == nullptr ? "C" : before;
    if (std::setlocale(LC_NUMERIC, "de_DE.UTF-8") == nullptr) std::setlocale(LC_NUMERIC, "C.UTF-8");
    EXPECT_EQ(asio_retry::detail::to_text(1749ms), "1.7 s");
    std::setlocale(LC_NUMERIC, kept.c_str());
}

}  // namespace
