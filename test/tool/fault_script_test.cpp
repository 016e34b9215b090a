// Fault scripts: what is refused and with which words, how rules inherit, how faults are drawn.
// SPDX-License-Identifier: BSL-1.0
#include "support/certificates.hpp"
#include <asio_retry/testing/fault_script.hpp>

#include <gtest/gtest.h>
#include <testing/fault_plan.hpp>
#include <testing/work_line.hpp>

#include <chrono>
#include <map>
#include <stdexcept>
#include <string>

namespace asio_retry::testing {
namespace {

using namespace std::chrono_literals;
using detail::fault_plan;

template <class Action>
std::string refusal(Action&& action) {
    try {
        action();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "(taken)";
}

TEST(Fault, ReadsWhatItWrites) {
    for (const auto* name : {"503",
                             "204",
                             "599",
                             "reset",
                             "close",
                             "truncate",
                             "stall",
                             "stall_body",
                             "drip",
                             "none"}) {
        EXPECT_EQ(fault::parse(name).name(), name);
    }
    EXPECT_EQ(fault::parse("200"), fault());
    for (const auto* text :
         {"", "abc", "50", "5030", "-50", "+50", "199", "600", "Reset", " 503"}) {
        EXPECT_THROW(fault::parse(text), std::invalid_argument) << text;
    }
}

TEST(FaultScript, SettersRefuseTheImpossible) {
    fault_rule rule;
    EXPECT_THROW(rule.rate(503, -0.1), std::invalid_argument);
    EXPECT_THROW(rule.rate(503, 1.1), std::invalid_argument);
    EXPECT_THROW(rule.rate(200, 0.1), std::invalid_argument);
    EXPECT_THROW(rule.rate(100, 0.1), std::invalid_argument);
    EXPECT_THROW(rule.latency(-1ns), std::invalid_argument);
    EXPECT_THROW(rule.latency(2s, 1s), std::invalid_argument);
    EXPECT_THROW(rule.retry_after("1\r\nX: y"), std::invalid_argument);
    EXPECT_THROW(rule.max_in_a_row(0), std::invalid_argument);
    EXPECT_THROW(fault_rule("a"), std::invalid_argument);
    EXPECT_THROW(rule.method("post"), std::invalid_argument);
    fault_script script;
    script.defaults().rate(503, 0.6).rate(500, 0.6);
    EXPECT_THROW(script.validate(), std::invalid_argument);
}

struct bad_script {
    const char* text;
    const char* error;
};

TEST(FaultScript, RefusesAnImpossibleCapacityOrOutage) {
    fault_script script;
    EXPECT_THROW(script.capacity(0), std::invalid_argument);
    EXPECT_THROW(script.capacity(1e7), std::invalid_argument);
    EXPECT_THROW(script.outage(-1ns, 1s), std::invalid_argument);
    EXPECT_THROW(script.outage(2s, 1s), std::invalid_argument);
}

TEST(WorkLine, TakesNoTimeUnlessTheCapacityIsBounded) {
    detail::work_line line{fault_script()};
    for (int i = 0; i < 100; ++i) EXPECT_EQ(line.take(5s), 0s);
}

TEST(WorkLine, WorksOnOneAfterTheOther) {
    detail::work_line line(fault_script().capacity(10));
    EXPECT_EQ(line.take(5s), 100ms);
    EXPECT_EQ(line.take(5s), 200ms);
    EXPECT_EQ(line.take(5s + 150ms), 150ms);
    EXPECT_EQ(line.take(6s), 100ms);
}

TEST(WorkLine, StandsStillInAnOutage) {
    const auto script = fault_script::from_json(R"({"capacity": 10, "outage": "10s..20s"})");
    detail::work_line line(script);
    EXPECT_EQ(line.take(10s - 1ns), 100ms) << "had begun";
    EXPECT_EQ(line.take(10s), 10s + 100ms);
    EXPECT_EQ(line.take(11s), 9s + 200ms);
    EXPECT_EQ(line.take(20s), 300ms);
    detail::work_line unbounded(fault_script().outage(10s, 20s));
    EXPECT_EQ(unbounded.take(12s), 8s);
    EXPECT_EQ(unbounded.take(20s), 0s);
}

TEST(FaultScript, MayBeginWithAByteOrderMark) {
    EXPECT_NO_THROW(fault_script::from_json(
        "\xEF\xBB\xBF{\"rules\": [{\"path\": \"/a\"}, {\"path\": \"/b\"}]}"));
}

TEST(FaultScript, RefusesJsonWithThePlaceAndTheCure) {
    const bad_script table[] = {
        {"", "f.json: line 1: not JSON (incomplete JSON)"},
        {"{\n\"seed\": x}", "f.json: line 2: not JSON (syntax error)"},
        {"{} {}", "f.json: line 1: not JSON (text after the end)"},
        {"{\"seed\": 1,\n\"seed\": 2}", "f.json: line 2: \"seed\" comes a second time"},
        {R"({"rates": {"503": 0.1, "503": 0.2}})", "f.json: line 1: \"503\" comes a second time"},
        {"[]", "f.json: $: is not an object; write {...}"},
        {R"({"sed": 1})",
         "f.json: $.sed: is not a known key; there are seed, rules, capacity, outage, fail_first, "
         "fail_with, rates, max_in_a_row, sequence, latency, drip_interval, retry_after, body, "
         "body_size, chunked"},
        {R"({"capacity": 0})",
         "f.json: $.capacity: 0 is not a capacity; write requests a second, 0.001 to 1e6"},
        {R"({"outage": "10s"})", R"(f.json: $.outage: is not a span of time; write "10s..20s")"},
        {R"({"outage": "2s..1s"})",
         "f.json: $.outage: the outage ends before it begins; write 10s..20s"},
        {R"({"seed": -1})", "f.json: $.seed: is not a whole number from 0 to 18446744073709551615"},
        {R"({"seed": 1.5})",
         "f.json: $.seed: is not a whole number from 0 to 18446744073709551615"},
        {R"({"rates": {"503": 2}})",
         "f.json: $.rates.503: 2 is not a rate; write a number from 0 to 1"},
        {R"({"rates": {"503": "1"}})", "f.json: $.rates.503: is not a number"},
        {R"({"rates": {"x": 0.1}})",
         "f.json: $.rates.x: 'x' is not a fault; write a status, say 503, or one of reset, close, "
         "truncate, stall, stall_body, drip, none"},
        {R"({"rates": {"503": 0.9, "reset": 0.9}})",
         "f.json: $: defaults: the rates sum to 1.8; lower them to 1 at most"},
        {R"({"latency": 5})",
         R"(f.json: $.latency: is not a duration; write "250ms", "1.5s" or "2m")"},
        {R"({"latency": "5ms..1ms"})",
         "f.json: $.latency: the latency ends before it begins; write 5ms..20ms"},
        {R"({"latency": "1ms..x"})",
         "f.json: $.latency: 'x' is not a duration: write 250ms, 1.5s, 2m or 1h; a bare number is "
         "seconds"},
        {R"({"rules": {}})", "f.json: $.rules: is not a list; write [...]"},
        {R"({"rules": [{}, {"path": "x"}]})",
         "f.json: $.rules[1].path: 'x' is not a path; begin it with '/'"},
        {R"({"rules": [{"seed": 1}]})",
         "f.json: $.rules[0].seed: is not a known key; there are path, method, fail_first, "
         "fail_with, rates, max_in_a_row, sequence, latency, drip_interval, retry_after, body, "
         "body_size, chunked"},
        {R"({"rules": [{"sequence": ["503", 200]}]})",
         "f.json: $.rules[0].sequence[1]: is not a string; write it in quotes"},
        {R"({"fail_with": "500"})", R"(f.json: $.fail_with: needs "fail_first" beside it)"},
        {R"({"fail_first": 1, "sequence": ["500"]})",
         R"(f.json: $.fail_first: and "sequence" exclude each other; keep one)"},
        {R"({"body": "x", "body_size": 1})",
         R"(f.json: $.body: and "body_size" exclude each other; keep one)"},
        {R"({"chunked": 1})", "f.json: $.chunked: is not true or false"},
        {R"({"max_in_a_row": 0})", "f.json: $.max_in_a_row: max_in_a_row is 0; write at least 1"},
        {R"({"retry_after": "a\r\nb"})",
         "f.json: $.retry_after: Retry-After has a line break or a NUL; leave it out"},
    };
    for (const auto& [text, error] : table) {
        EXPECT_EQ(refusal([t = text] { fault_script::from_json(t, "f.json"); }), error) << text;
    }
}

TEST(FaultScript, ReadsEveryKey) {
    const test::temporary_directory directory;
    const auto file = directory.write("faults.json", R"({
        "seed": 7, "rates": {"503": 0.5, "reset": 0.5}, "max_in_a_row": 3, "latency": "5ms..20ms",
        "retry_after": "1", "body_size": 4096, "chunked": true, "drip_interval": "1ms",
        "rules": [
          {"path": "/pay", "method": "POST", "sequence": ["503", "reset", "200"], "body": "paid"},
          {"path": "/flaky", "fail_first": 2, "fail_with": "500", "latency": "1s"} ] })");
    const fault_plan plan(fault_script::from_file(file));
    const auto pay = plan.decide("POST", "/pay", 2);
    EXPECT_EQ(pay.what.kind(), fault_kind::reset);
    EXPECT_EQ(pay.behaviour->body, "paid");
    EXPECT_FALSE(pay.behaviour->body_is_pattern);
    EXPECT_EQ(pay.behaviour->retry_after, "1");
    EXPECT_TRUE(pay.behaviour->chunked);
    EXPECT_GE(pay.latency, 5ms);
    EXPECT_LE(pay.latency, 20ms);
    EXPECT_EQ(plan.decide("POST", "/pay", 9).what, fault());
    EXPECT_EQ(plan.decide("PUT", "/flaky", 2).what, fault::status(500));
    EXPECT_EQ(plan.decide("PUT", "/flaky", 3).what, fault());
    EXPECT_EQ(plan.decide("PUT", "/flaky", 3).latency, 1s);
    const auto other = plan.decide("GET", "/pay", 1).behaviour;
    EXPECT_EQ(other->body_size, 4096U);
    EXPECT_EQ(other->max_in_a_row, 3U);
    EXPECT_EQ(other->drip_interval, 1ms);
    EXPECT_EQ(refusal([] { fault_script::from_file("/nonexistent"); }),
              "/nonexistent: cannot be read; is it a file, readable and below 16 MB?");
    EXPECT_THROW(fault_script::from_file(directory.path().string()), std::runtime_error);
}

TEST(FaultPlan, TakesTheFirstRuleThatMatches) {
    fault_script script;
    script.defaults().sequence({fault::status(500)});
    script.add(fault_rule("/a").method("POST").sequence({fault::status(501)}));
    script.add(fault_rule("/a/b").sequence({fault::status(502)}));
    script.add(fault_rule("/a").sequence({fault::status(503)}));
    const fault_plan plan(script);
    EXPECT_EQ(plan.decide("POST", "/a/b", 1).what, fault::status(501));
    EXPECT_EQ(plan.decide("GET", "/a/b", 1).what, fault::status(502));
    EXPECT_EQ(plan.decide("GET", "/ab", 1).what, fault::status(503));
    EXPECT_EQ(plan.decide("GET", "/", 1).what, fault::status(500));
}

TEST(FaultPlan, DrawsEachFaultAsOftenAsItsRate) {
    fault_script script;
    script.defaults().rate(503, 0.2).rate(429, 0.05).rate(fault(fault_kind::reset), 0.1);
    const fault_plan plan(script);
    std::map<std::string, unsigned> met;
    constexpr unsigned draws = 40'000;
    for (unsigned i = 0; i < draws; ++i) {
        ++met[plan.decide("GET", "/" + std::to_string(i / 4), 1 + i % 4).what.name()];
    }
    // Four standard deviations.
    EXPECT_NEAR(met["503"], draws * 0.2, 4 * 80);
    EXPECT_NEAR(met["429"], draws * 0.05, 4 * 44);
    EXPECT_NEAR(met["reset"], draws * 0.1, 4 * 60);
    EXPECT_EQ(met["503"] + met["429"] + met["reset"] + met["none"], draws);
}

TEST(FaultPlan, DependsOnSeedMethodPathAndOrdinalAlone) {
    fault_script script;
    script.defaults().rate(503, 0.5);
    const auto signature = [&](std::uint64_t seed, const char* method, const char* path) {
        const fault_plan plan(script.seed(seed));
        std::string text;
        for (std::uint64_t n = 1; n <= 40; ++n) text += plan.decide(method, path, n).what.name();
        return text;
    };
    const auto base = signature(1, "GET", "/a");
    EXPECT_EQ(base, signature(1, "GET", "/a"));
    EXPECT_NE(base, signature(2, "GET", "/a"));
    EXPECT_NE(base, signature(1, "PUT", "/a"));
    EXPECT_NE(base, signature(1, "GET", "/b"));
}

TEST(FaultPlan, HoldsTheBoundOnFaultsInARow) {
    for (const double rate : {0.3, 0.9, 1.0}) {
        fault_script script;
        script.defaults().rate(503, rate).max_in_a_row(2);
        const fault_plan plan(script);
        unsigned row = 0;
        unsigned longest = 0;
        for (std::uint64_t n = 1; n <= 5'000; ++n) {
            row = plan.decide("GET", "/a", n).what == fault() ? 0 : row + 1;
            longest = std::max(longest, row);
        }
        EXPECT_EQ(longest, 2U) << rate;
    }
}

}  // namespace
}  // namespace asio_retry::testing
