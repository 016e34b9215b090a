#include <asio_retry/failure.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <set>
#include <string_view>

namespace {

using namespace std::chrono_literals;
using asio_retry::failure_kind;
using asio_retry::failure_kind_count;
using asio_retry::failure_kind_from_string;
using asio_retry::reason;
using asio_retry::to_string;
using asio_retry::verdict;
using std::chrono::nanoseconds;

TEST(FailureKind, HasANameThatReadsBack) {
    constexpr std::string_view names[] = {
        "connect", "timeout", "connection_lost", "throttling", "server", "permanent", "cancelled"};
    ASSERT_EQ(std::size(names), failure_kind_count);
    std::size_t i = 0;
    for (const auto name : names) {
        const auto kind = static_cast<failure_kind>(i++);
        EXPECT_EQ(to_string(kind), name);
        EXPECT_EQ(failure_kind_from_string(name), kind);
    }
    for (const auto* name : {"", "Connect", "connect ", "unknown", "success"}) {
        EXPECT_FALSE(failure_kind_from_string(name)) << name;
    }
    EXPECT_EQ(to_string(static_cast<failure_kind>(99)), "unknown");
}

TEST(Reason, HasANameOfItsOwn) {
    constexpr std::string_view names[] = {"success",
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
    EXPECT_EQ(to_string(static_cast<reason>(99)), "unknown");
}

TEST(Verdict, IsSuccessOrAFailureOfAKind) {
    EXPECT_FALSE(verdict::success().is_failure());
    for (std::size_t i = 0; i < failure_kind_count; ++i) {
        const auto kind = static_cast<failure_kind>(i);
        const verdict v = kind;
        EXPECT_TRUE(v.is_failure());
        EXPECT_EQ(v.kind(), kind);
        EXPECT_FALSE(v.retry_after());
        EXPECT_EQ(v.veto(), reason::success);
        EXPECT_FALSE(v.is_stale_connection());
    }
}

TEST(Verdict, CarriesWhatIsKnownOfTheFailure) {
    auto v = verdict(failure_kind::throttling)
                 .retry_after(3s)
                 .forbid_retry(reason::not_idempotent)
                 .stale_connection();
    EXPECT_EQ(v.kind(), failure_kind::throttling);
    EXPECT_EQ(v.retry_after(), 3s);
    EXPECT_EQ(v.veto(), reason::not_idempotent);
    EXPECT_TRUE(v.is_stale_connection());
    EXPECT_EQ(v.retry_after(0s).retry_after(), 0s);
    EXPECT_EQ(v.retry_after(-1ns).retry_after(), 0s);
    EXPECT_EQ(v.retry_after(nanoseconds::min()).retry_after(), 0s);
    EXPECT_EQ(v.retry_after(nanoseconds::max()).retry_after(), nanoseconds::max());
}

static_assert(!verdict::success().is_failure());
static_assert(verdict(failure_kind::server).kind() == failure_kind::server);

TEST(Verdict, TakesAnyWaitThatAPeerMayAskFor) {
    using namespace std::chrono_literals;
    const auto asked = [](auto d) {
        return asio_retry::verdict(asio_retry::failure_kind::throttling)
            .retry_after(d)
            .retry_after();
    };
    EXPECT_EQ(asked(std::chrono::seconds(18446744074)), std::chrono::nanoseconds::max());
    EXPECT_EQ(asked(std::chrono::seconds(10'000'000'000)), std::chrono::nanoseconds::max());
    EXPECT_EQ(asked(1.5s), 1500ms);
    EXPECT_EQ(asked(-1h), 0s);
}

}  // namespace
