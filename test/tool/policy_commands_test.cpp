// `asio-retry check` and `asio-retry explain`, as a person runs them.
#include "http/policy_document.hpp"
#include "support/certificates.hpp"
#include "support/policy_samples.hpp"
#include "tool/tool_process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace asio_retry::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using words = std::vector<std::string>;

tool_result run(words arguments) { return tool_run(std::move(arguments)).wait(); }

class PolicyCommands : public ::testing::Test {
protected:
    tool_result explain(words arguments) {
        arguments.insert(arguments.begin(), {"explain", "--policy", file});
        return run(std::move(arguments));
    }

    temporary_directory directory;
    std::string file = directory.write("policies.json", contract_file);
};

TEST_F(PolicyCommands, CheckSaysWhatIsInAFile) {
    const auto result = run({"check", file});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, file + ": the default and 1 endpoint\n");
    EXPECT_EQ(result.err, "");
}

TEST_F(PolicyCommands, CheckNamesThePlaceOfEachProblem) {
    const auto bad = directory.write("bad.json", R"({"version": 1,
  "default": {"max_attempts": 0, "backof": {}}})");
    const auto result = run({"check", bad});
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err,
              bad +
                  ":2:31: $.default.max_attempts: 0 must be a whole number from 1 to 4294967295\n" +
                  bad + ":2:34: $.default.backof: is not a known key; did you mean \"backoff\"?\n");
    EXPECT_EQ(run({"check", "/nonexistent"}).status, 2);
    EXPECT_EQ(run({"check"}).status, 2);
    EXPECT_EQ(run({"check", file, "--schema"}).status, 2);
}

TEST_F(PolicyCommands, CheckPrintsTheSchema) {
    const auto result = run({"check", "--schema"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.out, http::detail::policy_schema());
}

TEST_F(PolicyCommands, ExplainTellsTheEndpointThePolicyAndTheSchedule) {
    const auto result = explain({"-X", "POST", "https://me:secret@Pay.example/v1/charges/7?x"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(
        result.out,
        AllOf(HasSubstr("POST https://pay.example/v1/charges/7?x\n"),
              HasSubstr("  endpoint payments\n"),
              HasSubstr("  matches  POST https://pay.example/v1/charges/* (this very host, a path "
                        "that begins with /v1/charges/, a method that is named)\n"),
              ::testing::ContainsRegex("max_attempts +6 +endpoint\n"),
              ::testing::ContainsRegex("attempt_timeout +\"2s\" +default\n"),
              ::testing::ContainsRegex("circuit_breaker.max_open_for +\"1m\" +library\n"),
              ::testing::ContainsRegex(
                  "retry_status +\\[408, 425, 429, 500, 502, 503, 504\\] +default\n"),
              HasSubstr("schedule if every attempt fails\n"),
              HasSubstr("schedule if all fail with throttling\n"),
              HasSubstr("at most 10s in all, which is the total timeout"),
              Not(HasSubstr("secret"))));
}

TEST_F(PolicyCommands, ExplainTellsOfTheDefaultAndOfWhatIsLessSpecific) {
    EXPECT_THAT(explain({"https://pay.example/v1/charges/7"}).out,
                HasSubstr("  endpoint default\n  matches  what no other endpoint does\n"));
    file = directory.write("two.json", R"({"version": 1, "endpoints": [
        {"name": "wide", "match": {"origin": "https://*.example"}},
        {"name": "narrow", "match": {"origin": "https://*.example", "path": "/a*"}}]})");
    EXPECT_THAT(explain({"https://b.example/a"}).out,
                AllOf(HasSubstr("  endpoint narrow\n"),
                      HasSubstr("  before   wide, which match too but are less specific\n"),
                      HasSubstr("(a host below example, a path that begins with /a, any method)")));
}

TEST_F(PolicyCommands, ExplainTellsWhatFetchDoes) {
    file = directory.write("empty.json", R"({"version": 1, "default": {"max_attempts": 3}})");
    const auto told = explain({"http://h/"}).out;
    EXPECT_THAT(told,
                AllOf(::testing::ContainsRegex("max_body_size +1073741824 +fetch\n"),
                      ::testing::ContainsRegex("max_history +100000 +fetch\n"),
                      ::testing::ContainsRegex("max_attempts +3 +default\n"),
                      ::testing::ContainsRegex("connect_timeout +\"5s\" +library\n"),
                      Not(HasSubstr("is repeated only"))));
    file = directory.write("own.json", R"({"version": 1, "default": {"max_body_size": 67108864}})");
    EXPECT_THAT(explain({"http://h/"}).out,
                ::testing::ContainsRegex("max_body_size +67108864 +default\n"));
}

TEST_F(PolicyCommands, ExplainTellsThatAPostMayBeSentOnceOnly) {
    file = directory.write("plain.json", R"({"version": 1})");
    EXPECT_THAT(explain({"-X", "POST", "http://h/"}).out,
                HasSubstr("\nThis POST is repeated only where the server cannot have acted on it: "
                          "after 408, 421, 425, 429,\nor if none of it was sent."));
    file = directory.write("few.json", R"({"version": 1, "default": {"retry_status": [503]}})");
    EXPECT_THAT(explain({"-X", "PATCH", "http://h/"}).out,
                HasSubstr("This PATCH is repeated only where the server cannot have acted on it: "
                          "after 421,\n"));
    file = directory.write("key.json", R"({"version": 1, "default": {"idempotency": "always"}})");
    EXPECT_THAT(explain({"-X", "POST", "http://h/"}).out, Not(HasSubstr("is repeated only")));
}

TEST_F(PolicyCommands, ExplainDrawsTheSchedule) {
    const auto picture = (directory.path() / "schedule.svg").string();
    const auto result = explain({"--svg", picture, "https://pay.example/"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(contents_of(picture), AllOf(HasSubstr("<svg"), HasSubstr("attempt 4")));
    EXPECT_EQ(explain({"--svg", "/nonexistent/x.svg", "https://pay.example/"}).status, 3);
}

TEST_F(PolicyCommands, CredentialsAreNotQuoted) {
    const auto bad = directory.write("bad.json", R"({"version": 1, "endpoints": [
  {"name": "a", "match": {"origin": "http://me:s3cret@a"},
   "policy": {"max_attempts": "http://me:s3cret@b", "http://me:s3cret@c": 1}}]})");
    for (const auto& wrong : {words{"check", bad},
                              words{"explain", "--policy", bad, "http://h/"},
                              words{"fetch", "--policy", bad, "http://h/"},
                              words{"check", "http://me:s3cret@h/p.json"}}) {
        const auto result = run(wrong);
        EXPECT_EQ(result.status, 2);
        EXPECT_THAT(result.err, Not(HasSubstr("s3cret")));
        if (wrong.back() != "http://me:s3cret@h/p.json") {
            EXPECT_THAT(result.err,
                        AllOf(HasSubstr(bad + ":2:37: $.endpoints[0].match.origin: '***@a' is"),
                              HasSubstr("max_attempts: \"***@b\" must be"),
                              HasSubstr("[\"***@c\"]: is not a known key")));
        }
    }
    const auto told = explain({"http://h/?q=http://me:s3cret@b/"});
    EXPECT_THAT(told.out, AllOf(HasSubstr("GET http://h/?q=***@b/\n"), Not(HasSubstr("s3cret"))));
}

TEST_F(PolicyCommands, ExplainRefusesWhatCannotBeFetched) {
    for (const auto& wrong : {words{"pay.example"},
                              words{"ftp://pay.example/"},
                              words{"http://user:s3cret@h:99999/"},
                              words{"-X", "A B", "https://pay.example/"},
                              words{}}) {
        const auto result = explain(wrong);
        EXPECT_EQ(result.status, 2) << result.out;
        EXPECT_EQ(result.out, "");
        EXPECT_THAT(result.err, ::testing::MatchesRegex("asio-retry: [^\n]+\n"));
        EXPECT_THAT(result.err, ::testing::Not(::testing::HasSubstr("s3cret")));
    }
    file = directory.write("bad.json", "{}");
    EXPECT_EQ(explain({"https://pay.example/"}).err, file + ":1:1: $: needs \"version\"\n");
}

}  // namespace
}  // namespace asio_retry::test
