#include "http/verdicts.hpp"
#include <asio_retry/http/error.hpp>

#include <boost/asio/error.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using namespace asio_retry;
using namespace asio_retry::http::detail;
using http::fetch_policy;
using http::idempotency;
using http::repeat;
using http::request;

const attempt_facts untouched(send_state::none, false, false);
const attempt_facts cut(send_state::partial, false, false);
const attempt_facts sent(send_state::full, false, false);
const attempt_facts answered(send_state::full, false, true);

request with(const char* method) { return {method, "http://h/"}; }

TEST(HttpVerdict, OfAResponseGoesByItsStatus) {
    struct row {
        unsigned status;
        std::optional<failure_kind> kind;
        std::optional<failure_kind> kind_with_retry_after;
    };
    constexpr std::optional<failure_kind> success;
    constexpr auto throttling = failure_kind::throttling;
    constexpr auto server = failure_kind::server;
    constexpr auto lost = failure_kind::connection_lost;
    constexpr auto permanent = failure_kind::permanent;
    const row rows[] = {
        {200, success, success},     {201, success, success},       {204, success, success},
        {206, success, success},     {299, success, success},       {301, success, success},
        {304, success, success},     {399, success, success},       {400, permanent, permanent},
        {401, permanent, permanent}, {403, permanent, permanent},   {404, permanent, permanent},
        {407, permanent, permanent}, {408, throttling, throttling}, {409, permanent, permanent},
        {410, permanent, permanent}, {413, permanent, permanent},   {421, lost, lost},
        {422, permanent, permanent}, {425, throttling, throttling}, {429, throttling, throttling},
        {431, permanent, permanent}, {499, permanent, permanent},   {500, server, server},
        {501, permanent, permanent}, {502, server, server},         {503, server, throttling},
        {504, server, server},       {505, permanent, permanent},   {599, permanent, permanent},
        {600, permanent, permanent}, {999, permanent, permanent},
    };
    for (const auto& r : rows) {
        SCOPED_TRACE(r.status);
        const auto plain = judge_response(with("GET"), {}, r.status, {}, answered);
        EXPECT_EQ(plain.is_failure(), r.kind.has_value());
        if (r.kind) {
            EXPECT_EQ(plain.kind(), *r.kind);
        }
        EXPECT_FALSE(plain.retry_after());
        EXPECT_EQ(plain.veto(), reason::success);
        EXPECT_FALSE(plain.is_stale_connection());

        const auto asked = judge_response(with("GET"), {}, r.status, 7s, answered);
        EXPECT_EQ(asked.is_failure(), r.kind_with_retry_after.has_value());
        if (!r.kind_with_retry_after) continue;
        EXPECT_EQ(asked.kind(), *r.kind_with_retry_after);
        const bool retried = asked.kind() != permanent;
        EXPECT_EQ(asked.retry_after().has_value(), retried);
        if (retried) {
            EXPECT_EQ(asked.retry_after(), 7s);
        }
    }
}

TEST(HttpVerdict, OfAResponseFollowsThePolicysList) {
    const auto policy = fetch_policy().retry_status({503, 404, 409});
    const auto kind = [&](unsigned status) {
        return judge_response(with("GET"), policy, status, {}, answered).kind();
    };
    EXPECT_EQ(kind(404), failure_kind::server);
    EXPECT_EQ(kind(409), failure_kind::server);
    EXPECT_EQ(kind(503), failure_kind::server);
    EXPECT_EQ(kind(429), failure_kind::permanent);
    EXPECT_EQ(kind(500), failure_kind::permanent);
    EXPECT_EQ(kind(421), failure_kind::connection_lost);
    const auto nothing = fetch_policy().retry_status({});
    EXPECT_EQ(judge_response(with("GET"), nothing, 503, 1s, answered).kind(),
              failure_kind::permanent);
    EXPECT_FALSE(judge_response(with("GET"), nothing, 200, {}, answered).is_failure());
}

/// What is said of a repeat after 503, after a lost connection, and after a 429.
std::string repeats(const request& r, const fetch_policy& policy, attempt_facts facts) {
    std::string result;
    for (const auto& v : {judge_response(r, policy, 503, {}, facts),
                          judge_error(r, policy, http::error::no_response, facts),
                          judge_response(r, policy, 429, {}, facts)}) {
        EXPECT_TRUE(v.veto() == reason::success || v.veto() == reason::not_idempotent);
        result += v.veto() == reason::success ? "y" : "n";
    }
    return result;
}

TEST(HttpRepeat, GoesByTheMethod) {
    for (const char* method : {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "QUERY"}) {
        for (const auto& facts : {untouched, cut, sent}) {
            EXPECT_EQ(repeats(with(method), {}, facts), "yyy") << method;
        }
    }
    for (const char* method : {"POST", "PATCH", "get", "PROPFIND", "ANY"}) {
        EXPECT_EQ(repeats(with(method), {}, untouched), "yyy") << method;
        EXPECT_EQ(repeats(with(method), {}, cut), "nny") << method;
        EXPECT_EQ(repeats(with(method), {}, sent), "nny") << method;
    }
}

TEST(HttpRepeat, IsHarmlessWhereTheStatusProvesIt) {
    for (const unsigned status : {408U, 421U, 425U, 429U}) {
        for (const auto said : {repeat::by_method, repeat::forbidden}) {
            const auto v = judge_response(with("POST").repeatable(said), {}, status, 1s, answered);
            EXPECT_EQ(v.veto(), reason::success) << status;
        }
    }
    for (const unsigned status : {500U, 502U, 503U, 504U}) {
        const auto v = judge_response(with("POST"), {}, status, 1s, answered);
        EXPECT_EQ(v.veto(), reason::not_idempotent) << status;
        EXPECT_EQ(v.retry_after(), 1s) << status;
    }
}

TEST(HttpRepeat, IsMadeHarmlessByAnIdempotencyKey) {
    EXPECT_EQ(repeats(with("POST").idempotency_key("k"), {}, sent), "yyy");
    EXPECT_EQ(repeats(with("POST").header("idempotency-key", "k"), {}, sent), "yyy");
    EXPECT_EQ(repeats(with("POST").header("Idempotency-Keys", "k"), {}, sent), "nny");
}

TEST(HttpRepeat, GoesByThePolicyAndTheRequestsOwnWordBeforeIt) {
    for (const auto said : {idempotency::always, idempotency::generate_key}) {
        const auto policy = fetch_policy().idempotency(said);
        EXPECT_EQ(repeats(with("POST"), policy, sent), "yyy");
        EXPECT_EQ(repeats(with("POST").repeatable(repeat::forbidden), policy, sent), "nny");
    }
    EXPECT_EQ(repeats(with("POST").repeatable(repeat::allowed), {}, sent), "yyy");
    EXPECT_EQ(repeats(with("GET").repeatable(repeat::forbidden), {}, sent), "nny");
    EXPECT_EQ(repeats(with("GET").repeatable(repeat::forbidden), {}, untouched), "yyy");
    EXPECT_EQ(repeats(with("POST").idempotency_key("k").repeatable(repeat::forbidden), {}, sent),
              "nny");
}

TEST(HttpVerdict, OfAnErrorIsThePolicysOwn) {
    namespace net_error = boost::asio::error;
    struct row {
        error_code ec;
        failure_kind kind;
    };
    const row rows[] = {
        {net_error::connection_refused, failure_kind::connect},
        {net_error::host_not_found_try_again, failure_kind::connect},
        {net_error::host_not_found, failure_kind::permanent},
        {net_error::connection_reset, failure_kind::connection_lost},
        {net_error::broken_pipe, failure_kind::connection_lost},
        {net_error::timed_out, failure_kind::timeout},
        {error::attempt_timeout, failure_kind::timeout},
        {net_error::operation_aborted, failure_kind::cancelled},
        {http::error::connect_timeout, failure_kind::timeout},
        {http::error::no_response, failure_kind::connection_lost},
        {http::error::incomplete_response, failure_kind::connection_lost},
        {http::error::malformed_response, failure_kind::permanent},
        {http::error::header_too_large, failure_kind::permanent},
        {http::error::body_too_large, failure_kind::permanent},
        {http::error::too_many_informational, failure_kind::permanent},
        {http::error::unexpected_upgrade, failure_kind::permanent},
        {http::error::tls_options, failure_kind::permanent},
        {http::error::invalid_url, failure_kind::permanent},
        {http::error::insecure_redirect, failure_kind::permanent},
        {http::error::unsupported_encoding, failure_kind::permanent},
        {http::error::malformed_encoding, failure_kind::permanent},
        {http::error::incomplete_encoding, failure_kind::permanent},
        {http::error::excessive_expansion, failure_kind::permanent},
        {http::error::target_busy, failure_kind::permanent},
        {http::error::digest_mismatch, failure_kind::permanent},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(judge_error(with("GET"), {}, r.ec, sent).kind(), r.kind) << r.ec.message();
    }
    EXPECT_FALSE(judge_error(with("POST"), {}, {}, sent).is_failure());

    const auto policy = fetch_policy().retry(
        retry_policy().classifier([](const error_code& ec) -> std::optional<verdict> {
            if (ec == net_error::host_not_found) return failure_kind::connect;
            if (ec == net_error::timed_out) {
                return verdict(failure_kind::timeout).forbid_retry(reason::circuit_open);
            }
            return std::nullopt;
        }));
    EXPECT_EQ(judge_error(with("GET"), policy, net_error::host_not_found, untouched).kind(),
              failure_kind::connect);
    EXPECT_EQ(judge_error(with("POST"), policy, net_error::timed_out, sent).veto(),
              reason::circuit_open);
}

TEST(HttpVerdict, OfACutResponseGoesByItsHeadTooIfThatIsWorthARetry) {
    const error_code lost = http::error::incomplete_response;
    const error_code large = http::error::body_too_large;
    const auto judged = [](const char* method, const error_code& ec, cut_response head) {
        return judge_error(with(method), {}, ec, answered, head);
    };
    struct row {
        unsigned status;
        failure_kind kind_if_lost, kind_if_too_large;
        bool waits, post_may_be_repeated;
    };
    using enum failure_kind;
    const row rows[] = {
        {0, connection_lost, permanent, false, false},
        {200, connection_lost, permanent, false, false},
        {404, connection_lost, permanent, false, false},
        {408, connection_lost, throttling, true, true},
        {421, connection_lost, connection_lost, true, true},
        {425, connection_lost, throttling, true, true},
        {429, connection_lost, throttling, true, true},
        {500, connection_lost, server, true, false},
        {503, connection_lost, throttling, true, false},
    };
    for (const auto& r : rows) {
        SCOPED_TRACE(r.status);
        const cut_response head(r.status, 7s);
        EXPECT_EQ(judged("GET", lost, head).kind(), r.kind_if_lost);
        EXPECT_EQ(judged("GET", lost, head).retry_after().has_value(), r.waits);
        EXPECT_EQ(judged("GET", large, head).kind(), r.kind_if_too_large);
        EXPECT_EQ(judged("GET", large, head).retry_after().has_value(), r.waits);
        EXPECT_EQ(judged("GET", lost, head).veto(), reason::success);
        EXPECT_EQ(judged("POST", lost, head).veto(),
                  r.post_may_be_repeated ? reason::success : reason::not_idempotent);
    }
    EXPECT_EQ(judged("GET", http::error::malformed_response, {503, 7s}).kind(), permanent);
}

TEST(HttpStaleConnection, IsOneThatWasReusedAndNeverAnswered) {
    struct row {
        const char* name;
        request r;
        error_code ec;
        attempt_facts facts;
        bool stale;
    };
    const error_code lost = http::error::no_response;
    const error_code reset = boost::asio::error::connection_reset;
    const error_code timeout = error::attempt_timeout;
    const error_code malformed = http::error::malformed_response;
    using enum send_state;
    const std::vector<row> rows = {
        {"reused, request sent", with("GET"), lost, {full, true, false}, true},
        {"reused, request cut", with("PUT"), reset, {partial, true, false}, true},
        {"reused, nothing sent", with("GET"), reset, {none, true, false}, true},
        {"second one", with("GET"), lost, {full, true, false, false, true}, false},
        {"fresh", with("GET"), lost, {full, false, false}, false},
        {"answer begun", with("GET"), lost, {full, true, true}, false},
        {"timed out", with("GET"), timeout, {full, true, false}, false},
        {"malformed", with("GET"), malformed, {full, true, false}, false},
        {"POST, nothing sent", with("POST"), reset, {none, true, false}, true},
        {"POST, cut", with("POST"), reset, {partial, true, false}, false},
        {"POST, sent", with("POST"), lost, {full, true, false}, false},
        {"POST with key", with("POST").idempotency_key("k"), lost, {full, true, false}, true},
        {"POST that may",
         with("POST").repeatable(repeat::allowed),
         lost,
         {full, true, false},
         true},
        {"GET that may not",
         with("GET").repeatable(repeat::forbidden),
         lost,
         {full, true, false},
         false},
    };
    for (const auto& r : rows) {
        const auto v = judge_error(r.r, {}, r.ec, r.facts);
        EXPECT_EQ(v.is_stale_connection(), r.stale) << r.name;
        if (r.stale) {
            EXPECT_EQ(v.veto(), reason::success) << r.name;
        }
    }
}

}  // namespace
