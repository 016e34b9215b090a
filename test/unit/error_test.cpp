// The library's error codes and reasons.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/classifier.hpp>
#include <asio_retry/error.hpp>
#include <asio_retry/retry_error.hpp>

#include <boost/system/system_error.hpp>

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>

namespace asio_retry {
namespace {

constexpr error errors[] = {error::attempt_timeout,
                            error::deadline_exceeded,
                            error::operation_threw,
                            error::circuit_open,
                            error::queue_full};

TEST(Error, BelongsToACategoryOfItsOwn) {
    EXPECT_STREQ(error_category().name(), "asio_retry");
    for (const error e : errors) {
        const error_code ec = e;
        EXPECT_TRUE(ec.failed());
        EXPECT_EQ(ec.category(), error_category());
        EXPECT_EQ(ec, e);
    }
}

TEST(Error, HasAMessageOfItsOwnForEach) {
    std::set<std::string> messages;
    for (const error e : errors) {
        const error_code ec = e;
        messages.insert(ec.message());
        char buffer[128];
        EXPECT_STREQ(ec.message(buffer, sizeof buffer), ec.message().c_str());
    }
    EXPECT_EQ(messages.size(), std::size(errors));
    EXPECT_EQ(error_code(error::attempt_timeout).message(), "the attempt timed out");
    EXPECT_EQ(error_code(99, error_category()).message(), "unknown asio_retry error");
}

TEST(Error, OfATimeIsATimeout) {
    for (const error e : {error::attempt_timeout, error::deadline_exceeded}) {
        const error_code ec = e;
        EXPECT_EQ(ec, std::errc::timed_out);
        EXPECT_EQ(ec, boost::system::errc::timed_out);
        EXPECT_EQ(static_cast<std::error_code>(ec), std::errc::timed_out);
        EXPECT_EQ(default_verdict(ec).kind(), failure_kind::timeout);
    }
    for (const error e : {error::operation_threw, error::circuit_open, error::queue_full}) {
        const error_code ec = e;
        EXPECT_NE(ec, std::errc::timed_out);
        EXPECT_EQ(default_verdict(ec).kind(), failure_kind::permanent);
    }
}

TEST(Error, ReasonsHaveTheNamesOfTheContract) {
    const char* const names[] = {"success",
                                 "permanent_failure",
                                 "attempts_exhausted",
                                 "deadline_exceeded",
                                 "budget_exhausted",
                                 "circuit_open",
                                 "queue_full",
                                 "not_idempotent",
                                 "body_not_replayable",
                                 "retry_after_too_long",
                                 "cancelled"};
    for (std::size_t i = 0; i < std::size(names); ++i) {
        EXPECT_EQ(to_string(static_cast<reason>(i)), names[i]);
    }
    EXPECT_EQ(to_string(static_cast<reason>(200)), "unknown");
}

TEST(RetryError, IsASystemErrorWithTheReportAndTheCause) {
    const auto cause = std::make_exception_ptr(std::out_of_range("row 12"));
    const retry_report report(reason::attempts_exhausted,
                              error::attempt_timeout,
                              3,
                              std::chrono::milliseconds(1700),
                              {},
                              0);
    const retry_error e(error::attempt_timeout, report, "GET http://127.0.0.1/a", cause);
    EXPECT_STREQ(e.what(),
                 "GET http://127.0.0.1/a: the attempt timed out after 3 attempts in 1.7 s "
                 "(attempts_exhausted)");
    EXPECT_EQ(e.code(), error::attempt_timeout);
    EXPECT_EQ(e.reason(), reason::attempts_exhausted);
    EXPECT_EQ(e.cause(), cause);
    const boost::system::system_error& base = e;
    EXPECT_EQ(base.code(), error::attempt_timeout);
    static_assert(std::is_nothrow_copy_constructible_v<retry_error>);

    const retry_error copy = e;
    EXPECT_STREQ(copy.what(), e.what());
    EXPECT_EQ(&copy.report(), &e.report());

    const retry_error nameless(error::attempt_timeout, report);
    EXPECT_STREQ(nameless.what(),
                 "the attempt timed out after 3 attempts in 1.7 s "
                 "(attempts_exhausted)");
    EXPECT_FALSE(nameless.cause());
}

}  // namespace
}  // namespace asio_retry
