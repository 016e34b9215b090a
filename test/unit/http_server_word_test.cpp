#include "http/server_word.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::http::detail::server_word;
using asio_retry::http::detail::server_word_of;
using std::chrono::nanoseconds;

server_word said(const std::vector<std::pair<std::string, std::string>>& fields) {
    boost::beast::http::fields all;
    for (const auto& [name, value] : fields) all.insert(name, value);
    return server_word_of(all, std::chrono::system_clock::time_point(1'000'000s));
}

TEST(ServerWord, IsNothingWithoutFields) {
    EXPECT_FALSE(said({}).forbids_retry);
    EXPECT_EQ(said({}).wait, std::nullopt);
}

TEST(ServerWord, ForbidsOnlyByTheWordFalse) {
    EXPECT_TRUE(said({{"X-Should-Retry", "false"}}).forbids_retry);
    EXPECT_TRUE(said({{"x-should-retry", "False"}}).forbids_retry);
    EXPECT_TRUE(said({{"X-Should-Retry", "true"}, {"X-Should-Retry", "false"}}).forbids_retry);
    for (const char* other : {"true", "", "0", "no", "falsehood"}) {
        EXPECT_FALSE(said({{"X-Should-Retry", other}}).forbids_retry) << other;
    }
}

TEST(ServerWord, ReadsThePushback) {
    struct row {
        const char* value;
        std::optional<nanoseconds> wait;
        bool forbids;
    };
    const row rows[] = {
        {"0", 0ns, false},
        {"25", 25ms, false},
        {"86400000", 24h, false},
        {"99999999999999", nanoseconds::max(), false},
        {"99999999999999999999999", nanoseconds::max(), false},
        {"-1", std::nullopt, true},
        {"-99999999999999999999999", std::nullopt, true},
        {"", std::nullopt, true},
        {"soon", std::nullopt, true},
        {"1.5", std::nullopt, true},
        {"+1", std::nullopt, true},
        {"1 ", 1ms, false},  // fields are trimmed as they are read
    };
    for (const auto& r : rows) {
        SCOPED_TRACE(r.value);
        const auto word = said({{"grpc-retry-pushback-ms", r.value}});
        EXPECT_EQ(word.wait, r.wait);
        EXPECT_EQ(word.forbids_retry, r.forbids);
    }
}

TEST(ServerWord, TakesTheLongestWait) {
    EXPECT_EQ(said({{"Retry-After", "2"}, {"grpc-retry-pushback-ms", "300"}}).wait, 2s);
    EXPECT_EQ(said({{"Retry-After", "2"}, {"grpc-retry-pushback-ms", "3000"}}).wait, 3s);
    EXPECT_EQ(said({{"Retry-After", "nonsense"}}).wait, std::nullopt);
}

}  // namespace
