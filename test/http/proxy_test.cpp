// Through proxies that serve, refuse, stall, cut and talk nonsense.
#include "http/support/fetcher.hpp"
#include <asio_retry/testing/manual_clock.hpp>

#include <gmock/gmock.h>

namespace asio_retry::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const certificate_authority& authority() {
    static const certificate_authority made;
    return made;
}

tls_server server_behind() {
    return tls_server(authority().issue(certificate_request().dns("behind.test")));
}

const std::string established = "HTTP/1.1 200 Connection established\r\n\r\n";
const std::string behind = "https://behind.test/a";

/// A proxy with credentials, and lookups only of its own address.
http::client_config through(const scripted_server& proxy) {
    const std::string port = std::to_string(proxy.port());
    return std::move(http::client_config()
                         .policy(at_once())
                         .tls(http::tls_options().ca_pem(authority().certificate_pem()))
                         .proxy(http::proxy("http://user:secret@127.0.0.1:" + port)));
}

/// Nobody is to be looked up.
error_code no_lookup(const std::string& host, http::detail::addresses&) {
    ADD_FAILURE() << host;
    return asio::error::host_not_found;
}

TEST(Proxy, OpensATunnelAndKeepsIt) {
    scripted_server proxy({{expect_request(),
                            send(established),
                            start_tls(server_behind()),
                            expect_request(),
                            send(response(200, "one")),
                            expect_request(),
                            send(response(200, "two")),
                            stall()}});
    fetcher f(through(proxy), no_lookup);
    const auto r = f.fetch(request("POST", behind).header("Proxy-Authorization", "mine").body("x"));
    ASSERT_TRUE(r.ok()) << r.report().summary() << proxy.problems_text();
    EXPECT_EQ(r->body(), "one");
    EXPECT_EQ(r.report().history().at(0).remote, "127.0.0.1:" + std::to_string(proxy.port()));
    EXPECT_EQ(f.get(behind)->body(), "two");
    const auto seen = proxy.requests();
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0].method + " " + seen[0].target, "CONNECT behind.test:443");
    EXPECT_EQ(seen[0].field("Host"), "behind.test:443");
    EXPECT_EQ(seen[0].field("Proxy-Authorization"), "Basic dXNlcjpzZWNyZXQ=");
    EXPECT_EQ(seen[1].target, "/a");
    EXPECT_EQ(seen[1].count("Proxy-Authorization"), 0U);
    EXPECT_EQ(seen[2].count("Proxy-Authorization"), 0U);
    EXPECT_EQ(proxy.connections().at(0).server_name, "behind.test");
}

TEST(Proxy, IsGivenTheWholeUrlOfAPlainRequest) {
    scripted_server proxy({{expect_request(),
                            send(response(503)),
                            expect_request(),
                            send(response(200, "ok")),
                            stall()}});
    fetcher f(through(proxy), no_lookup);
    const auto r = f.get("http://user:word@plain.test:81/a?b#c");
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(attempts(r.report()), "1:503 2:200");
    EXPECT_EQ(proxy.requests().at(0).target, "http://plain.test:81/a?b");
    EXPECT_EQ(proxy.requests().at(0).field("Host"), "plain.test:81");
    EXPECT_EQ(proxy.requests().at(0).field("Proxy-Authorization"), "Basic dXNlcjpzZWNyZXQ=");
    EXPECT_EQ(proxy.connections_accepted(), 1U);
}

TEST(Proxy, IsPassedByForTheListed) {
    scripted_server proxy({});
    scripted_server server({{expect_request(), send(response(200, "ok")), stall()}});
    auto config = through(proxy);
    config.proxy(http::proxy(config.proxies().http.value()).bypass("127.0.0.0/8"));
    fetcher f(config, no_lookup);
    EXPECT_TRUE(f.get(server.url("/a")).ok());
    EXPECT_EQ(server.requests().at(0).target, "/a");
    EXPECT_EQ(server.requests().at(0).count("Proxy-Authorization"), 0U);
    EXPECT_EQ(proxy.connections_accepted(), 0U);
}

TEST(Proxy, MayBeForOneSchemeOnly) {
    scripted_server proxy({{expect_request(), send(response(200, "proxied")), stall()}});
    http::proxies only_http;
    only_http.http.emplace("127.0.0.1:" + std::to_string(proxy.port()));
    fetcher f(http::client_config().policy(only_once()).proxies(only_http),
              [](const std::string&, http::detail::addresses&) -> error_code {
                  return asio::error::host_not_found;
              });
    EXPECT_EQ(f.get("http://a.test/")->body(), "proxied");
    EXPECT_EQ(f.get("https://a.test/").error(), asio::error::host_not_found);
}

TEST(Proxy, ChecksTheCertificateOfTheServerBehind) {
    const tls_server wrong(authority().issue(for_loopback()));
    scripted_server proxy({{expect_request(), send(established), start_tls(wrong), stall()}});
    fetcher f(through(proxy), no_lookup);
    const auto r = f.get(behind);
    EXPECT_EQ(r.error().category(), http::certificate_category());
    EXPECT_EQ(proxy.requests().size(), 1U);
}

TEST(Proxy, FollowsRedirectsFromOneWayToTheOther) {
    scripted_server proxy({{expect_request(),
                            send(response(302, "", "Location: https://behind.test/b\r\n")),
                            stall()},
                           {expect_request(),
                            send(established),
                            start_tls(server_behind()),
                            expect_request(),
                            send(response(200, "there")),
                            stall()}});
    auto policy = at_once();
    policy.max_redirects(3);
    fetcher f(through(proxy), no_lookup);
    const auto r = f.fetch(request("GET", "http://plain.test/"), policy);
    ASSERT_TRUE(r.ok()) << r.report().summary() << proxy.problems_text();
    EXPECT_EQ(r->body(), "there");
    EXPECT_EQ(proxy.requests().at(2).target, "/b");
    EXPECT_EQ(proxy.requests().at(2).count("Proxy-Authorization"), 0U);
}

/// A proxy that opens no tunnel.
class unwilling {
public:
    unwilling(std::string n, connection_script s, error_code e, std::optional<failure_kind> k)
        : name(std::move(n)), script(std::move(s)), error(e), kind(k) {}

    std::string name;
    connection_script script;
    error_code error;
    std::optional<failure_kind> kind;
};

std::ostream& operator<<(std::ostream& out, const unwilling& u) { return out << u.name; }

class UnwillingProxy : public ::testing::TestWithParam<unwilling> {};

TEST_P(UnwillingProxy, IsAFailureOfItsKind) {
    scripted_server proxy({GetParam().script,
                           {expect_request(),
                            send(established),
                            start_tls(server_behind()),
                            expect_request(),
                            send(response(200, "ok")),
                            stall()}});
    fetcher f(through(proxy), no_lookup);
    testing::manual_clock clock(f.context);
    const auto call = f.start(request("POST", behind).body("x"), at_once());
    if (GetParam().kind == failure_kind::timeout) {
        f.run_until([&] { return proxy.requests().size() == 1; });
        clock.advance(at_once().connect_timeout());
    }
    f.run_until(call);
    const auto& r = **call;
    const auto& first = r.report().history().at(0);
    EXPECT_EQ(first.error, GetParam().error) << first.error.message();
    EXPECT_EQ(first.kind, GetParam().kind);
    EXPECT_EQ(first.sent, send_state::none);
    EXPECT_EQ(r.ok(), GetParam().kind != failure_kind::permanent) << r.report().summary();
    EXPECT_EQ(f.state->pool.count().open, f.state->pool.count().idle);
    EXPECT_THAT(r.report().summary(), Not(HasSubstr("secret")));
}

INSTANTIATE_TEST_SUITE_P(
    Proxies,
    UnwillingProxy,
    ::testing::Values(
        unwilling("WantsCredentials",
                  {expect_request(), send(response(407, "who are you?")), close()},
                  http::error::proxy_authentication,
                  failure_kind::permanent),
        unwilling("Forbids",
                  {expect_request(), send(response(403)), stall()},
                  http::error::proxy_refused,
                  failure_kind::permanent),
        unwilling("CannotReachTheServer",
                  {expect_request(), send(response(502, "sorry")), close()},
                  http::error::proxy_unavailable,
                  failure_kind::connect),
        unwilling("ClosesAtOnce",
                  {expect_request(), close()},
                  http::error::proxy_closed,
                  failure_kind::connection_lost),
        unwilling("ClosesInMidResponse",
                  {expect_request(), send("HTTP/1.1 200 Conn"), close()},
                  http::error::proxy_closed,
                  failure_kind::connection_lost),
        unwilling("ClosesBehindTheStatusLine",
                  {expect_request(), send("HTTP/1.1 200 OK\r\n"), close()},
                  http::error::proxy_closed,
                  failure_kind::connection_lost),
        unwilling("Resets",
                  {expect_request(), reset()},
                  asio::error::connection_reset,
                  failure_kind::connection_lost),
        unwilling("IsSilent",
                  {expect_request(), stall()},
                  http::error::connect_timeout,
                  failure_kind::timeout),
        unwilling("DripsForEver",
                  {expect_request(),
                   send_slowly("HTTP/1.1 200 OK\r\nX: " + std::string(1000, 'x'), 10ms)},
                  http::error::connect_timeout,
                  failure_kind::timeout),
        unwilling("TalksNonsense",
                  {expect_request(), send("220 smtp.example ESMTP\r\n"), stall()},
                  http::error::malformed_proxy_response,
                  failure_kind::permanent),
        unwilling("TalksTooMuch",
                  {expect_request(), send("HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x'))},
                  http::error::malformed_proxy_response,
                  failure_kind::permanent),
        unwilling("SpeaksForTheServer",
                  {expect_request(), send(established + "HTTP/1.1 200 OK\r\n\r\n"), stall()},
                  http::error::malformed_proxy_response,
                  failure_kind::permanent)),
    [](const auto& each) { return each.param.name; });

TEST(Proxy, IsNotAskedAgainEarlierThanItAsks) {
    scripted_server proxy(
        {{expect_request(), send(response(503, "", "Retry-After: 3600\r\n")), close()}});
    fetcher f(through(proxy), no_lookup);
    const auto r = f.get(behind);
    EXPECT_EQ(r.reason(), reason::retry_after_too_long);
    EXPECT_EQ(r.error(), http::error::proxy_unavailable);
    EXPECT_EQ(r.report().retry_after(), 3600s);
    EXPECT_EQ(proxy.requests().size(), 1U);
}

TEST(Proxy, MayBeLeftWhileItMakesUpItsMind) {
    scripted_server proxy({{expect_request(), stall()}}, scripted_server_options().repeat_last());
    fetcher f(through(proxy), no_lookup);
    std::size_t round = 0;
    for (const auto type : {asio::cancellation_type::terminal,
                            asio::cancellation_type::partial,
                            asio::cancellation_type::total}) {
        const auto call = f.start(request("GET", behind));
        ++round;
        f.run_until([&] { return proxy.requests().size() == round; });
        call->signal.emit(type);
        f.run_until(call);
        EXPECT_EQ((*call)->reason(), reason::cancelled);
        EXPECT_EQ((*call)->error(), asio::error::operation_aborted);
        EXPECT_EQ(f.state->pool.count().open, 0U);
    }
    f.run_out();
}

TEST(Proxy, IsUnderTheDeadlineOfTheCall) {
    scripted_server proxy({{expect_request(), stall()}}, scripted_server_options().repeat_last());
    fetcher f(through(proxy), no_lookup);
    testing::manual_clock clock(f.context);
    const auto call = f.start(request("GET", behind), at_once(no_wait().total_timeout(100ms)));
    f.run_until([&] { return proxy.requests().size() == 1; });
    clock.advance(100ms);
    f.run_until(call);
    EXPECT_EQ((*call)->error(), error::attempt_timeout);
    EXPECT_EQ((*call)->reason(), reason::deadline_exceeded);
}

}  // namespace
}  // namespace asio_retry::test
