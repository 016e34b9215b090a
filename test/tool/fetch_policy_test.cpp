// asio-retry fetch with a policy file and with hedging: what comes first, and what is reported.
#include "support/certificates.hpp"
#include "support/scripted_server.hpp"
#include "tool/fetch_words.hpp"
#include "tool/tool_process.hpp"
#include <asio_retry/retry_budget.hpp>

#include <boost/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tool/fetch_failure.hpp>
#include <tool/fetch_request.hpp>
#include <tool/usage_error.hpp>

#include <chrono>
#include <fstream>
#include <string>
#include <vector>

namespace asio_retry::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using words = std::vector<std::string>;

words operator+(words a, const words& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

class FetchPolicies : public ::testing::Test {
protected:
    std::string write(const std::string& text) {
        const auto path = (directory_.path() / "policies.json").string();
        std::ofstream(path) << text;
        return path;
    }

    /// The endpoint of a URL, of a command line with this policy file.
    http::endpoint_handle endpoint(const std::string& file, const words& flags) {
        const auto all = words{"--policy", write(file)} + flags + words{"http://h/"};
        return tool::make_endpoints(parse(all))->find("GET", "http://h/");
    }

    temporary_directory directory_;
};

constexpr const char* some = R"({"version": 1,
    "default": {"max_attempts": 7, "attempt_timeout": "3s",
                "backoff": {"kind": "linear", "base": "1s", "cap": "4s"},
                "by_kind": {"throttling": {"max_attempts": 9,
                                           "backoff": {"kind": "constant", "base": "2s"}}},
                "hedge": {"after": "1s", "max_extra": 2}},
    "endpoints": [{"name": "h", "match": {"origin": "http://h"},
                   "policy": {"max_attempts": 8}}]})";

TEST_F(FetchPolicies, TakeThePlaceOfTheDefaults) {
    const auto policy = endpoint(some, {}).policy();
    EXPECT_EQ(policy.retry().max_attempts(), 8U);
    EXPECT_EQ(policy.retry().attempt_timeout(), 3s);
    EXPECT_EQ(policy.retry().total_timeout(), 30s);
    EXPECT_EQ(policy.retry().on(failure_kind::throttling).max_attempts(), 9U);
    EXPECT_EQ(policy.hedge(), hedge_options().after(1s).max_extra(2));
}

TEST_F(FetchPolicies, GiveWayToOptions) {
    const auto policy =
        endpoint(some,
                 {"--max-attempts", "2", "--max-time", "5s", "--jitter", "none", "--hedge", "2s"})
            .policy();
    EXPECT_EQ(policy.retry().max_attempts(), 2U);
    EXPECT_EQ(policy.retry().total_timeout(), 5s);
    EXPECT_EQ(policy.retry().attempt_timeout(), 3s);
    EXPECT_EQ(policy.retry().backoff(), backoff::linear(1s, 4s).jitter(jitter::none));
    EXPECT_EQ(policy.retry().on(failure_kind::throttling).max_attempts(), std::nullopt);
    EXPECT_EQ(policy.retry().on(failure_kind::throttling).backoff(),
              backoff::constant(2s).jitter(jitter::none));
    EXPECT_EQ(policy.hedge(), hedge_options().after(2s).max_extra(2));
    const auto spaced = endpoint(some, {"--backoff", "constant:9s"}).policy();
    EXPECT_EQ(spaced.retry().backoff(), backoff::constant(9s));
    EXPECT_EQ(spaced.retry().on(failure_kind::throttling).backoff(), std::nullopt);
    EXPECT_EQ(spaced.retry().on(failure_kind::throttling).max_attempts(), 9U);
}

TEST_F(FetchPolicies, KeepTheirJitterUnlessAnOptionNamesOne) {
    const char* even = R"({"version": 1, "default": {
        "backoff": {"kind": "linear", "base": "1s", "jitter": "none"}}})";
    const auto schedule = [&](const words& flags) {
        return endpoint(even, flags).policy().retry().backoff();
    };
    EXPECT_EQ(schedule({"--backoff", "constant:40ms"}),
              backoff::constant(40ms).jitter(jitter::none));
    EXPECT_EQ(schedule({"--backoff", "constant:40ms", "--jitter", "equal"}),
              backoff::constant(40ms).jitter(jitter::equal));
    EXPECT_EQ(schedule({"--backoff", "decorrelated:1s..2s"}), backoff::decorrelated(1s, 2s));
    const char* random = R"({"version": 1, "default": {
        "backoff": {"kind": "decorrelated", "base": "1s"}}})";
    EXPECT_EQ(endpoint(random, {"--backoff", "constant:40ms"}).policy().retry().backoff(),
              backoff::constant(40ms));
}

TEST_F(FetchPolicies, RefuseAJitterOfDecorrelatedDelays) {
    const char* random = R"({"version": 1, "endpoints": [
        {"name": "plain", "match": {"origin": "http://g"}},
        {"name": "random", "match": {"origin": "http://h"}, "policy": {
            "by_kind": {"server": {"backoff": {"kind": "decorrelated", "base": "1s"}}}}}]})";
    EXPECT_NO_THROW(endpoint(random, {"--jitter", "full"}));
    EXPECT_NO_THROW(endpoint(random, {"--jitter", "none", "--backoff", "constant:1s"}));
    try {
        endpoint(random, {"--jitter", "none"});
        FAIL();
    } catch (const tool::usage_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("--jitter: endpoint 'random' of '"));
        EXPECT_THAT(e.what(), HasSubstr("has decorrelated delays"));
    }
}

TEST_F(FetchPolicies, BringTheRetryBudget) {
    EXPECT_TRUE(endpoint(some, {}).retry_budget());
    EXPECT_FALSE(
        endpoint(R"({"version": 1, "default": {"retry_budget": null}})", {}).retry_budget());
    const auto without = tool::make_endpoints(parse({"--max-attempts", "9", "http://h/"}));
    EXPECT_FALSE(without->find("GET", "http://h/").retry_budget());
    EXPECT_EQ(without->find("GET", "http://h/").policy().retry().max_attempts(), 9U);
}

TEST_F(FetchPolicies, AreRefusedWithTheirPlace) {
    try {
        endpoint("{\"version\": 1,\n \"default\": {\"max_attempts\": 0}}", {});
        FAIL();
    } catch (const tool::usage_error& e) {
        EXPECT_THAT(e.what(), HasSubstr("--policy: "));
        EXPECT_THAT(e.what(), HasSubstr("policies.json"));
        EXPECT_THAT(e.what(), HasSubstr("max_attempts"));
    }
}

TEST(FetchFailureOfGuards, SaysWhatToDo) {
    tool::fetch_options options;
    options.policy_file = "p.json";
    tool::call_outcome call;
    call.method = "GET";
    call.error = asio_retry::error::circuit_open;
    call.report = retry_report(reason::circuit_open, {}, 0, {}, {}, 0, 4200ms);
    EXPECT_THAT(tool::failure_hint(call, options), HasSubstr("tried again in 4.2 s"));
    call.error = {};
    call.report = retry_report(reason::budget_exhausted, {}, 1, {}, {}, 0);
    EXPECT_THAT(tool::failure_hint(call, options), HasSubstr("'p.json'"));
    call.report = retry_report(reason::queue_full, {}, 0, {}, {}, 0);
    EXPECT_THAT(tool::failure_hint(call, options), HasSubstr("\"queue\""));
}

#ifdef ASIO_RETRY_TOOL

class FetchWithPolicies : public FetchPolicies {
protected:
    std::vector<boost::json::value> report_of(const words& arguments) {
        const auto file = (directory_.path() / "report").string();
        result_ = fetch(words{"-s", "--report", file} + arguments);
        return lines_of_json(contents_of(file));
    }

    tool_result result_;
};

TEST_F(FetchWithPolicies, ReportsTheGuardThatRefused) {
    const scripted_server server({{expect_request(), send(last_response(503)), close()}},
                                 scripted_server_options().repeat_last());
    const auto policies = write(R"({"version": 1, "default": {
        "max_attempts": 2, "attempt_timeout": "5s",
        "backoff": {"kind": "constant", "base": "1ms"},
        "circuit_breaker": {"minimum_calls": 2, "failure_rate": 0.5, "window": "60s",
                            "open_for": "60s"}}})");
    const auto lines = report_of({"--policy", policies, server.url("/a"), server.url("/b")});
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].at("reason"), "attempts_exhausted");
    EXPECT_EQ(lines[1].at("reason"), "circuit_open");
    EXPECT_EQ(lines[1].at("outcome"), "failed");
    EXPECT_TRUE(lines[1].at("attempts").as_array().empty());
    EXPECT_EQ(result_.status, 3);
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(FetchWithPolicies, RefusesABadFileBeforeAnythingIsSent) {
    const scripted_server server({});
    const auto result = fetch({"--policy", write("{"), server.url()});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("--policy: "));
    EXPECT_EQ(fetch({"--policy", "/nonexistent", server.url()}).status, 2);
    EXPECT_EQ(server.connections_accepted(), 0U);
}

TEST_F(FetchWithPolicies, HedgesASlowRequest) {
    const scripted_server server({{expect_request(), stall()},
                                  {expect_request(), send(last_response(200, "second")), close()}});
    const auto lines = report_of({"--hedge", "20ms", server.url()});
    EXPECT_EQ(result_.status, 0);
    EXPECT_EQ(result_.out, "second");
    const auto& attempts = lines.at(0).at("attempts").as_array();
    ASSERT_EQ(attempts.size(), 2U);
    EXPECT_EQ(attempts[0].at("kind"), "cancelled");
    EXPECT_EQ(attempts[1].at("number"), 2);
}

TEST_F(FetchWithPolicies, TreatWhatARedirectLeadsToAlikeWatchedOrNot) {
    for (const words& watching : {words{}, words{"--timeline"}, words{"-v"}}) {
        const connection_script refuse = {expect_request(), send(last_response(503)), close()};
        const scripted_server server(
            {{expect_request(), send(last_response(302, "", "Location: /b\r\n")), close()}, refuse},
            scripted_server_options().repeat_last());
        const auto port = std::to_string(server.port());
        const auto policies = write(R"({"version": 1,
            "default": {"max_attempts": 2, "backoff": {"kind": "constant", "base": "1ms"}},
            "endpoints": [{"name": "b", "match": {"origin": "http://127.0.0.1:)" +
                                    port + R"(", "path": "/b"}, "policy": {"max_attempts": 4}}]})");
        const auto result =
            fetch(words{"--policy", policies, "-L"} + watching + words{server.url("/a")});
        EXPECT_EQ(server.requests().size(), 5U) << result.err;
        EXPECT_THAT(result.err, HasSubstr("--max-attempts N allows more than 4"));
    }
}

TEST_F(FetchWithPolicies, HasALineForEachAttemptOfAHedgedRequest) {
    const scripted_server server({{expect_request(), stall()},
                                  {expect_request(), send(last_response(200, "second")), close()}});
    const auto result = fetch({"--hedge", "20ms", "--timeline", server.url("/a")});
    EXPECT_THAT(result.err, HasSubstr("  1  Operation canceled"));
    EXPECT_THAT(result.err, HasSubstr("another attempt won"));
    EXPECT_THAT(result.err, HasSubstr("  2  200"));
}

TEST_F(FetchWithPolicies, HelpSaysWhatComesFirst) {
    EXPECT_THAT(fetch({"--help"}).out, HasSubstr("Of three values the first counts"));
}

#endif

}  // namespace
}  // namespace asio_retry::test
