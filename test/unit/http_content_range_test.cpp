#include "http/content_range.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>

namespace {

using asio_retry::http::detail::byte_span;
using asio_retry::http::detail::content_range;
using asio_retry::http::detail::content_range_of;
using asio_retry::http::detail::parse_content_range;
using asio_retry::http::detail::range_from;

content_range range(std::optional<byte_span> span, std::optional<std::uint64_t> complete) {
    content_range r;
    r.span = span;
    r.complete_length = complete;
    return r;
}

TEST(ContentRange, ReadsTheThreeForms) {
    constexpr std::uint64_t most = 9223372036854775807U;
    EXPECT_EQ(parse_content_range("bytes 0-4/10"), range(byte_span(0, 4), 10));
    EXPECT_EQ(parse_content_range("bytes 5-9/10"), range(byte_span(5, 9), 10));
    EXPECT_EQ(parse_content_range("bytes 0-0/1"), range(byte_span(0, 0), 1));
    EXPECT_EQ(parse_content_range("bytes 0-4/*"), range(byte_span(0, 4), std::nullopt));
    EXPECT_EQ(parse_content_range("bytes */10"), range(std::nullopt, 10));
    EXPECT_EQ(parse_content_range("bytes */0"), range(std::nullopt, 0));
    EXPECT_EQ(parse_content_range("Bytes 1-2/3"), range(byte_span(1, 2), 3));
    EXPECT_EQ(parse_content_range("bytes 007-08/0010"), range(byte_span(7, 8), 10));
    EXPECT_EQ(parse_content_range("bytes 0-9223372036854775806/9223372036854775807"),
              range(byte_span(0, most - 1), most));
    EXPECT_EQ(parse_content_range("bytes 0-9223372036854775807/*")->span->size(), most + 1);
}

TEST(ContentRange, RefusesTheRest) {
    for (const char* value : {
             "",
             "bytes",
             "bytes ",
             "bytes /",
             "bytes */*",
             "bytes *",
             "bytes 0-4",
             "bytes 0-4/",
             "bytes 0-/10",
             "bytes -4/10",
             "bytes -/10",
             "bytes 4/10",
             "bytes 0--4/10",
             "bytes +0-4/10",
             "bytes 0-+4/10",
             "bytes 0-4/+10",
             "bytes 0-4/-10",
             "bytes 0x0-4/10",
             "bytes 4-3/10",
             "bytes 0-10/10",
             "bytes 0-0/0",
             "bytes 10-10/10",
             "bytes 0-4/4",
             "bytes 0-4/10 ",
             "bytes 0-4/10,",
             "bytes 0-4/10x",
             "bytes 0-4/**",
             "bytes 0-4/*0",
             "bytes 0-4/10, bytes 5-9/10",
             "bytes 0-4,5-9/10",
             "bytes  0-4/10",
             "bytes\t0-4/10",
             "bytes=0-4/10",
             "bytes: 0-4/10",
             " bytes 0-4/10",
             "bytes 0 - 4/10",
             "bytes 0-4 / 10",
             "byte 0-4/10",
             "items 0-4/10",
             "0-4/10",
             "bytes 0-4/9223372036854775808",
             "bytes 0-18446744073709551615/*",
             "bytes 0-18446744073709551616/*",
             "bytes 18446744073709551616-18446744073709551617/*",
             "bytes 99999999999999999999999999-4/10",
             "bytes */18446744073709551616",
         }) {
        EXPECT_FALSE(parse_content_range(value)) << value;
    }
    EXPECT_FALSE(parse_content_range(std::string_view("bytes 0-4/10\0", 13)));
}

TEST(ContentRange, NeverContradictsItself) {
    std::mt19937 random(3);
    constexpr std::string_view characters = "0123456789-/*  b";
    for (int i = 0; i < 100'000; ++i) {
        std::string value = "bytes 12-345/6789";
        for (auto n = random() % 5; n > 0; --n) {
            value[6 + random() % (value.size() - 6)] = characters[random() % characters.size()];
        }
        const auto r = parse_content_range(value);
        if (!r) continue;
        EXPECT_TRUE(r->span || r->complete_length) << value;
        if (!r->span) continue;
        EXPECT_LE(r->span->first, r->span->last) << value;
        EXPECT_LT(r->span->last, r->complete_length.value_or(r->span->last + 1)) << value;
    }
}

TEST(ContentRange, IsTheOnlyFieldOfItsName) {
    boost::beast::http::fields fields;
    EXPECT_FALSE(content_range_of(fields));
    fields.insert("content-range", "bytes 0-4/10");
    EXPECT_EQ(content_range_of(fields), range(byte_span(0, 4), 10));
    fields.insert("Content-Range", "bytes 0-4/10");
    EXPECT_FALSE(content_range_of(fields));
    fields.set("Content-Range", "bytes 0-4");
    EXPECT_FALSE(content_range_of(fields));
}

TEST(ContentRange, IsAskedForFromAByteOn) {
    EXPECT_EQ(range_from(0), "bytes=0-");
    EXPECT_EQ(range_from(18446744073709551615U), "bytes=18446744073709551615-");
}

}  // namespace
