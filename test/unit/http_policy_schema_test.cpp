#include "http/policy_document.hpp"
#include "support/json_schema.hpp"
#include "support/policy_samples.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

namespace json = boost::json;
using namespace asio_retry::http;
using asio_retry::test::contract_file;
using asio_retry::test::misfit;
using asio_retry::test::policy_generator;

const json::value& schema() {
    static const json::value parsed = json::parse(detail::policy_schema());
    return parsed;
}

bool is_read(const json::value& document) {
    try {
        parse_policies(json::serialize(document));
        return true;
    } catch (const policy_file_error&) {
        return false;
    }
}

/// Every value of a document that can be changed.
void collect(json::value& value, std::vector<json::value*>& into) {
    into.push_back(&value);
    if (value.is_object()) {
        for (auto& [key, member] : value.get_object()) collect(member, into);
    } else if (value.is_array()) {
        for (auto& each : value.get_array()) collect(each, into);
    }
}

TEST(PolicySchema, IsTheFileThatIsShipped) {
    std::ifstream file(ASIO_RETRY_TEST_DATA "/../../include/asio_retry/http/policy.schema.json");
    const std::string shipped{std::istreambuf_iterator<char>(file), {}};
    EXPECT_TRUE(shipped == detail::policy_schema())
        << "put the output of `asio-retry check --schema` into "
           "include/asio_retry/http/policy.schema.json";
}

TEST(PolicySchema, TakesWhatIsWritten) {
    EXPECT_EQ(misfit(schema(), json::parse(contract_file)), "");
    policy_generator random(3);
    for (int i = 0; i < 100; ++i) {
        try {
            const auto text = print_policies(random.table());
            ASSERT_EQ(misfit(schema(), json::parse(text)), "") << text;
        } catch (const std::invalid_argument&) {
        }
    }
}

// One thing is put wrong at a time, so that it is all that the two can disagree on.
TEST(PolicySchema, RefusesWhatTheReaderRefuses) {
    const std::vector<json::value> wrong{nullptr,
                                         true,
                                         -1,
                                         0.5,
                                         "",
                                         "x y",
                                         "20s",
                                         json::array{},
                                         json::array{nullptr},
                                         json::object{},
                                         json::object{{"unknown", 1}}};
    const json::value whole = json::parse(print_policies(parse_policies(contract_file)));
    json::value probe = whole;
    std::vector<json::value*> places;
    collect(probe, places);
    int refused = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
        for (const auto& each : wrong) {
            json::value document = whole;
            std::vector<json::value*> here;
            collect(document, here);
            *here[i] = each;
            const bool reads = is_read(document);
            const auto why = misfit(schema(), document);
            // What the reader takes, the schema takes. What only the reader refuses must be a
            // matter of several values at once, or of what a word means.
            if (reads) {
                ASSERT_EQ(why, "") << json::serialize(document);
            }
            if (!why.empty()) ++refused;
            if (!reads && why.empty()) {
                ASSERT_TRUE(each.is_string() || each.is_null() || each == json::value(0.5) ||
                            each.is_object() || each == json::value(json::array{}))
                    << json::serialize(document);
            }
        }
    }
    EXPECT_GT(refused, 500);
}

TEST(PolicySchema, KnowsTheKeysOfTheReader) {
    const json::value whole = json::parse(print_policies(parse_policies(contract_file)));
    json::value probe = whole;
    std::vector<json::value*> places;
    collect(probe, places);
    for (std::size_t i = 0; i < places.size(); ++i) {
        json::value document = whole;
        std::vector<json::value*> here;
        collect(document, here);
        if (!here[i]->is_object()) continue;
        here[i]->get_object().emplace("unknown", 1);
        EXPECT_FALSE(is_read(document));
        EXPECT_NE(misfit(schema(), document), "");
    }
}

}  // namespace
