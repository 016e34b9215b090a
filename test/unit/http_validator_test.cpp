#include "http/validator.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using asio_retry::http::detail::has_validator;
using asio_retry::http::detail::strong_validator;
using boost::beast::http::fields;

fields header(const std::vector<std::pair<std::string, std::string>>& list) {
    fields all;
    for (const auto& [name, value] : list) all.insert(name, value);
    return all;
}

std::string validator(const std::vector<std::pair<std::string, std::string>>& list) {
    using namespace std::chrono;
    return strong_validator(header(list), sys_days(2024y / 3 / 1));
}

constexpr const char* ten = "Fri, 01 Mar 2024 10:00:00 GMT";

TEST(Validator, IsTheEntityTagIfItIsStrong) {
    for (const char* tag :
         {"\"abc\"", "\"\"", "\"W/\"", "\"a,b;c=\\d\"", "\"\xc3\xa4\"", "\"'\""}) {
        EXPECT_EQ(validator({{"ETag", tag}}), tag);
        EXPECT_EQ(validator({{"etag", tag}, {"Last-Modified", ten}}), tag);
    }
}

TEST(Validator, IsNoTagThatIsWeakOrMalformed) {
    for (const char* tag : {"W/\"abc\"",
                            "w/\"abc\"",
                            "abc",
                            "\"abc",
                            "abc\"",
                            "\"",
                            "",
                            "'abc'",
                            "\"a\"b\"",
                            "\"a\", \"b\"",
                            "\"a b\"",
                            "\"a\tb\"",
                            "\"a\x7f\"",
                            "\"abc\" x"}) {
        EXPECT_EQ(validator({{"ETag", tag}}), "") << tag;
        // There is an entity tag: the date is out of the question (RFC 9110 13.1.5).
        EXPECT_EQ(
            validator(
                {{"ETag", tag}, {"Last-Modified", ten}, {"Date", "Sat, 02 Mar 2024 10:00:00 GMT"}}),
            "")
            << tag;
    }
    EXPECT_EQ(validator({{"ETag", "\"a\""}, {"ETag", "\"a\""}}), "");
}

TEST(Validator, IsADateAMinuteBeforeTheResponse) {
    struct row {
        const char* name;
        std::string modified;
        std::string date;
        bool strong;
    };
    const row rows[] = {
        {"a day", ten, "Sat, 02 Mar 2024 10:00:00 GMT", true},
        {"a minute", ten, "Fri, 01 Mar 2024 10:01:00 GMT", true},
        {"a second less", ten, "Fri, 01 Mar 2024 10:00:59 GMT", false},
        {"at once", ten, ten, false},
        {"modified later", ten, "Fri, 01 Mar 2024 09:00:00 GMT", false},
        {"old forms", "Friday, 01-Mar-24 10:00:00 GMT", "Fri Mar  1 10:01:00 2024", true},
        {"no date", ten, "now", false},
        {"an empty date", ten, "", false},
        {"not a date", "yesterday", "Fri, 01 Mar 2024 10:01:00 GMT", false},
        {"before the clock's range", ten, "Sat, 01 Jan 0000 00:00:00 GMT", false},
        {"both before the clock's range",
         "Sat, 01 Jan 0000 00:00:00 GMT",
         "Mon, 01 Jan 0001 00:00:00 GMT",
         false},
        {"both beyond the clock's range",
         "Fri, 31 Dec 9999 00:00:00 GMT",
         "Fri, 31 Dec 9999 23:59:59 GMT",
         false},
    };
    for (const auto& r : rows) {
        const auto expected = r.strong ? r.modified : std::string();
        EXPECT_EQ(validator({{"Last-Modified", r.modified}, {"Date", r.date}}), expected) << r.name;
    }
}

TEST(Validator, IsAbsentWithoutItsFields) {
    constexpr const char* eleven = "Fri, 01 Mar 2024 11:00:00 GMT";
    EXPECT_EQ(validator({}), "");
    EXPECT_EQ(validator({{"Date", eleven}}), "");
    EXPECT_EQ(validator({{"Last-Modified", ten}}), "");
    EXPECT_EQ(validator({{"Last-Modified", ten}, {"Last-Modified", ten}, {"Date", eleven}}), "");
    EXPECT_EQ(validator({{"Last-Modified", ten}, {"Date", eleven}, {"Date", eleven}}), "");
}

TEST(Validator, IsHadOnlyByAResponseThatSaysSo) {
    const std::string tag = "\"abc\"";
    EXPECT_TRUE(has_validator(header({{"ETag", tag}}), tag));
    EXPECT_TRUE(has_validator(header({{"ETag", tag}, {"Last-Modified", ten}}), tag));
    EXPECT_FALSE(has_validator(header({{"ETag", "\"abd\""}}), tag));
    EXPECT_FALSE(has_validator(header({{"ETag", "\"ABC\""}}), tag));
    EXPECT_FALSE(has_validator(header({{"ETag", "W/\"abc\""}}), tag));
    EXPECT_FALSE(has_validator(header({{"ETag", tag}, {"ETag", tag}}), tag));
    EXPECT_FALSE(has_validator(header({{"Last-Modified", ten}}), tag));
    EXPECT_FALSE(has_validator(header({}), tag));

    EXPECT_TRUE(has_validator(header({{"Last-Modified", ten}}), ten));
    EXPECT_TRUE(has_validator(header({{"Last-Modified", ten}, {"ETag", tag}}), ten));
    EXPECT_FALSE(has_validator(header({{"Last-Modified", "Fri, 01 Mar 2024 10:00:01 GMT"}}), ten));
    EXPECT_FALSE(has_validator(header({{"ETag", ten}}), ten));
    EXPECT_FALSE(has_validator(header({}), ten));

    EXPECT_FALSE(has_validator(header({{"ETag", ""}}), ""));
    EXPECT_FALSE(has_validator(header({}), ""));
}

}  // namespace
