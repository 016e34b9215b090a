// What fetch refuses before anything is sent, and that no credential is part of what it says.
#include "support/scripted_server.hpp"
#include "tool/fetch_fixture.hpp"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#ifdef ASIO_RETRY_TOOL

namespace asio_retry::test {
namespace {

using asio_retry::testing::fault;
using asio_retry::testing::fault_server;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

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

}  // namespace
}  // namespace asio_retry::test

#endif
