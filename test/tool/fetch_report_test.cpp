// The line of JSON that tells of a call, and the words that tell of its failure.
#include <asio_retry/http/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/json.hpp>
#include <boost/system/errc.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tool/credentials.hpp>
#include <tool/fetch_failure.hpp>
#include <tool/fetch_report.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace asio_retry::tool {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

attempt_record failed_attempt() {
    attempt_record a;
    a.number = 1;
    a.status = 503;
    a.kind = failure_kind::server;
    a.sent = send_state::full;
    a.remote = "127.0.0.1:8080";
    a.elapsed = 1100us;
    a.delay = 150ms;
    a.source = delay_source::backoff;
    return a;
}

attempt_record good_attempt() {
    attempt_record a;
    a.number = 2;
    a.status = 200;
    a.sent = send_state::full;
    a.reused = true;
    a.remote = "127.0.0.1:8080";
    a.started = 151400us;
    a.elapsed = 912345ns;
    return a;
}

call_outcome outcome_of(reason why, std::vector<attempt_record> attempts, error_code error = {}) {
    call_outcome call;
    call.method = "GET";
    call.url = "http://127.0.0.1:8080/a";
    call.error = error;
    const auto count = attempts.empty() ? 0 : attempts.back().number;
    call.report = retry_report(why, error, count, 153200us, std::move(attempts), 0);
    return call;
}

TEST(FetchReport, LineOfASuccess) {
    auto call = outcome_of(reason::success, {failed_attempt(), good_attempt()});
    call.status = 200;
    call.bytes = 12;
    EXPECT_EQ(
        report_line(call),
        R"({"url":"http://127.0.0.1:8080/a","method":"GET","outcome":"success","reason":"success",)"
        R"("status":200,"error":null,"bytes":12,"elapsed_ms":153.2,"attempts":[)"
        R"({"number":1,"status":503,"error":null,"kind":"server","sent":"full","reused":false,)"
        R"("remote":"127.0.0.1:8080","started_ms":0.0,"elapsed_ms":1.1,"delay_ms":150.0,)"
        R"("delay_source":"backoff"},)"
        R"({"number":2,"status":200,"error":null,"kind":null,"sent":"full","reused":true,)"
        R"("remote":"127.0.0.1:8080","started_ms":151.4,"elapsed_ms":0.912,"delay_ms":null,)"
        R"("delay_source":null}]})");
}

TEST(FetchReport, LineOfACallWithoutResponse) {
    attempt_record refused;
    refused.number = 1;
    refused.kind = failure_kind::connect;
    refused.error = boost::asio::error::connection_refused;
    const auto call =
        outcome_of(reason::attempts_exhausted, {refused}, boost::asio::error::connection_refused);
    EXPECT_EQ(
        report_line(call),
        R"({"url":"http://127.0.0.1:8080/a","method":"GET","outcome":"failed",)"
        R"("reason":"attempts_exhausted","status":null,"error":"Connection refused","bytes":0,)"
        R"("elapsed_ms":153.2,"attempts":[{"number":1,"status":null,)"
        R"("error":"Connection refused","kind":"connect","sent":"none","reused":false,)"
        R"("remote":null,"started_ms":0.0,"elapsed_ms":0.0,"delay_ms":null,)"
        R"("delay_source":null}]})");
}

TEST(FetchReport, AResendHasNoDelayButASource) {
    auto stale = failed_attempt();
    stale.delay = 0ns;
    stale.source = delay_source::stale_connection;
    const auto line = report_line(outcome_of(reason::success, {stale}));
    EXPECT_THAT(line, HasSubstr(R"("delay_ms":0.0,"delay_source":"stale_connection")"));
}

TEST(FetchReport, TextIsEscaped) {
    auto call = outcome_of(reason::success, {});
    call.url = "http://h/\"\\\x01";
    const auto parsed = boost::json::parse(report_line(call));
    EXPECT_EQ(parsed.at("url").as_string(), "http://h/\"\\\x01");
    EXPECT_TRUE(parsed.at("attempts").as_array().empty());
}

TEST(FetchReport, IsUtf8WhateverItTellsOf) {
    auto attempt = good_attempt();
    const auto shown = [&](const std::string& text) {
        attempt.remote = text;
        const auto parsed = boost::json::parse(report_line(outcome_of(reason::success, {attempt})));
        return std::string(parsed.at("attempts").at(0).at("remote").as_string());
    };
    const std::string none = "\xEF\xBF\xBD";
    EXPECT_EQ(shown("/tmp/x\xFF.sock"), "/tmp/x" + none + ".sock");
    for (const std::string good :
         {"\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"}) {
        EXPECT_EQ(shown("a" + good + "b"), "a" + good + "b");
        EXPECT_THAT(shown("a" + good.substr(0, good.size() - 1) + "b"), ::testing::EndsWith("b"));
    }
    EXPECT_EQ(shown("\xC3"), none);
    EXPECT_EQ(shown("\xC3\"\\"), none + "\"\\");
    EXPECT_EQ(shown("\xC0\xAF"), none + none);                        // longer than needed
    EXPECT_EQ(shown("\xED\xA0\x80"), none + none + none);             // a surrogate
    EXPECT_EQ(shown("\xF4\x90\x80\x80"), none + none + none + none);  // above U+10FFFF
}

TEST(FetchReport, ABodyThatWasNotWrittenIsAFailure) {
    auto call = outcome_of(reason::success, {good_attempt()});
    call.status = 200;
    call.output_error = make_error_code(boost::system::errc::no_space_on_device);
    EXPECT_THAT(report_line(call),
                HasSubstr(R"("outcome":"failed","reason":"permanent_failure",)"
                          R"("status":200,"error":"No space left on device",)"));
    call.output_error = make_error_code(boost::system::errc::operation_canceled);
    EXPECT_THAT(report_line(call), HasSubstr(R"("outcome":"failed","reason":"cancelled")"));
    call.report = retry_report(reason::attempts_exhausted, {}, 1, 1s, {}, 0);
    EXPECT_THAT(report_line(call), HasSubstr(R"("reason":"attempts_exhausted")"));
}

TEST(FetchReport, OnlyA2xxOr3xxIsASuccess) {
    auto call = outcome_of(reason::permanent_failure, {});
    call.status = 404;
    EXPECT_THAT(report_line(call), HasSubstr(R"("outcome":"failed","reason":"permanent_failure")"));
    call = outcome_of(reason::success, {});
    call.status = 302;
    EXPECT_THAT(report_line(call), HasSubstr(R"("outcome":"success","reason":"success")"));
    call.status = 404;
    EXPECT_THAT(report_line(call), HasSubstr(R"("outcome":"failed")"));
}

// The words.

TEST(FetchFailure, SaysWhatFailedAndWhyNoMoreFollowed) {
    auto last = failed_attempt();
    last.number = 4;
    auto call = outcome_of(reason::attempts_exhausted, {last});
    call.status = 503;
    EXPECT_EQ(failure_text(call),
              "GET http://127.0.0.1:8080/a: 503 after 4 attempts in 153 ms (attempts_exhausted)");
    EXPECT_EQ(failure_hint(call, {}), "--max-attempts N allows more than 4");
}

TEST(FetchFailure, SaysTheErrorWhereThereIsNoResponse) {
    auto cut = good_attempt();
    cut.number = 1;
    const error_code error = http::error::incomplete_response;
    const auto call = outcome_of(reason::not_idempotent, {cut}, error);
    EXPECT_EQ(failure_text(call),
              "GET http://127.0.0.1:8080/a: the connection ended before the response was whole "
              "after 1 attempt in 153 ms (not_idempotent)");
    EXPECT_THAT(failure_hint(call, {}), HasSubstr("--idempotency-key"));
}

TEST(FetchFailure, HintsNameTheOptionThatWouldHelp) {
    auto call = outcome_of(reason::success, {});
    call.status = 301;
    call.location = "http://user:secret@h/next";
    EXPECT_EQ(failure_hint(call, {}), "it redirects to http://h/next; -L follows");

    call = outcome_of(reason::retry_after_too_long, {});
    call.status = 503;
    call.retry_after = "120";
    EXPECT_THAT(failure_hint(call, {}), HasSubstr("Retry-After: 120"));
    EXPECT_THAT(failure_hint(call, {}), HasSubstr("--max-retry-after is 30s, --max-time 30s"));

    call.retry_after = "";  // it came in another field, or in a response that was cut
    call.report = retry_report(reason::retry_after_too_long, {}, 1, 1s, {}, 0, 90s);
    EXPECT_THAT(failure_hint(call, {}), HasSubstr("a longer wait (90.0 s): --max-retry-after"));

    call = outcome_of(reason::permanent_failure, {}, boost::beast::http::error::bad_version);
    EXPECT_EQ(failure_hint(call, {}), "what answered does not speak HTTP/1.1");
    call = outcome_of(reason::permanent_failure, {}, boost::beast::http::error::bad_chunk);
    EXPECT_EQ(failure_hint(call, {}), "the server's response is malformed");

    call = outcome_of(reason::permanent_failure,
                      {},
                      error_code(18, http::certificate_category()));  // self-signed
    EXPECT_THAT(failure_hint(call, {}), HasSubstr("--cacert"));

    fetch_options two_seconds;
    two_seconds.total_timeout = 2s;
    call = outcome_of(reason::deadline_exceeded, {}, asio_retry::error::attempt_timeout);
    EXPECT_EQ(failure_hint(call, two_seconds), "--max-time D allows more than 2s");

    call = outcome_of(reason::attempts_exhausted, {failed_attempt()});
    call.policy = http::fetch_policy().retry(
        retry_policy().max_attempts(2).on(failure_kind::server, kind_limits().max_attempts(5)));
    EXPECT_EQ(failure_hint(call, {}), "--max-attempts N allows more than 5");
}

TEST(Credentials, AreTakenOutOfUrls) {
    EXPECT_EQ(without_credentials("http://u:p@h/a"), "http://h/a");
    EXPECT_EQ(without_credentials("http://u:p@q@h:1?x@y"), "http://h:1?x@y");
    EXPECT_EQ(without_credentials("http://h/a@b"), "http://h/a@b");
    EXPECT_EQ(without_credentials("http://h?a@b"), "http://h?a@b");
    EXPECT_EQ(without_credentials("u:p@h"), "h");
    EXPECT_EQ(without_credentials("h/a"), "h/a");
    EXPECT_EQ(without_credentials(""), "");
}

TEST(Credentials, AreNotShownOfWhatIsNoUrl) {
    EXPECT_EQ(shown_as_no_url("http://u:p@h:99999/a"), "http://h:99999/a");
    EXPECT_EQ(shown_as_no_url("http:/u:p@h/"), "***@h/");
    EXPECT_EQ(shown_as_no_url("http://u:p/w@h/"), "***@h/");
    EXPECT_EQ(shown_as_no_url("//u:p?x@y@h/"), "***@h/");
    EXPECT_EQ(shown_as_no_url("http//h/"), "http//h/");
}

TEST(Credentials, AreTakenOutOfAUrlInAUrl) {
    EXPECT_EQ(without_credentials("http://h/?q=http://a:sekret@b/"), "http://h/?q=***@b/");
    EXPECT_EQ(without_credentials("http://u:p@h/?q=http%3A%2F%2Fa:sekret%40b/"),
              "http://h/?q=***%40b/");
    EXPECT_EQ(without_credentials("http://h//u:p@b"), "http://h/***@b");
    EXPECT_EQ(without_credentials("http://h/?t=12:30&to=a@b"), "http://h/?t=12:30&to=a@b");
}

TEST(Credentials, AreNotShownOfALocation) {
    for (const std::string value : {"http://usr:sekret@h/",
                                    "http://usr:sek;ret@h/",
                                    "http://usr:sek,ret@h/",
                                    "http://usr:sek\"ret@h/",
                                    "http://usr:sek ret@h/",
                                    "http://usr:sek/ret@h/",
                                    "http://usr:sek?ret@h/",
                                    "http://usr:sek#ret@h/",
                                    "http://usr:sek//ret@h/",
                                    "http:/usr:sekret@h/",
                                    "https:usr:sekret@h/",
                                    "//usr:sekret@h/",
                                    "///usr:sekret@h/",
                                    "http:///usr:sekret@h/",
                                    "\\\\usr:sekret@h/",
                                    "/\\usr:sekret@h/",
                                    "http:\\\\usr:sekret@h/",
                                    "/?u=http://usr:sekret@h/",
                                    "?u=http%3A%2F%2Fusr:sekret@h/",
                                    "?u=http%3a%2f%2fusr%3asekret%40h/",
                                    "?u=http%253A%252F%252Fusr%253Asekret%2540h/",
                                    "http://usr:sekret@g/?u=http://usr:ret@h/"}) {
        const auto shown = shown_field_value("location", value);
        EXPECT_EQ(shown.find("usr"), std::string::npos) << value;
        EXPECT_EQ(shown.find("sek"), std::string::npos) << value;
        EXPECT_EQ(shown.find("ret"), std::string::npos) << value;
        EXPECT_THAT(shown, ::testing::EndsWith("h/")) << value;
        const auto free = shown_field_value("X-Next", "see " + value + ", please");
        EXPECT_EQ(free.find("sek"), std::string::npos) << value;
        EXPECT_EQ(free.find("ret"), std::string::npos) << value;
        EXPECT_THAT(free, ::testing::StartsWith("see ")) << value;
    }
    EXPECT_EQ(shown_field_value("Location", "http://u:p@h/a"), "http://h/a");
    EXPECT_EQ(shown_field_value("Location", "/a?b=c:d//e"), "/a?b=c:d//e");
    for (const char* open : {"https://medium.example/@user", "http://h:81/@a/b@c?d=e#f"}) {
        EXPECT_EQ(shown_field_value("Location", open), open);
    }
    for (const char* shut : {"http://u:s3cret/x@h/",
                             "http://h/@a?u=http://u:s3cret@h/",
                             "http://h/u:s3cret@h/",
                             "http://h//s3cret@h/",
                             "http://h/%s3cret@",
                             "http://h?s3cret@"}) {
        EXPECT_THAT(shown_field_value("Location", shut), Not(HasSubstr("s3cret")));
    }
}

TEST(Credentials, AreTakenOutOfTheUrlsInAField) {
    const auto shown = [](std::string_view value) { return shown_field_value("Link", value); };
    EXPECT_EQ(shown("<http://u:p@h/>; rel=a"), "<***@h/>; rel=a");
    EXPECT_EQ(shown("<http://u:p@h/>; rel=a, <https://q@i>"), "<***@i>");
    EXPECT_EQ(shown("next=http://u:p@h"), "next=***@h");
    EXPECT_EQ(shown("u:p@h"), "***@h");
    EXPECT_EQ(shown("a:1 '***@h' b"), "a:1 '***@h' b");
    EXPECT_EQ(shown("a:1***@h"), "***@h");
    EXPECT_EQ(shown(""), "");
}

TEST(Credentials, LeaveAnAddressReadable) {
    for (const std::string value : {"tool/1.0 (me@h.example)", "Me <me@h>, you@h; q: he@h"}) {
        EXPECT_EQ(shown_field_value("User-Agent", value), value);
    }
    const std::string date = "Fri, 27 Nov 2026 07:45:01 GMT";
    EXPECT_EQ(shown_field_value("Date", date), date);
}

}  // namespace
}  // namespace asio_retry::tool
