// asio-retry fetch, run as a person runs it, against servers that fail.
#include "support/scripted_server.hpp"
#include "tool/fetch_fixture.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#ifdef ASIO_RETRY_TOOL

namespace asio_retry::test {
namespace {

using asio_retry::testing::fault;
using asio_retry::testing::fault_kind;
using asio_retry::testing::fault_rule;
using asio_retry::testing::fault_script;
using asio_retry::testing::fault_server;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

// Exit status, and what goes where.

TEST_F(Fetch, PrintsTheBodyAndNothingElse) {
    const fault_server server;
    const auto result = fetch({server.url("/a")});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "hello\n");
    EXPECT_EQ(result.err, "");
}

TEST_F(Fetch, RepeatsUntilItArrives) {
    const fault_server server(failing(2, fault::status(503)));
    const auto result = fetch(quick + words{server.url("/a")});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "hello\n");
    EXPECT_EQ(server.counts().of("GET", "/a").requests, 3U);
}

TEST_F(Fetch, AnUnwantedStatusIsExitStatusOne) {
    const fault_server server(failing(9, fault::status(503)));
    const auto result = fetch(quick + words{"--max-attempts", "3", server.url("/a")});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err,
                MatchesRegex("asio-retry: GET " + server.url("/a") +
                             ": 503 after 3 attempts in [0-9]+ ms \\(attempts_exhausted\\)\n"
                             "  hint: --max-attempts N allows more than 3\n"));
}

TEST_F(Fetch, ACallWithoutResponseIsExitStatusThree) {
    const scripted_server server({}, scripted_server_options().refusing());
    const auto result = fetch(quick + words{"--max-attempts", "2", server.url("/a")});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr("Connection refused after 2 attempts"));
}

TEST_F(Fetch, TheWorstOfSeveralCountsAndTheOthersArePrinted) {
    fault_script script;
    script.add(fault_rule("/gone").sequence({fault::status(404)}));
    script.add(fault_rule("/reset").fail_first(9, fault(fault_kind::reset)));
    const fault_server server(script);
    auto result = fetch({server.url("/gone"), server.url("/a")});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.out, EndsWith("hello\n"));
    result = fetch(quick + words{server.url("/gone"), server.url("/reset"), server.url("/a")});
    EXPECT_EQ(result.status, 3);
    EXPECT_THAT(result.out, EndsWith("hello\n"));
}

TEST_F(Fetch, SilentSaysNothing) {
    const fault_server server(failing(9, fault::status(404)));
    const auto result = fetch({"-s", server.url("/a")});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(result.err, "");
}

// The report.

TEST_F(Fetch, ReportTellsEachAttempt) {
    const fault_server server(failing(1, fault::status(503), "twelve bytes"));
    const auto report = report_of({server.url("/a")});
    ASSERT_EQ(report.size(), 1U);
    std::string keys;
    for (const auto& member : report[0].as_object()) keys.append(member.key()).append(" ");
    EXPECT_EQ(keys, "url method outcome reason status error bytes elapsed_ms attempts ");
    EXPECT_EQ(report[0].at("url").as_string(), server.url("/a"));
    EXPECT_EQ(report[0].at("method").as_string(), "GET");
    EXPECT_EQ(report[0].at("outcome").as_string(), "success");
    EXPECT_EQ(report[0].at("reason").as_string(), "success");
    EXPECT_EQ(report[0].at("status").as_int64(), 200);
    EXPECT_TRUE(report[0].at("error").is_null());
    EXPECT_EQ(report[0].at("bytes").as_int64(), 12);
    EXPECT_GE(report[0].at("elapsed_ms").as_double(), 5.0);

    const auto& attempts = report[0].at("attempts").as_array();
    ASSERT_EQ(attempts.size(), 2U);
    keys.clear();
    for (const auto& member : attempts[0].as_object()) keys.append(member.key()).append(" ");
    EXPECT_EQ(keys,
              "number status error kind sent reused remote started_ms elapsed_ms delay_ms "
              "delay_source ");
    EXPECT_EQ(attempts[0].at("number").as_int64(), 1);
    EXPECT_EQ(attempts[0].at("status").as_int64(), 503);
    EXPECT_TRUE(attempts[0].at("error").is_null());
    EXPECT_EQ(attempts[0].at("kind").as_string(), "server");
    EXPECT_EQ(attempts[0].at("sent").as_string(), "full");
    EXPECT_FALSE(attempts[0].at("reused").as_bool());
    EXPECT_EQ(attempts[0].at("remote").as_string(), server.origin().substr(7));
    EXPECT_GE(attempts[0].at("started_ms").as_double(), 0.0);
    EXPECT_GT(attempts[0].at("elapsed_ms").as_double(), 0.0);
    EXPECT_EQ(attempts[0].at("delay_ms").as_double(), 5.0);
    EXPECT_EQ(attempts[0].at("delay_source").as_string(), "backoff");
    EXPECT_EQ(attempts[1].at("number").as_int64(), 2);
    EXPECT_EQ(attempts[1].at("status").as_int64(), 200);
    EXPECT_TRUE(attempts[1].at("kind").is_null());
    EXPECT_TRUE(attempts[1].at("reused").as_bool());
    EXPECT_GE(attempts[1].at("started_ms").as_double(), 5.0);
    EXPECT_TRUE(attempts[1].at("delay_ms").is_null());
    EXPECT_TRUE(attempts[1].at("delay_source").is_null());
}

TEST_F(Fetch, ReportOfACallWithoutResponse) {
    const fault_server server(failing(9, fault(fault_kind::reset)));
    const auto report = report_of({"--max-attempts", "2", server.url("/a")});
    ASSERT_EQ(report.size(), 1U);
    EXPECT_EQ(report[0].at("outcome").as_string(), "failed");
    EXPECT_EQ(report[0].at("reason").as_string(), "attempts_exhausted");
    EXPECT_TRUE(report[0].at("status").is_null());
    EXPECT_TRUE(report[0].at("error").is_string());
    EXPECT_EQ(report[0].at("bytes").as_int64(), 0);
    const auto& first = report[0].at("attempts").at(0);
    EXPECT_TRUE(first.at("status").is_null());
    EXPECT_TRUE(first.at("error").is_string());
    EXPECT_EQ(first.at("kind").as_string(), "connection_lost");
}

TEST_F(Fetch, ReportNamesTheServersWish) {
    fault_script script = failing(1, fault::status(429));
    script.defaults().retry_after("1");
    const fault_server server(script);
    const auto report = report_of({server.url("/a")});
    const auto& first = report.at(0).at("attempts").at(0);
    EXPECT_EQ(first.at("delay_source").as_string(), "retry_after");
    EXPECT_GE(first.at("delay_ms").as_double(), 1000.0);
    EXPECT_EQ(first.at("kind").as_string(), "throttling");
}

TEST_F(Fetch, ReportShowsAResendOverAFreshConnection) {
    const scripted_server server(
        {{expect_request(), send(response(200, "1")), expect_request(), close()},
         {expect_request(), send(last_response(200, "2")), close()}});
    const auto report = report_of({server.url("/1"), server.url("/2")});
    EXPECT_EQ(result_.out, "12");
    ASSERT_EQ(report.size(), 2U);
    const auto& attempts = report[1].at("attempts").as_array();
    ASSERT_EQ(attempts.size(), 2U);
    EXPECT_EQ(attempts[0].at("number").as_int64(), 1);
    EXPECT_TRUE(attempts[0].at("reused").as_bool());
    EXPECT_EQ(attempts[0].at("delay_source").as_string(), "stale_connection");
    EXPECT_EQ(attempts[1].at("number").as_int64(), 1);
    EXPECT_FALSE(attempts[1].at("reused").as_bool());
}

TEST_F(Fetch, ReportToStandardOutput) {
    const fault_server server;
    const auto result = fetch(
        {"--report", "-", "-o", file("a"), "-o", file("b"), server.url("/a"), server.url("/b")});
    EXPECT_EQ(result.status, 0) << result.err;
    const auto report = lines_of_json(result.out);
    ASSERT_EQ(report.size(), 2U);
    EXPECT_EQ(report[0].at("url").as_string(), server.url("/a"));
    EXPECT_EQ(report[1].at("url").as_string(), server.url("/b"));
    EXPECT_EQ(contents_of(file("b")), "hello\n");
}

// The request.

TEST_F(Fetch, SendsDataAndHeaders) {
    const fault_server server;
    const auto echo = [&](const words& arguments, const std::string& input = {}) {
        const auto result = fetch(arguments + words{server.url("/.echo")}, input);
        EXPECT_EQ(result.status, 0) << result.err;
        return boost::json::parse(result.out);
    };
    auto seen = echo({"-d", "a=1", "-d", "b=2"});
    EXPECT_EQ(seen.at("method").as_string(), "POST");
    EXPECT_EQ(seen.at("body").as_string(), "a=1&b=2");
    EXPECT_THAT(boost::json::serialize(seen), HasSubstr("application/x-www-form-urlencoded"));

    seen = echo({"-d", "@-", "-H", "Content-Type: text/plain"}, "from\nstandard input\n");
    EXPECT_EQ(seen.at("body").as_string(), "from\nstandard input\n");
    EXPECT_THAT(boost::json::serialize(seen), Not(HasSubstr("urlencoded")));

    seen = echo({"-X", "PUT", "-d", "{}"});
    EXPECT_EQ(seen.at("method").as_string(), "PUT");
    EXPECT_EQ(seen.at("body").as_string(), "{}");

    seen = echo({"-d", ""});
    EXPECT_EQ(seen.at("method").as_string(), "POST");
    EXPECT_EQ(seen.at("body_size").as_int64(), 0);

    seen = echo({"-H", "X-One: 1", "-H", "X-Two;"});
    EXPECT_EQ(seen.at("method").as_string(), "GET");
    EXPECT_THAT(boost::json::serialize(seen), AllOf(HasSubstr("X-One"), HasSubstr("X-Two")));
}

TEST_F(Fetch, APostThatMayHaveHadAnEffectIsSentOnce) {
    const fault_server server(failing(1, fault::status(503)));
    const auto report = report_of({"-d", "x", server.url("/pay")});
    EXPECT_EQ(result_.status, 1);
    EXPECT_EQ(report.at(0).at("reason").as_string(), "not_idempotent");
    EXPECT_EQ(server.counts().of("POST", "/pay").received, 1U);

    report_of({"-d", "x", "--idempotent", server.url("/safe")});
    EXPECT_EQ(result_.status, 0);
    EXPECT_EQ(server.counts().of("POST", "/safe").received, 2U);
}

TEST_F(Fetch, AnIdempotencyKeyIsTheSameOnEachAttemptAndAnotherForEachUrl) {
    const scripted_server server({{expect_request(),
                                   send(response(503)),
                                   expect_request(),
                                   send(response(200)),
                                   expect_request(),
                                   send(response(200)),
                                   stall()}});
    report_of({"-d", "x", server.url("/a"), server.url("/b"), "--idempotency-key"});
    EXPECT_EQ(result_.status, 0);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 3U);
    const auto key = requests[0].field("Idempotency-Key");
    EXPECT_THAT(
        key, MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_EQ(requests[1].field("Idempotency-Key"), key);
    EXPECT_NE(requests[2].field("Idempotency-Key"), key);
}

TEST_F(Fetch, AKeyOfOnesOwn) {
    const scripted_server server({{expect_request(), send(response(200)), stall()}});
    report_of({"-d", "x", "--idempotency-key", "order-7", server.url("/a")});
    EXPECT_EQ(server.requests().at(0).field("Idempotency-Key"), "order-7");
}

// The response.

TEST_F(Fetch, HeadAndInclude) {
    const scripted_server server(
        {{expect_request(),
          send("HTTP/1.1 200 Fine\r\nX-A: b\r\nContent-Length: 2\r\n\r\n"),
          close()},
         {expect_request(),
          send("HTTP/1.1 200 Fine\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok"),
          close()}});
    auto result = fetch({"-I", server.url("/a")});
    EXPECT_EQ(result.out, "HTTP/1.1 200 Fine\r\nX-A: b\r\nContent-Length: 2\r\n\r\n");
    result = fetch({"-i", server.url("/a")});
    EXPECT_EQ(result.out, "HTTP/1.1 200 Fine\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(server.requests().at(0).method, "HEAD");
}

TEST_F(Fetch, OutputFilesAreWholeOrAsTheyWere) {
    fault_script script;
    script.add(fault_rule("/busy").fail_first(9, fault::status(503)));
    script.add(fault_rule("/cut").fail_first(9, fault(fault_kind::truncate)));
    script.add(fault_rule("/gone").fail_first(9, fault::status(404)));
    const fault_server server(script);
    for (const auto* path : {"/busy", "/cut", "/gone"}) {
        directory_.write("kept", "as it was");
        fetch(quick + words{"-s", "-o", file("kept"), server.url(path)});
        EXPECT_EQ(contents_of(file("kept")), "as it was") << path;
        fetch(quick + words{"-s", "-o", file("none"), server.url(path)});
        EXPECT_FALSE(std::filesystem::exists(file("none"))) << path;
    }
    const auto result = fetch({"-o", file("kept"), server.url("/a"), server.url("/b")});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(contents_of(file("kept")), "hello\n");
    EXPECT_EQ(result.out, "hello\n");
}

TEST_F(Fetch, FollowsRedirectsIfTold) {
    const auto script = [](const std::string& to) {
        return connection_script{expect_request(),
                                 send(response(302, "", "Location: " + to + "\r\n")),
                                 expect_request(),
                                 send(response(200, "there")),
                                 stall()};
    };
    const scripted_server server({script("/there"), script("/there"), script("/there")});
    auto result = fetch({server.url("/here")});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, AllOf(HasSubstr(": 302 after 1 attempt"), HasSubstr("-L follows")));
    result = fetch({"-L", server.url("/here")});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "there");
    result = fetch({"-L", "--max-redirs", "0", server.url("/here")});
    EXPECT_NE(result.status, 0);
    EXPECT_EQ(result.out, "");
}

TEST_F(Fetch, ConnectsWhereItIsTold) {
    const scripted_server server({{expect_request(), send(response(200, "x")), stall()}});
    const auto port = std::to_string(server.port());
    const auto result = fetch({"--resolve",
                               "no-such-host.invalid:" + port + ":127.0.0.1",
                               "http://no-such-host.invalid:" + port + "/"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(server.requests().at(0).field("Host"), "no-such-host.invalid:" + port);
}

// Several.

TEST_F(Fetch, InParallelBodiesComeWholeAndInOrder) {
    fault_script script;
    script.defaults().latency(std::chrono::milliseconds(1), std::chrono::milliseconds(80));
    script.add(fault_rule("/.echo").rate(503, 0.3).max_in_a_row(3));
    const fault_server server(script);
    words arguments{"-sZ", "--parallel-max", "20", "--max-attempts", "5"};
    for (int i = 0; i < 40; ++i) arguments.push_back(server.url("/.echo/" + std::to_string(i)));
    const auto start = std::chrono::steady_clock::now();
    const auto report = report_of(arguments);
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
    EXPECT_EQ(result_.status, 0);
    ASSERT_EQ(report.size(), 40U);
    const auto bodies = lines_of_json(result_.out);
    ASSERT_EQ(bodies.size(), 40U);
    for (std::size_t i = 0; i < 40; ++i) {
        const auto path = "/.echo/" + std::to_string(i);
        EXPECT_EQ(report[i].at("url").as_string(), server.url(path));
        EXPECT_EQ(bodies[i].at("target").as_string(), path);
    }
    EXPECT_LE(server.counts().connections, 40U);
}

TEST_F(Fetch, InOrderOneConnectionServesAll) {
    const fault_server server;
    const auto result = fetch({server.url("/a"), server.url("/b"), server.url("/c")});
    EXPECT_EQ(result.out, "hello\nhello\nhello\n");
    EXPECT_EQ(server.counts().connections, 1U);
}

// Limits.

TEST_F(Fetch, ReturnsWhenItsTimeIsOver) {
    const fault_server server(failing(99, fault(fault_kind::stall)));
    const auto start = std::chrono::steady_clock::now();
    auto report = report_of({"--max-time", "300ms", server.url("/a")});
    EXPECT_EQ(result_.status, 3);
    EXPECT_EQ(report.at(0).at("reason").as_string(), "deadline_exceeded");
    report = report_of({"--attempt-timeout", "100ms", "--max-attempts", "2", server.url("/a")});
    EXPECT_EQ(report.at(0).at("reason").as_string(), "attempts_exhausted");
    EXPECT_EQ(report.at(0).at("attempts").at(1).at("kind").as_string(), "timeout");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(Fetch, ConnectTimeout) {
    const deaf_server server;
    const auto report =
        report_of({"--connect-timeout", "100ms", "--max-attempts", "1", server.url("/a")});
    EXPECT_EQ(result_.status, 3);
    EXPECT_EQ(report.at(0).at("attempts").at(0).at("kind").as_string(), "timeout");
    EXPECT_EQ(report.at(0).at("attempts").at(0).at("sent").as_string(), "none");
}

TEST_F(Fetch, RetryAfterAboveTheLimitEndsTheCall) {
    fault_script script = failing(9, fault::status(503));
    script.defaults().retry_after("3600");
    const fault_server server(script);
    const auto result = fetch({"--max-retry-after", "2s", server.url("/a")});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("(retry_after_too_long)"),
                      HasSubstr("Retry-After: 3600"),
                      HasSubstr("--max-retry-after is 2s")));
}

TEST_F(Fetch, StatusesToRepeatForAreAsTold) {
    const fault_server server(failing(1, fault::status(404)));
    report_of({"--retry-status", "404", server.url("/a")});
    EXPECT_EQ(result_.status, 0);
    report_of({"--retry-status", "500-599", server.url("/b")});
    EXPECT_EQ(result_.status, 1);
}

// What is said.

TEST_F(Fetch, TimelineHasALineForEachAttempt) {
    const fault_server server(failing(2, fault::status(503)));
    const auto result = fetch(quick + words{"--timeline", server.url("/a")});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(
        result.err,
        MatchesRegex("    time  url  try  result .* then\n"
                     "   0\\.[0-9]+  /a     1  503 server .* again in 5.0 ms \\(backoff\\)\n"
                     "   0\\.[0-9]+  /a     2  503 server .* again in 5.0 ms \\(backoff\\)\n"
                     "   0\\.[0-9]+  /a     3  200 .* done\n"));
    EXPECT_EQ(result.err.find('\x1b'), std::string::npos);
}

TEST_F(Fetch, HeadsArePrintedInTheOrderOfTheUrls) {
    const fault_server server;
    const auto result = fetch(words{"-v"} + words(40, server.url("/a")));
    std::string order;
    std::string right;
    for (int i = 0; i < 40; ++i) right += "><";
    std::istringstream lines(result.err);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("> GET")) order += '>';
        if (line.starts_with("< HTTP")) order += '<';
    }
    EXPECT_EQ(order, right);
}

}  // namespace
}  // namespace asio_retry::test

#endif
