#include "http/idempotency.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace {

using namespace asio_retry::http::detail;

TEST(HttpIdempotency, IsAPropertyOfTheMethod) {
    for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"}) {
        EXPECT_TRUE(is_idempotent_method(method)) << method;
    }
    for (const char* method :
         {"POST", "PATCH", "CONNECT", "LOCK", "", "get", "Get", "GE", "GETS", " GET"}) {
        EXPECT_FALSE(is_idempotent_method(method)) << method;
    }
}

TEST(HttpIdempotencyKey, IsAUuidOfVersionFour) {
    EXPECT_EQ(uuid_text(0, 0), "00000000-0000-4000-8000-000000000000");
    EXPECT_EQ(uuid_text(~0ULL, ~0ULL), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    EXPECT_EQ(uuid_text(0x0123456789abcdefULL, 0x0123456789abcdefULL),
              "01234567-89ab-4def-8123-456789abcdef");
}

TEST(HttpIdempotencyKey, IsNewEachTime) {
    std::set<std::string> keys;
    for (int i = 0; i < 1000; ++i) {
        const auto key = make_idempotency_key();
        ASSERT_EQ(key.size(), 36U);
        EXPECT_EQ(key.find_first_not_of("0123456789abcdef-"), std::string::npos);
        EXPECT_EQ(key[14], '4');
        EXPECT_NE(std::string("89ab").find(key[19]), std::string::npos);
        keys.insert(key);
    }
    EXPECT_EQ(keys.size(), 1000U);
}

TEST(HttpIdempotencyKey, UsesEachOfItsBits) {
    const std::string digits = "0123456789abcdef";
    std::vector<std::size_t> seen(36);
    for (int i = 0; i < 200; ++i) {
        const auto key = make_idempotency_key();
        for (std::size_t at = 0; at < key.size(); ++at) {
            const auto value = digits.find(key[at]);
            if (value != std::string::npos) seen[at] |= value;
        }
    }
    for (std::size_t at = 0; at < seen.size(); ++at) {
        if (at == 8 || at == 13 || at == 18 || at == 23) continue;
        const std::size_t expected = at == 14 ? 0x4 : at == 19 ? 0xb : 0xf;
        EXPECT_EQ(seen[at], expected) << at;
    }
}

}  // namespace
