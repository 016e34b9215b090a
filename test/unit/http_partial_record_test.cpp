#include "http/partial_record.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>

namespace {

using asio_retry::http::detail::fits_partial_record;
using asio_retry::http::detail::parse_partial_record;
using asio_retry::http::detail::partial_record;
using asio_retry::http::detail::print_partial_record;

partial_record some_record() {
    partial_record record;
    record.url = "http://127.0.0.1:8080/a?b=c";
    record.validator = "\"abc\"";
    record.length = 1000;
    record.synced = 10;
    record.boot = "51c5b815-aed1-4f15-8e3e-ba8e7e5bb56a";
    return record;
}

TEST(PartialRecord, IsReadAsPrinted) {
    auto record = some_record();
    EXPECT_EQ(parse_partial_record(print_partial_record(record)), record);
    record.length = std::nullopt;
    record.synced = 9223372036854775807U;
    record.boot.clear();
    record.validator = "\"\xc3\xa4 = end\"";
    record.url += " end";
    EXPECT_EQ(parse_partial_record(print_partial_record(record)), record);
    record.validator = "Fri, 01 Mar 2024 10:00:00 GMT";
    record.length = 0;
    EXPECT_EQ(parse_partial_record(print_partial_record(record)), record);
}

TEST(PartialRecord, IsNothingIfItIsCutOrContinued) {
    const auto text = print_partial_record(some_record());
    for (std::size_t i = 0; i < text.size(); ++i) {
        EXPECT_FALSE(parse_partial_record(text.substr(0, i))) << i;
        // What a crash may leave of a file: its size, without some of its bytes.
        auto zeros = text;
        zeros.replace(i, std::string::npos, text.size() - i, '\0');
        EXPECT_FALSE(parse_partial_record(zeros)) << i;
        zeros = text;
        zeros.replace(0, i + 1, i + 1, '\0');
        EXPECT_FALSE(parse_partial_record(zeros)) << i;
    }
    EXPECT_FALSE(parse_partial_record(text + "x"));
    EXPECT_FALSE(parse_partial_record(text + text));
}

TEST(PartialRecord, IsNothingIfAMemberIsNotWhatItShouldBe) {
    const auto text = print_partial_record(some_record());
    const auto with = [&](std::string_view from, std::string_view to) {
        auto changed = text;
        changed.replace(changed.find(from), from.size(), to);
        return parse_partial_record(changed);
    };
    EXPECT_TRUE(with("1000", "1001"));
    EXPECT_FALSE(with("download 1", "download 2"));
    EXPECT_FALSE(with("1000", ""));
    EXPECT_FALSE(with("1000", "-1"));
    EXPECT_FALSE(with("1000", "10 "));
    EXPECT_FALSE(with("1000", "0x10"));
    EXPECT_FALSE(with("1000", "9223372036854775808"));
    EXPECT_FALSE(with("1000", "99999999999999999999"));
    EXPECT_FALSE(with("synced 10", "synced ?"));
    EXPECT_FALSE(with("synced 10\n", ""));
    EXPECT_FALSE(with("\"abc\"", ""));
    EXPECT_FALSE(with("http://127.0.0.1:8080/a?b=c", ""));
    EXPECT_FALSE(with("abc", std::string_view("a\0c", 3)));
    EXPECT_FALSE(with("abc", "a\tc"));
    EXPECT_FALSE(with("boot ", "boot"));
    EXPECT_FALSE(with("\nend", "\r\nend"));
}

TEST(PartialRecord, SurvivesAnyBytes) {
    std::mt19937 random(5);
    const auto text = print_partial_record(some_record());
    for (int i = 0; i < 20'000; ++i) {
        auto changed = text;
        for (auto n = 1 + random() % 3; n > 0; --n) {
            changed[random() % changed.size()] = static_cast<char>(random());
        }
        const auto record = parse_partial_record(changed);
        if (!record) continue;
        EXPECT_EQ(parse_partial_record(print_partial_record(*record)), record) << changed;
    }
}

TEST(PartialRecord, HasNoPlaceForControlCharacters) {
    EXPECT_TRUE(fits_partial_record("\"abc\""));
    EXPECT_TRUE(fits_partial_record("a b \xff"));
    EXPECT_FALSE(fits_partial_record(""));
    EXPECT_FALSE(fits_partial_record("a\nlength 5"));
    EXPECT_FALSE(fits_partial_record("a\r"));
    EXPECT_FALSE(fits_partial_record("\t"));
    EXPECT_FALSE(fits_partial_record("\x7f"));
}

}  // namespace
