// retry_executor: an executor and a policy bound together.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/retry_executor.hpp>

#include <boost/asio/strand.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace asio_retry {
namespace {

using namespace test;

class RetryExecutor : public ::testing::Test {
public:
    stage s;
    const retry_executor<> retries{s.executor(), every_ten_seconds().max_attempts(2)};
};

TEST_F(RetryExecutor, KnowsWhatItBinds) {
    EXPECT_EQ(retries.get_executor(), s.executor());
    EXPECT_EQ(retries.policy().max_attempts(), 2u);
    const retry_executor concrete(s.context.get_executor(), retry_policy());
    static_assert(std::is_same_v<std::decay_t<decltype(concrete)>::executor_type,
                                 asio::io_context::executor_type>);
}

TEST_F(RetryExecutor, Retries) {
    auto add = [](attempt a, std::unique_ptr<int>& n) -> asio::awaitable<int> {
        if (a.number() < 2) throw boost::system::system_error(refused);
        co_return *n + 1;
    };
    EXPECT_EQ(s.value_of(retries.retry(add, std::make_unique<int>(41))), 42);
    const auto op = s.scripted({step(refused)});
    EXPECT_EQ(s.run(retries.retry(op.awaitable())).code(), refused);
    EXPECT_EQ(op.attempts(), 2u);
}

TEST_F(RetryExecutor, TriesToRetry) {
    const auto op = s.scripted({step(refused)});
    const auto result = s.value_of(retries.try_retry(op.awaitable()));
    EXPECT_EQ(result.reason(), reason::attempts_exhausted);
    EXPECT_EQ(result.report().attempts(), 2u);
}

TEST_F(RetryExecutor, RetriesForAnyToken) {
    error_code got;
    retries.async_retry(s.scripted({step(refused)}), [&got](error_code ec) { got = ec; });
    s.clock.run(s.context);
    EXPECT_EQ(got, refused);
    std::optional<retry_result<void>> result;
    retries.async_try_retry(s.scripted({step(refused), step()}),
                            [&result](retry_result<void> r) { result = std::move(r); });
    s.clock.run(s.context);
    ASSERT_TRUE(result);
    EXPECT_EQ(result->report().attempts(), 2u);
}

TEST_F(RetryExecutor, ServesManyCallsAtOnceAndIsCopiedFreely) {
    int done = 0;
    {
        const auto copy = retries;
        for (int i = 0; i < 100; ++i) {
            copy.async_retry(s.scripted({step(refused, std::chrono::seconds(i)), step()}),
                             [&done](error_code ec) { done += !ec; });
        }
    }
    s.clock.run(s.context);
    EXPECT_EQ(done, 100);
}

TEST_F(RetryExecutor, RunsOnItsExecutor) {
    const auto strand = asio::make_strand(s.context);
    const retry_executor on_strand(strand, every_ten_seconds());
    bool done = false;
    on_strand.async_retry(s.scripted({step(refused), step()}), [&](error_code ec) {
        EXPECT_FALSE(ec);
        EXPECT_TRUE(strand.running_in_this_thread());
        done = true;
    });
    s.clock.run(s.context);
    EXPECT_TRUE(done);
}

}  // namespace
}  // namespace asio_retry
