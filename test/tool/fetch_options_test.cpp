// The words of fetch's command line, and what they come to.
#include "support/certificates.hpp"
#include "tool/fetch_words.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tool/fetch_arguments.hpp>
#include <tool/fetch_flags.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace asio_retry::tool {
namespace {

using namespace std::chrono_literals;
using test::error_of;
using test::parse;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

const std::string url = "http://127.0.0.1:1/a";

// The request.

TEST(FetchOptions, MethodFollowsFromTheOtherOptions) {
    EXPECT_EQ(parse({url}).method, "GET");
    EXPECT_EQ(parse({"-d", "a=b", url}).method, "POST");
    EXPECT_EQ(parse({"-I", url}).method, "HEAD");
    EXPECT_EQ(parse({"-X", "PUT", "-d", "x", url}).method, "PUT");
    EXPECT_EQ(parse({"-XDELETE", url}).method, "DELETE");
    EXPECT_EQ(parse({"--request=PATCH", url}).method, "PATCH");
    EXPECT_EQ(parse({"-X", "GET", "-X", "PUT", url}).method, "PUT");
}

TEST(FetchOptions, DataIsTakenAsItStands) {
    EXPECT_EQ(parse({url}).data, std::nullopt);
    EXPECT_EQ(parse({"-d", "", url}).data, "");
    EXPECT_EQ(parse({"--data=", url}).data, "");
    EXPECT_EQ(parse({"--data=a=b=c", url}).data, "a=b=c");
    EXPECT_EQ(parse({"-da=b", url}).data, "a=b");
    EXPECT_EQ(parse({"-d", "a", "--data", "b", "-dc", url}).data, "a&b&c");
}

TEST(FetchOptions, DataThatTheParserHasAMeaningOfItsOwnFor) {
    for (const std::string data : {"{}",
                                   "[1,2]",
                                   "[]",
                                   "-5",
                                   "-d",
                                   "--",
                                   "--data=",
                                   "%%",
                                   "\"a\"",
                                   "a,b",
                                   "fetch",
                                   "serve",
                                   "=x",
                                   "++",
                                   "/x:y"}) {
        EXPECT_EQ(parse({"-d", data, url}).data, data);
        EXPECT_EQ(parse({"--data=" + data, url}).data, data);
    }
}

TEST(FetchOptions, DataComesFromAFile) {
    const test::temporary_directory directory;
    const auto file = directory.write("body", std::string("a\r\n\0b\n", 6));
    EXPECT_EQ(parse({"-d", "@" + file, url}).data, std::string("a\r\n\0b\n", 6));
    EXPECT_EQ(parse({"-d", "x", "-d", "@" + file, url}).data, std::string("x&a\r\n\0b\n", 8));
}

TEST(FetchOptions, ALargeFileAloneIsNotReadAtOnce) {
    const test::temporary_directory directory;
    constexpr std::size_t limit = 1024UL * 1024;
    const auto large = directory.write("large", std::string(limit + 1, 'x'));
    const auto small = directory.write("small", std::string(limit, 'x'));
    auto options = parse({"-d", "@" + large, url});
    EXPECT_EQ(options.data, std::nullopt);
    EXPECT_EQ(options.data_file, large);
    EXPECT_EQ(options.method, "POST");
    options = parse({"-d", "@" + small, url});
    EXPECT_EQ(options.data->size(), limit);
    EXPECT_EQ(options.data_file, "");
    for (const auto& words : {std::vector<std::string>{"-d", "@" + large, "-d", "a", url},
                              std::vector<std::string>{"-d", "a", "-d", "@" + large, url}}) {
        options = parse(words);
        EXPECT_EQ(options.data->size(), limit + 3);
        EXPECT_EQ(options.data_file, "");
    }
    EXPECT_THAT(error_of({"-I", "-d", "@" + large, url}), HasSubstr("--head sends no --data"));
}

TEST(FetchOptions, DataIsAFormUnlessToldOtherwise) {
    EXPECT_THAT(parse({url}).headers, IsEmpty());
    EXPECT_THAT(parse({"-d", "a", url}).headers,
                ElementsAre(Pair("Content-Type", "application/x-www-form-urlencoded")));
    EXPECT_THAT(parse({"-d", "a", "-H", "content-type: text/plain", url}).headers,
                ElementsAre(Pair("content-type", "text/plain")));
    EXPECT_THAT(parse({"-d", "a", "-H", "Content-Type:", url}).headers, IsEmpty());
}

TEST(FetchOptions, Headers) {
    EXPECT_THAT(
        parse({"-H", "A: b", "-HC:d", "--header=E;", "-H", "A: [x, y]", "-H", "T: 1:2;3", url})
            .headers,
        ElementsAre(Pair("A", "b"),
                    Pair("C", "d"),
                    Pair("E", ""),
                    Pair("A", "[x, y]"),
                    Pair("T", "1:2;3")));
}

TEST(FetchOptions, IdempotencyKeyIsMadeUpUnlessAWordFollows) {
    EXPECT_EQ(parse({url}).key, key_choice::none);
    EXPECT_EQ(parse({"--idempotency-key", url}).key, key_choice::made_up);
    EXPECT_EQ(parse({url, "--idempotency-key"}).key, key_choice::made_up);
    EXPECT_EQ(parse({"--idempotency-key", "-s", url}).key, key_choice::made_up);
    for (const auto& options :
         {parse({"--idempotency-key", "k1", url}), parse({"--idempotency-key=k1", url})}) {
        EXPECT_EQ(options.key, key_choice::given);
        EXPECT_EQ(options.idempotency_key, "k1");
        EXPECT_THAT(options.urls, ElementsAre(url));
    }
}

// Words.

TEST(FetchOptions, FlagsMayStandTogether) {
    const auto options = parse({"-sZLi", url, url});
    EXPECT_TRUE(options.silent && options.parallel && options.follow && options.include_head);
    EXPECT_THAT(options.urls, ElementsAre(url, url));
    const auto ending_in_a_value = parse({"-svo", "file", url});
    EXPECT_TRUE(ending_in_a_value.silent && ending_in_a_value.verbose);
    EXPECT_THAT(ending_in_a_value.output_files, ElementsAre("file"));
}

TEST(FetchOptions, OptionsMayFollowUrls) {
    const auto options = parse({url, "-o", "a", "http://h/2", "-s"});
    EXPECT_THAT(options.urls, ElementsAre(url, "http://h/2"));
    EXPECT_TRUE(options.silent);
}

TEST(FetchOptions, AllBehindADoubleDashIsAUrl) {
    EXPECT_THAT(parse({"-s", "--", url, url}).urls, ElementsAre(url, url));
    EXPECT_THAT(error_of({"--", url, "-Z"}), HasSubstr("'-Z' is no URL"));
}

// The retries.

TEST(FetchOptions, Limits) {
    const auto options = parse({"--max-attempts",
                                "7",
                                "--attempt-timeout",
                                "250ms",
                                "--max-time=2m",
                                "--max-retry-after",
                                "0",
                                "--connect-timeout",
                                "1.5",
                                "--retry-status",
                                "500, 502-504,429",
                                url});
    EXPECT_EQ(options.max_attempts, 7U);
    EXPECT_EQ(options.attempt_timeout, 250ms);
    EXPECT_EQ(options.total_timeout, 2min);
    EXPECT_EQ(options.max_retry_after, 0s);
    EXPECT_EQ(options.connect_timeout, 1500ms);
    EXPECT_THAT(options.retry_status, ElementsAre(500, 502, 503, 504, 429));
}

TEST(FetchOptions, Backoffs) {
    const auto schedule = [](const std::string& spec) {
        return *parse({"--backoff", spec, url}).schedule;
    };
    EXPECT_EQ(schedule("constant:50ms"), backoff::constant(50ms));
    EXPECT_EQ(schedule("linear:1s"), backoff::linear(1s));
    EXPECT_EQ(schedule("linear:1s..3s"), backoff::linear(1s, 3s));
    EXPECT_EQ(schedule("exponential:10ms"), backoff::exponential(10ms));
    EXPECT_EQ(schedule("exponential:10ms..1m"), backoff::exponential(10ms, 1min));
    EXPECT_EQ(schedule("exponential:30s"), backoff::exponential(30s, 30s));
    EXPECT_EQ(schedule("decorrelated:10ms..1s"), backoff::decorrelated(10ms, 1s));
    EXPECT_THROW(schedule("exponential:100ms...5s"), CLI::ParseError);
}

TEST(FetchOptions, JitterAloneKeepsTheDefaultBackoff) {
    EXPECT_EQ(parse({url}).schedule, std::nullopt);
    EXPECT_EQ(parse({"--jitter", "equal", url}).schedule, std::nullopt);
    EXPECT_EQ(parse({"--jitter", "equal", url}).spread, jitter::equal);
    EXPECT_EQ(*parse({"--jitter=none", "--backoff", "linear:1s", url}).schedule,
              backoff::linear(1s).jitter(jitter::none));
}

TEST(FetchOptions, ResolveRules) {
    const auto rules = parse({"--resolve",
                              "A.Example:443:127.0.0.1",
                              "--resolve",
                              "b:1:[::1],10.0.0.1",
                              "--resolve",
                              "c:2:::1",
                              url})
                           .resolve;
    ASSERT_EQ(rules.size(), 3U);
    EXPECT_EQ(rules[0].host, "a.example");  // as URLs have it
    EXPECT_EQ(rules[0].port, 443);
    EXPECT_THAT(rules[0].addresses, ElementsAre("127.0.0.1"));
    EXPECT_THAT(rules[1].addresses, ElementsAre("::1", "10.0.0.1"));
    EXPECT_THAT(rules[2].addresses, ElementsAre("::1"));
}

TEST(FetchOptions, Proxies) {
    EXPECT_EQ(parse({url}).proxy, std::nullopt);
    EXPECT_EQ(parse({"-x", "", url}).proxy, "");
    EXPECT_EQ(parse({"-xproxy:3128", url}).proxy, "proxy:3128");
    EXPECT_EQ(parse({"--proxy", "http://u:p@proxy", url}).proxy, "http://u:p@proxy");
    EXPECT_EQ(parse({"--noproxy", "*", url}).no_proxy, "*");
    EXPECT_EQ(parse({"--unix-socket", "/run/s", url}).unix_socket, "/run/s");
}

TEST(FetchOptions, ARefusedProxyIsNotRepeatedInTheMessage) {
    const auto text = error_of({"-x", "socks5://user:secret@proxy", url});
    EXPECT_THAT(text, HasSubstr("--proxy: the URL of the proxy has a scheme other than http"));
    EXPECT_THAT(text, ::testing::Not(HasSubstr("secret")));
}

// What is refused, and in which words.

struct refusal {
    const char* name;
    std::vector<std::string> words;
    const char* says;
};

void PrintTo(const refusal& r, std::ostream* out) { *out << r.name; }

class FetchRefusal : public ::testing::TestWithParam<refusal> {};

TEST_P(FetchRefusal, SaysWhy) {
    auto words = GetParam().words;
    words.push_back(url);
    EXPECT_THAT(error_of(words), HasSubstr(GetParam().says));
}

INSTANTIATE_TEST_SUITE_P(
    Options,
    FetchRefusal,
    ::testing::Values(
        refusal{"unknown_long", {"--max-attempt", "3"}, "did you mean --max-attempts?"},
        refusal{"misspelt", {"--paralel"}, "did you mean --parallel?"},
        refusal{"unknown_short", {"-q"}, "there is no option -q"},
        refusal{"flag_with_value", {"--silent=yes"}, "--silent takes no value"},
        refusal{"empty_flag_value", {"--silent="}, "--silent takes no value"}),
    [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Values,
    FetchRefusal,
    ::testing::Values(
        refusal{"proxy_scheme", {"-x", "https://p"}, "--proxy: the URL of the proxy is https"},
        refusal{"proxy_port", {"-x", "p:0"}, "--proxy: the URL of the proxy is malformed"},
        refusal{"socket_path", {"--unix-socket", ""}, "--unix-socket: unix_socket: ''"},
        refusal{
            "attempts_zero", {"--max-attempts", "0"}, "--max-attempts: '0' is not a whole number"},
        refusal{"attempts_text", {"--max-attempts", "3x"}, "'3x'"},
        refusal{"attempts_negative", {"--max-attempts=-1"}, "'-1'"},
        refusal{"attempts_huge", {"--max-attempts", "99999999999"}, "whole number"},
        refusal{"hedge_zero", {"--hedge", "0"}, "--hedge: '0' must be above 0"},
        refusal{"hedge_text", {"--hedge=p95"}, "--hedge: 'p95'"},
        refusal{"policy_empty", {"--policy="}, "--policy: must not be empty"},
        refusal{"time_zero", {"--max-time", "0"}, "--max-time: '0' must be above 0"},
        refusal{"time_text", {"--max-time", "soon"}, "--max-time: 'soon'"},
        refusal{"time_empty", {"--max-time="}, "--max-time: ''"},
        refusal{"attempt_timeout", {"--attempt-timeout", "-1s"}, "negative"},
        refusal{"connect_timeout", {"--connect-timeout", "5 s"}, "--connect-timeout"},
        refusal{"backoff_kind", {"--backoff", "quadratic:1s"}, "constant:D"},
        refusal{"backoff_bare", {"--backoff", "1s"}, "constant:D"},
        refusal{"backoff_cap", {"--backoff", "linear:2s..1s"}, "a cap below its base"},
        refusal{"backoff_constant_cap", {"--backoff", "constant:1s..2s"}, "constant:D"},
        refusal{"backoff_no_cap", {"--backoff", "decorrelated:1s"}, "decorrelated:BASE..CAP"},
        refusal{"backoff_duration", {"--backoff", "linear:x"}, "--backoff: 'x'"},
        refusal{"jitter", {"--jitter", "some"}, "none, full or equal"},
        refusal{"jitter_decorrelated",
                {"--backoff", "decorrelated:1s..2s", "--jitter", "none"},
                "random in themselves"},
        refusal{"status_low", {"--retry-status", "302"}, "--retry-status: '302'"},
        refusal{"status_text", {"--retry-status", "5xx"}, "'5xx'"},
        refusal{"status_empty", {"--retry-status", "500,"}, "''"},
        refusal{"status_backwards", {"--retry-status", "504-500"}, "ends before it begins"},
        refusal{"resolve_form", {"--resolve", "host:443"}, "HOST:PORT:ADDR"},
        refusal{"resolve_port", {"--resolve", "host:0:127.0.0.1"}, "'0'"},
        refusal{
            "resolve_name", {"--resolve", "host:1:localhost"}, "'localhost' is not an IP address"},
        refusal{"resolve_star", {"--resolve", "*:1:127.0.0.1"}, "one host"},
        refusal{"parallel_max", {"-Z", "--parallel-max", "0"}, "--parallel-max: '0'"},
        refusal{"method", {"-X", "GE T"}, "not a method"},
        refusal{"method_empty", {"-X", ""}, "not a method"},
        refusal{"method_connect", {"-X", "CONNECT"}, "not a method"},
        refusal{"header_form", {"-H", "NoColon"}, "--header: a header is 'Name: value'"},
        refusal{"header_name", {"-H", "Na me: v"}, "a header's name"},
        refusal{"header_split", {"-H", "A: b\r\nC: d"}, "line break"},
        refusal{"header_removed", {"-H", "User-Agent:"}, "'User-Agent;'"},
        refusal{"header_length", {"-H", "Content-Length: 3"}, "cannot be set"},
        refusal{"header_encoding", {"-H", "transfer-encoding: chunked"}, "cannot be set"},
        refusal{"data_file", {"-d", "@/nonexistent/x"}, "'/nonexistent/x' cannot be read: No such"},
        refusal{"cacert",
                {"--cacert", "/nonexistent/ca"},
                "--cacert: '/nonexistent/ca' cannot be read"}),
    [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Together,
    FetchRefusal,
    ::testing::Values(
        refusal{"head_with_data", {"-I", "-d", "x"}, "--head sends no --data"},
        refusal{"more_files", {"-o", "a", "-o", "b"}, "2 --output for 1 URL"},
        refusal{"same_file", {"-o", "a", "-o", "a", url}, "named twice"},
        refusal{"same_file_spelt_apart", {"-o", "a", "-o", "./a", url}, "'./a' is named twice"},
        refusal{"report_is_output", {"--report", "a", "-o", "./a"}, "'a' is an --output too"},
        refusal{"directory", {"-o", "/"}, "is a directory"},
        refusal{"no_directory", {"-o", "/nonexistent/a"}, "cannot be written: No such"},
        refusal{"file_of_a_part", {"-o", "a.part", "-o", "a", url}, "'a' stands until it is whole"},
        refusal{"resume_offset", {"-C", "100", "-o", "a"}, "--continue-at: '100' is not '-'"},
        refusal{"resume_no_file", {"-C", "-"}, "goes with an --output FILE"},
        refusal{"resume_one_file", {"-C", "-", "-o", "a", url}, "goes with an --output FILE"},
        refusal{"resume_dash", {"-C", "-", "-o", "-"}, "goes with an --output FILE"},
        refusal{"resume_device", {"-C", "-", "-o", "/dev/null"}, "is no regular file"},
        refusal{"resume_head", {"-C-", "-I", "-o", "a"}, "--continue-at and --head exclude"},
        refusal{"resume_include", {"-C-", "-i", "-o", "a"}, "and --include exclude"},
        refusal{"resume_compressed", {"-C-", "--compressed", "-o", "a"}, "--compressed exclude"},
        refusal{"resume_hedge", {"-C-", "--hedge", "1", "-o", "a"}, "and --hedge exclude"},
        refusal{"resume_range", {"-C-", "-H", "range: bytes=1-", "-o", "a"}, "Range of your own"},
        refusal{"report_and_body", {"--report", "-"}, "takes standard output"},
        refusal{"report_and_dash", {"--report", "-", "-o", "-"}, "takes standard output"},
        refusal{"key_alone", {"--key", "/dev/null"}, "--key goes with --cert"},
        refusal{"redirs_alone", {"--max-redirs", "3"}, "goes with --location"},
        refusal{"key_empty", {"--idempotency-key="}, "KEY is empty"},
        refusal{
            "key_twice", {"--idempotency-key", "-H", "idempotency-key: x"}, "exclude each other"}),
    [](const auto& each) { return each.param.name; });

TEST(FetchOptions, NoUrlIsRefused) { EXPECT_THAT(error_of({"-s"}), HasSubstr("no URL")); }

TEST(FetchOptions, AMissingValueIsRefused) {
    EXPECT_THAT(error_of({url, "--max-time"}), HasSubstr("--max-time"));
    EXPECT_THAT(error_of({url, "-o"}), HasSubstr("-o"));
}

TEST(FetchOptions, ARefusedHeaderIsNotRepeatedInTheMessage) {
    EXPECT_THAT(error_of({"-H", "Authorization Basic c2VjcmV0", url}), Not(HasSubstr("c2VjcmV0")));
    EXPECT_THAT(error_of({"-H", "Authorization: Basic c2VjcmV0\n", url}),
                Not(HasSubstr("c2VjcmV0")));
}

TEST(FetchOptions, EveryOptionHasAHelpText) {
    CLI::App app;
    auto* command = app.add_subcommand("fetch");
    const fetch_flags flags(*command);
    for (const auto* option : command->get_options()) {
        EXPECT_FALSE(option->get_description().empty()) << option->get_name();
    }
}

}  // namespace
}  // namespace asio_retry::tool
