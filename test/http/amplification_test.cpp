// What keeps repeats from adding to a server's trouble: their number, and the server's veto.
#include "http/support/fetcher.hpp"

#include <stdexcept>

namespace asio_retry::test {
namespace {

http::fetch_policy numbered(const std::string& name = "X-Retry-Attempt") {
    return std::move(at_once().attempt_header(name));
}

TEST(AttemptHeader, IsThereFromTheSecondAttemptOn) {
    scripted_server server({{expect_request(),
                             send(response(503)),
                             expect_request(),
                             send(response(503)),
                             expect_request(),
                             send(response(200)),
                             stall()}});
    fetcher f;
    const auto r = f.fetch(request("PUT", server.url()).body("body"), numbered());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    const auto seen = server.requests();
    EXPECT_EQ(seen.at(0).count("X-Retry-Attempt"), 0U);
    EXPECT_EQ(seen.at(1).field("X-Retry-Attempt"), "2");
    EXPECT_EQ(seen.at(2).field("X-Retry-Attempt"), "3");
    EXPECT_EQ(seen.at(2).count("X-Retry-Attempt"), 1U);
    EXPECT_EQ(seen.at(2).body, "body");
}

TEST(AttemptHeader, IsOffByDefault) {
    scripted_server server(
        {{expect_request(), send(response(503)), expect_request(), send(response(200)), stall()}});
    fetcher f;
    ASSERT_TRUE(f.get(server.url()).ok());
    EXPECT_EQ(server.requests().at(0).head, server.requests().at(1).head);
}

TEST(AttemptHeader, LeavesTheCallersOwnField) {
    scripted_server server(
        {{expect_request(), send(response(503)), expect_request(), send(response(200)), stall()}});
    fetcher f;
    const auto r =
        f.fetch(request("GET", server.url()).header("x-try", "outer"), numbered("X-Try"));
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(server.requests().at(1).field("X-Try"), "outer");
    EXPECT_EQ(server.requests().at(1).count("X-Try"), 1U);
}

TEST(AttemptHeader, BeginsAnewAfterARedirect) {
    scripted_server server({{expect_request(),
                             send(response(503)),
                             expect_request(),
                             send(response(302, "", "Location: /b\r\n")),
                             expect_request(),
                             send(response(503)),
                             expect_request(),
                             send(response(200)),
                             stall()}});
    fetcher f;
    ASSERT_TRUE(f.fetch(request("GET", server.url()), numbered().max_redirects(1)).ok());
    const auto seen = server.requests();
    EXPECT_EQ(seen.at(1).field("X-Retry-Attempt"), "2");
    EXPECT_EQ(seen.at(2).count("X-Retry-Attempt"), 0U);
    EXPECT_EQ(seen.at(3).field("X-Retry-Attempt"), "2");
}

TEST(AttemptHeader, IsNotOnTheResendOfAStaleConnection) {
    scripted_server server({{expect_request(), send(response(200)), expect_request(), close()},
                            {expect_request(), send(response(200)), stall()}});
    fetcher f;
    ASSERT_TRUE(f.fetch(request("GET", server.url()), numbered()).ok());
    ASSERT_TRUE(f.fetch(request("GET", server.url()), numbered()).ok());
    ASSERT_EQ(server.requests().size(), 3U);
    EXPECT_EQ(server.requests().at(2).count("X-Retry-Attempt"), 0U);
}

TEST(AttemptHeader, RefusesNamesThatNoFieldHas) {
    http::fetch_policy p;
    for (const char* name : {"X Try", "X:", "Host", "content-length", "X\r\nY"}) {
        EXPECT_THROW(p.attempt_header(name), std::invalid_argument) << name;
    }
    EXPECT_EQ(p, http::fetch_policy());
    EXPECT_NE(numbered(), at_once());
    EXPECT_EQ(numbered().attempt_header(""), at_once());
}

class ServerVeto : public testing::TestWithParam<const char*> {};

TEST_P(ServerVeto, EndsTheCallWithItsResponse) {
    for (const auto veto : {http::server_veto::obeyed, http::server_veto::ignored}) {
        const bool ignored = veto == http::server_veto::ignored;
        scripted_server server({{expect_request(),
                                 send(response(503, "never", std::string(GetParam()) + "\r\n")),
                                 expect_request(),
                                 send(response(200)),
                                 stall()}});
        fetcher f;
        const auto r = f.fetch(request("GET", server.url()), at_once().server_veto(veto));
        EXPECT_EQ(r.ok(), ignored);
        EXPECT_EQ(r.report().attempts(), ignored ? 2U : 1U);
        if (ignored) continue;
        EXPECT_EQ(r.reason(), reason::permanent_failure);
        EXPECT_EQ(r.report().history().at(0).kind, failure_kind::server);
        ASSERT_TRUE(r.has_value());
        EXPECT_EQ(r->body(), "never");
        EXPECT_FALSE(r.error());
    }
}

INSTANTIATE_TEST_SUITE_P(Fields,
                         ServerVeto,
                         testing::Values("X-Should-Retry: false", "grpc-retry-pushback-ms: -1"));

TEST(ServerVeto, SaysNothingOnASuccess) {
    scripted_server server(
        {{expect_request(), send(response(200, "", "X-Should-Retry: false\r\n")), stall()}});
    fetcher f;
    EXPECT_TRUE(f.get(server.url()).ok());
}

TEST(ServerPushback, IsWaitedFor) {
    scripted_server server({{expect_request(),
                             send(response(503, "", "grpc-retry-pushback-ms: 30\r\n")),
                             expect_request(),
                             send(response(200)),
                             stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r.report().history().at(0).source, delay_source::retry_after);
    EXPECT_GE(r.report().history().at(0).delay, 30ms);
}

}  // namespace
}  // namespace asio_retry::test
