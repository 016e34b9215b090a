// asio-retry fetch, run as a person runs it, against servers that fail.
#include "support/certificates.hpp"
#include "support/scripted_server.hpp"
#include "tool/tool_process.hpp"
#include <asio_retry/testing/fault_server.hpp>

#include <boost/json.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
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
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;
using words = std::vector<std::string>;

const words quick{"--backoff", "constant:5ms", "--jitter", "none"};

words operator+(words a, const words& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

fault_script failing(unsigned times, fault what, const std::string& body = "hello\n") {
    fault_script script;
    script.defaults().fail_first(times, what).body(body);
    return script;
}

class Fetch : public ::testing::Test {
protected:
    std::string file(const char* name) const { return (directory_.path() / name).string(); }

    /// Runs a fetch that writes a report, and answers its lines.
    std::vector<boost::json::value> report_of(const words& arguments) {
        result_ = fetch(words{"-s", "--report", file("report")} + quick + arguments);
        return lines_of_json(contents_of(file("report")));
    }

    temporary_directory directory_;
    tool_result result_;
};

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

TEST_F(Fetch, WrongUsageIsExitStatusTwoBeforeAnythingIsSent) {
    const fault_server server;
    const auto good = server.url("/a");
    for (const auto& wrong : {words{good, "ftp://127.0.0.1/a"},
                              words{good, "127.0.0.1/a"},
                              words{good, "http://"},
                              words{good, "http://127.0.0.1:99999/"},
                              words{good, "http://127.0.0.1/a b"},
                              words{good, ""},
                              words{good, "-H", "A B: c"},
                              words{good, "-H", "A: b\r\nC: d"},
                              words{good, "-H", "Host: other"},
                              words{good, "-H", "Connection: close"},
                              words{good, "-H", "Upgrade: websocket"},
                              words{good, "-H", "A: \x01"},
                              words{good, "-H", "A: " + std::string(100'000, 'a')},
                              words{good, "--idempotency-key", "a\nb"},
                              words{good, "--cacert", "/dev/null"},
                              words{good, "--cert", "/dev/null"},
                              words{good, "--hedge", "soon"},
                              words{good, "--policy", "/nonexistent/file"},
                              words{good, "--nonsense"},
                              words{good, "--max-time", "never"},
                              words{good, "-d", "@/nonexistent"},
                              words{good, "-o", "/nonexistent/file"},
                              words{good, "--report", "/nonexistent/file"},
                              words{good, "--report", "-"},
                              words{good, "--report", "-", "-o", "/dev/stdout"},
                              words{}}) {
        const auto result = fetch(wrong);
        EXPECT_EQ(result.status, 2) << result.err;
        EXPECT_EQ(result.out, "");
        EXPECT_THAT(result.err,
                    MatchesRegex("asio-retry: [^\n]* \\(see asio-retry fetch --help\\)\n"));
    }
    EXPECT_EQ(server.counts().connections, 0U);
}

TEST_F(Fetch, AUrlIsRefusedWithWhatWouldBeRight) {
    for (const auto& [url, says] : std::vector<std::pair<std::string, std::string>>{
             {"example.com/a", "; write http://example.com/a (see"},
             {"http://h/a b", "; write %20 for its character 11 (see"},
             {"http://h/\xc3\xa9", "; write %C3 for its character 10 (see"},
             {"http://b\xc3\xbc"
              "cher.example/",
              "; write its host in Punycode, as in xn--"},
             {"http://a\\b/", "the URL is malformed (see"},
             {"http://h:99999/", "the URL is malformed (see"},
             {"ftp://h/", "neither http nor https (see"}}) {
        EXPECT_THAT(fetch({url}).err, HasSubstr(says));
    }
}

TEST_F(Fetch, CommandsThatDoNotExistAreRefused) {
    for (const auto& [command, says] :
         std::vector<std::pair<words, std::string>>{{{"fecth", "http://h/"}, "did you mean fetch"},
                                                    {{"http://h/"}, "asio-retry fetch http://h/"},
                                                    {{"-s", "http://h/"}, "no option -s before"},
                                                    {{}, "fetch, serve, check or explain"}}) {
        const auto result = tool_run(command).wait();
        EXPECT_EQ(result.status, 2);
        EXPECT_THAT(result.err, AllOf(StartsWith("asio-retry: "), HasSubstr(says)));
    }
}

TEST_F(Fetch, HelpAndVersionAreAsked) {
    EXPECT_THAT(tool_run({"--version"}).wait().out, MatchesRegex("asio-retry [0-9.]+\n"));
    const auto help = fetch({"--help"});
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, AllOf(HasSubstr("--max-attempts"), HasSubstr("Examples:")));
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
         {expect_request(), send(response(200, "2")), close()}});
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

TEST_F(Fetch, CredentialsAreNeverPrinted) {
    const fault_server server(failing(9, fault::status(503)));
    auto url = server.url("/a");
    url.insert(url.find("127"), "user:s3cret@");
    const auto result = fetch(quick + words{"-v",
                                            "--report",
                                            file("report"),
                                            "-H",
                                            "Cookie: id=s3cret",
                                            "-H",
                                            "Proxy-Authorization: Basic s3cret",
                                            "-H",
                                            "X-Seen: yes",
                                            url});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.err, AllOf(HasSubstr("> X-Seen: yes"), HasSubstr("< HTTP/1.1 503")));
    EXPECT_THAT(result.err + contents_of(file("report")), Not(HasSubstr("s3cret")));
    EXPECT_THAT(fetch({"ftp://user:s3cret@h/"}).err, Not(HasSubstr("s3cret")));
    EXPECT_THAT(fetch({"http:/user:s3cret@h/"}).err, Not(HasSubstr("s3cret")));

    const scripted_server redirecting(
        {{expect_request(),
          send(response(302, "", "Location: http://user:s3cret@h/\r\n")),
          stall()}});
    auto redirected = fetch({"-v", redirecting.url("/a")});
    EXPECT_THAT(redirected.err,
                AllOf(HasSubstr("< Location: http://h/"), Not(HasSubstr("s3cret"))));

    const scripted_server malformed(
        {{expect_request(),
          send(response(302, "", "Location: http://user:a;s3cret/b@h/\r\n")),
          stall()}});
    redirected = fetch({"-v", malformed.url("/a")});
    EXPECT_THAT(redirected.err,
                AllOf(HasSubstr("< Location: ***@h/"),
                      HasSubstr("it redirects to ***@h/; -L follows"),
                      Not(HasSubstr("s3cret"))));
}

TEST_F(Fetch, CredentialsAreNotPartOfARefusal) {
    const std::string url = "http://me:s3cret@h/";
    const auto policies = directory_.write("p.json", R"({"version": 1})");
    for (const auto& wrong : {words{url},
                              words{"--user=me:s3cret", url},
                              words{"-ume:s3cret", url},
                              words{"check", policies, url},
                              words{"check", policies, "-ume:s3cret"},
                              words{"explain", "--policy", policies, "http://h/", url},
                              words{"serve", url},
                              words{"serve", "--user=me:s3cret"},
                              words{"fetch", "--", "-" + url},
                              words{"fetch", "--max-time", url, "http://h/"},
                              words{"fetch", "-X", url, "http://h/"},
                              words{"fetch", "--resolve", url, "http://h/"},
                              words{"fetch", "-x", "http://me:s3cret@h:99999", "http://h/"},
                              words{"fetch", "--report", url, "http://h/"}}) {
        const auto result = tool_run(wrong).wait();
        EXPECT_EQ(result.status, 2) << result.err;
        EXPECT_THAT(result.err,
                    AllOf(MatchesRegex("asio-retry: [^\n]+\n"), Not(HasSubstr("s3cret"))));
    }
    EXPECT_THAT(tool_run({"--user=me:s3cret"}).wait().err, HasSubstr("no option --user before"));

    const scripted_server refusing({}, scripted_server_options().refusing());
    const auto failed =
        fetch({"--max-attempts", "1", "--report", file("report"), refusing.url("/?q=" + url)});
    EXPECT_THAT(failed.err, HasSubstr(refusing.url("/?q=***@h/") + ": Connection refused"));
    EXPECT_THAT(contents_of(file("report")), Not(HasSubstr("s3cret")));
}

TEST_F(Fetch, AnInterruptEndsAllCallsAndTellsOfEach) {
    const fault_server server(failing(99, fault(fault_kind::stall)));
    tool_run run({"fetch",
                  "-Z",
                  "--parallel-max",
                  "2",
                  "--report",
                  file("report"),
                  server.url("/a"),
                  server.url("/b"),
                  server.url("/c")});
    while (server.counts().total().requests < 2) std::this_thread::yield();
    run.signal(SIGINT);
    const auto result = run.wait();
    EXPECT_EQ(result.status, 130);
    EXPECT_THAT(result.err, HasSubstr("interrupted: 0 of 3 URLs were fetched"));
    const auto report = lines_of_json(contents_of(file("report")));
    ASSERT_EQ(report.size(), 3U);
    for (const auto& line : report) EXPECT_EQ(line.at("reason").as_string(), "cancelled");
    EXPECT_EQ(report[1].at("attempts").as_array().size(), 1U);
    EXPECT_EQ(report[2].at("attempts").as_array().size(), 0U);
}

TEST_F(Fetch, AnInterruptEndsADelay) {
    const fault_server server(failing(99, fault::status(503)));
    tool_run run({"fetch", "--backoff", "constant:20s", "--jitter", "none", server.url("/a")});
    while (server.counts().total().faults["503"] < 1) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    run.signal(SIGINT);
    const auto result = run.wait();
    EXPECT_EQ(result.status, 130);
    EXPECT_THAT(result.err, HasSubstr("(cancelled)"));
}

/// A FIFO that nobody reads.
class FetchToAPipe : public Fetch {
protected:
    FetchToAPipe() { EXPECT_EQ(::mkfifo(pipe_.c_str(), 0600), 0); }
    ~FetchToAPipe() override { ::close(reader_); }

    /// Gives it a reader that does not read.
    void open_reader() { reader_ = ::open(pipe_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }

    void fill() {
        open_reader();
        const int writer = ::open(pipe_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        const std::string bytes(4096, 'a');
        while (::write(writer, bytes.data(), bytes.size()) > 0) continue;
        ::close(writer);
    }

    /// Signals it some time after it has sent a request; it is killed if that does not end it.
    static tool_result interrupted(tool_run& run, const fault_server& server, int signal) {
        const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (server.counts().total().requests < 1 && std::chrono::steady_clock::now() < soon) {
            std::this_thread::yield();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        run.signal(signal);
        return run.wait_at_most(std::chrono::seconds(10));
    }

    const std::string pipe_ = file("pipe");
    int reader_ = -1;
};

TEST_F(FetchToAPipe, AnInterruptEndsTheWaitForTheReaderOfStandardOutput) {
    const fault_server server(failing(0, fault::status(503), std::string(1024 * 1024, 'a')));
    open_reader();
    tool_run run({"fetch", "--report", file("report"), server.url("/a")}, "", pipe_);
    const auto result = interrupted(run, server, SIGINT);
    EXPECT_EQ(result.status, 130);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(lines_of_json(contents_of(file("report"))).at(0).at("reason"), "cancelled");
}

TEST_F(FetchToAPipe, AnInterruptEndsTheWaitForAReaderOfTheFile) {
    const fault_server server;
    tool_run run({"fetch", "-o", pipe_, "--report", file("report"), server.url("/a")});
    const auto result = interrupted(run, server, SIGTERM);
    EXPECT_EQ(result.status, 143);
    EXPECT_EQ(lines_of_json(contents_of(file("report"))).size(), 1U);
}

TEST_F(FetchToAPipe, ABlockedStandardErrorHoldsUpNoCall) {
    const fault_server server(failing(99, fault(fault_kind::stall)));
    fill();
    tool_run run({"fetch",
                  "-v",
                  "--max-time",
                  "100ms",
                  "--report",
                  file("report"),
                  server.url("/a"),
                  server.url("/b")},
                 "",
                 "",
                 pipe_);
    EXPECT_EQ(interrupted(run, server, SIGINT).status, 130);
    const auto report = lines_of_json(contents_of(file("report")));
    ASSERT_EQ(report.size(), 2U);
    for (const auto& line : report) EXPECT_EQ(line.at("reason").as_string(), "deadline_exceeded");
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

TEST_F(Fetch, OutputThatCannotBeWrittenIsSaidOnce) {
    const fault_server server;
    const words both{"fetch", "--report", file("both"), server.url("/a"), server.url("/b")};
    auto result = tool_run(both, "", "/dev/full").wait();
    EXPECT_EQ(result.status, 3);
    for (const auto& each : lines_of_json(contents_of(file("both")))) {
        EXPECT_EQ(each.at("outcome").as_string(), "failed");
    }
    EXPECT_EQ(result.err,
              "asio-retry: standard output could not be written: No space left on device\n");
    result = fetch({"-o", "/dev/full", "--report", file("report"), server.url("/a")});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err,
              "asio-retry: '/dev/full' could not be written: No space left on device\n");
    const auto line = lines_of_json(contents_of(file("report"))).at(0);
    EXPECT_EQ(line.at("outcome").as_string(), "failed");
    EXPECT_EQ(line.at("reason").as_string(), "permanent_failure");
    EXPECT_EQ(line.at("status").as_int64(), 200);
    EXPECT_EQ(line.at("error").as_string(), "No space left on device");
    EXPECT_EQ(fetch({"-o", "/dev/null", server.url("/a")}).status, 0);
    result = fetch({"--report", "/dev/full", server.url("/a")});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err, "asio-retry: the report could not be written: No space left on device\n");
}

TEST_F(Fetch, AServerWhosePortNobodyLearnsDoesNotRun) {
    tool_run run({"serve"}, "", "/dev/full");
    const auto result = run.wait_at_most(std::chrono::seconds(10));
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err, "asio-retry serve: the line with its port could not be written\n");
}

TEST_F(Fetch, AClosedStandardOutputIsAnError) {
    const fault_server server;
    tool_run run({"fetch", server.url("/a")}, "", tool_run::closed);
    const auto result = run.wait();
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err,
              "asio-retry: standard output could not be written: Bad file descriptor\n");
}

TEST_F(Fetch, AReaderThatWentAwayEndsTheRun) {
    const auto pipe = file("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    fault_script slow;
    slow.defaults().latency(std::chrono::milliseconds(100));
    const fault_server slow_server(slow);
    tool_run run({"fetch", slow_server.url("/a"), slow_server.url("/b")}, "", pipe);
    while (slow_server.counts().total().requests < 1) std::this_thread::yield();
    ::close(reader);
    const auto result = run.wait();
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err, "asio-retry: standard output could not be written: Broken pipe\n");
}

// TLS.

TEST_F(Fetch, TrustsTheAuthorityItIsGiven) {
    const certificate_authority authority;
    const auto ca = directory_.write("ca.pem", authority.certificate_pem());
    const auto server_options =
        scripted_server_options().tls(authority.issue(for_loopback())).repeat_last();
    const scripted_server server({{expect_request(), send(response(200, "secret")), close()}},
                                 server_options);
    const auto url = "https://localhost:" + std::to_string(server.port()) + "/";
    auto result = fetch(quick + words{"--cacert", ca, url});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "secret");
    result = fetch(quick + words{url});
    EXPECT_EQ(result.status, 3);
    EXPECT_THAT(
        result.err,
        AllOf(HasSubstr("certificate"), HasSubstr("after 1 attempt"), HasSubstr("--cacert")));
    result = fetch(quick + words{"-k", url});
    EXPECT_EQ(result.status, 0) << result.err;
}

TEST_F(Fetch, ShowsItsCertificate) {
    const certificate_authority authority;
    const auto ca = directory_.write("ca.pem", authority.certificate_pem());
    const auto mine = authority.issue(certificate_request().dns("me.example"));
    const auto certificate = directory_.write("cert.pem", mine.certificate_pem);
    const auto key = directory_.write("key.pem", mine.key_pem);
    const auto both = directory_.write("both.pem", mine.certificate_pem + mine.key_pem);
    for (const auto& arguments :
         {words{"--cert", certificate, "--key", key}, words{"--cert", both}}) {
        const scripted_server server({{request_client_certificate(authority.issue(for_loopback()),
                                                                  authority.certificate_pem()),
                                       expect_request(),
                                       send(response(200, "known")),
                                       close()}});
        const auto result = fetch(
            arguments +
            words{"--cacert", ca, "https://localhost:" + std::to_string(server.port()) + "/"});
        EXPECT_EQ(result.out, "known") << result.err << server.problems_text();
        EXPECT_THAT(server.connections().at(0).client_certificate, HasSubstr("me.example"));
    }
}

TEST_F(Fetch, NamesTheCertificateThatCannotBeUsed) {
    const auto ca = directory_.write("ca.pem", certificate_authority().certificate_pem());
    const auto wrong = directory_.write("wrong.pem", "no certificate");
    const auto refused = [&](const words& arguments) {
        const auto result = fetch(arguments + words{"https://localhost:1/"});
        EXPECT_EQ(result.status, 2) << result.err;
        return result.err;
    };
    EXPECT_THAT(refused({"--cacert", wrong}), HasSubstr("--cacert: '" + wrong + "' cannot be"));
    EXPECT_THAT(refused({"--cert", wrong}), HasSubstr("--cert: '" + wrong + "' cannot be"));
    EXPECT_THAT(refused({"--cert", wrong, "--cacert", ca}), HasSubstr("--cert: '" + wrong));
    EXPECT_THAT(refused({"--cert", wrong, "--cacert", wrong}), HasSubstr("--cacert: '" + wrong));
    EXPECT_THAT(refused({"--cert", wrong, "-k"}), HasSubstr("--cert: '" + wrong));
}

}  // namespace
}  // namespace asio_retry::test

#endif
