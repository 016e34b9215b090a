// Which connections serve again, and what happens when one turns out dead.
#include "http/support/fetcher.hpp"
#include <asio_retry/testing/manual_clock.hpp>

namespace asio_retry::test {
namespace {

const std::string keep = response(200, "ok");

TEST(Reuse, TakesTheConnectionOfTheLastCall) {
    scripted_server server({{expect_request(), send(keep), expect_request(), send(keep), stall()}});
    fetcher f;
    EXPECT_TRUE(f.get(server.url("/1")).ok());
    const auto r = f.get(server.url("/2"));
    EXPECT_TRUE(r.report().history().at(0).reused);
    EXPECT_EQ(f.state->pool.count().idle, 1U);
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

TEST(Reuse, FindsAConnectionThatTheServerClosed) {
    scripted_server server(
        {{expect_request(), send(keep), close()}, {expect_request(), send(keep), stall()}});
    fetcher f;
    EXPECT_TRUE(f.get(server.url()).ok());
    ASSERT_TRUE(server.wait_until_closed());
    const auto r = f.fetch(request("POST", server.url()).body("x"));
    EXPECT_TRUE(r.ok()) << r.error().message();
    EXPECT_EQ(attempts(r.report()), "1:200");
    EXPECT_FALSE(r.report().history().at(0).reused);
}

TEST(Reuse, DiscardsAConnectionOnWhichTheServerSpokeUnasked) {
    const gate spoken;
    scripted_server server({{expect_request(),
                             send(keep),
                             pause(20ms),
                             send(response(408)),
                             open_gate(spoken),
                             stall()},
                            {expect_request(), send(keep), stall()}});
    fetcher f;
    EXPECT_TRUE(f.get(server.url()).ok());
    ASSERT_TRUE(spoken.wait());
    const auto r = f.get(server.url());
    EXPECT_EQ(attempts(r.report()), "1:200");
    EXPECT_EQ(server.connections_accepted(), 2U);
}

TEST(Reuse, DiscardsAConnectionWithSurplusBytes) {
    scripted_server server(
        {{expect_request(), send(keep + "HTTP/1.1 200 OK\r\n\r\nforged"), stall()},
         {expect_request(), send(response(200, "real")), stall()}});
    fetcher f;
    EXPECT_EQ(f.get(server.url())->body(), "ok");
    EXPECT_EQ(f.state->pool.count().open, 0U);
    EXPECT_EQ(f.get(server.url())->body(), "real");
}

class NoReuse : public ::testing::TestWithParam<std::string> {};

TEST_P(NoReuse, AfterAResponseThatEndsTheConnection) {
    scripted_server server({{expect_request(), send(GetParam()), close()}});
    fetcher f;
    ASSERT_TRUE(f.get(server.url()).ok());
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

INSTANTIATE_TEST_SUITE_P(Answers,
                         NoReuse,
                         ::testing::Values("HTTP/1.1 200 OK\r\nConnection: close\r\n"
                                           "Content-Length: 2\r\n\r\nok",
                                           "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
                                           "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
                                           "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                                           "HTTP/1.1 200 OK\r\n\r\nok"));

/// The first connection serves once and then, when it has taken the next request, dies.
std::vector<connection_script> stale_then(connection_script next, step death) {
    return {{expect_request(), send(keep), expect_request(), std::move(death)}, std::move(next)};
}

class Stale : public ::testing::TestWithParam<step> {};

TEST_P(Stale, ConnectionIsReplacedAtNoCost) {
    scripted_server server(
        stale_then({expect_request(), send(response(200, "fresh")), stall()}, GetParam()));
    fetcher f(http::client_config().policy(only_once()));
    ASSERT_TRUE(f.get(server.url()).ok());
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "fresh");
    EXPECT_EQ(r.report().attempts(), 1U);
    ASSERT_EQ(r.report().history().size(), 2U);
    const auto& dead = r.report().history()[0];
    EXPECT_EQ(dead.number, 1U);
    EXPECT_TRUE(dead.reused);
    EXPECT_EQ(dead.source, delay_source::stale_connection);
    EXPECT_EQ(dead.kind, failure_kind::connection_lost);
    EXPECT_EQ(r.report().history()[1].number, 1U);
    EXPECT_FALSE(r.report().history()[1].reused);
}

INSTANTIATE_TEST_SUITE_P(Deaths, Stale, ::testing::Values(close(), reset()), [](const auto& each) {
    return each.param.name();
});

TEST(Reuse, ResendsOnlyOnceACallWhereverRedirectsLead) {
    scripted_server to(stale_then({expect_request(), send(response(200)), stall()}, close()));
    const auto redirect = response(307, "", "Location: " + to.url() + "\r\n");
    scripted_server from(stale_then({expect_request(), send(redirect), stall()}, close()));
    fetcher f(http::client_config().policy(at_once().max_redirects(1)));
    ASSERT_TRUE(f.get(from.url()).ok());
    ASSERT_TRUE(f.get(to.url()).ok());
    const auto r = f.get(from.url());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    std::vector<delay_source> sources;
    for (const auto& each : r.report().history()) sources.push_back(each.source);
    EXPECT_EQ(sources,
              (std::vector{delay_source::stale_connection,
                           delay_source::none,
                           delay_source::backoff,
                           delay_source::none}));
    EXPECT_EQ(r.report().attempts(), 3U);
}

TEST(Reuse, ResendsOnlyOnceACall) {
    scripted_server server(
        {{expect_request(), send(keep), expect_request(), close()}, {expect_request(), close()}});
    fetcher f(http::client_config().policy(only_once()));
    ASSERT_TRUE(f.get(server.url()).ok());
    const auto r = f.get(server.url());
    EXPECT_EQ(r.error(), http::error::no_response);
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(r.report().history().size(), 2U);
}

TEST(Reuse, DoesNotResendWhatIsNotIdempotent) {
    scripted_server server(stale_then({}, close()));
    fetcher f;
    ASSERT_TRUE(f.get(server.url()).ok());
    const auto r = f.fetch(request("POST", server.url()).body("x"));
    EXPECT_EQ(r.reason(), reason::not_idempotent);
    EXPECT_EQ(r.error(), http::error::no_response);
    EXPECT_EQ(r.report().history().at(0).sent, send_state::full);
}

TEST(Reuse, IsNotStaleOnceAByteHasCome) {
    scripted_server server({{expect_request(), send(keep), expect_request(), send("H"), close()},
                            {expect_request(), send(keep), stall()}});
    fetcher f;
    ASSERT_TRUE(f.get(server.url()).ok());
    const auto r = f.get(server.url());
    EXPECT_EQ(r.report().attempts(), 2U);
    EXPECT_EQ(r.report().history().at(0).error, http::error::incomplete_response);
    EXPECT_EQ(r.report().history().at(0).source, delay_source::backoff);
}

TEST(Reuse, ResendsOnAFreshConnectionThoughOthersAreIdle) {
    const gate both;
    const step death = close();
    scripted_server server({{expect_request(), wait_for(both), send(keep), expect_request(), death},
                            {expect_request(), wait_for(both), send(keep), expect_request(), death},
                            {expect_request(), send(response(200, "fresh")), stall()}});
    fetcher f(http::client_config().policy(only_once()));
    const auto one = f.start(request("GET", server.url()));
    const auto two = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 2; });
    gate(both).open();
    f.run_until(one);
    f.run_until(two);
    ASSERT_EQ(f.state->pool.count().idle, 2U);
    const auto r = f.get(server.url());
    EXPECT_EQ(r->body(), "fresh");
    EXPECT_EQ(server.connections_accepted(), 3U);
}

TEST(Reuse, EndsWithAgeAndIdleness) {
    for (const auto& limits :
         {http::pool_limits().idle_timeout(10ms), http::pool_limits().lifetime(10ms)}) {
        scripted_server server(
            {{expect_request(), send(keep), stall()}, {expect_request(), send(keep), stall()}});
        fetcher f(http::client_config().pool(limits));
        testing::manual_clock clock(f.context);
        ASSERT_TRUE(f.get(server.url()).ok());
        EXPECT_EQ(f.state->pool.count().open, 1U);
        clock.advance(10ms);
        EXPECT_TRUE(f.get(server.url()).ok());
        EXPECT_EQ(server.connections_accepted(), 2U);
        EXPECT_EQ(f.state->pool.count().open, 1U);
    }
}

// The limits, seen from outside.

TEST(Pool, QueuesInOrderAtItsLimit) {
    const gate first;
    scripted_server server({{expect_request(),
                             wait_for(first),
                             send(keep),
                             expect_request(),
                             send(keep),
                             expect_request(),
                             send(keep),
                             stall()}});
    fetcher f(http::client_config().pool(http::pool_limits().per_origin(1)));
    const auto a = f.start(request("GET", server.url("/a")));
    f.run_until([&] { return server.requests().size() == 1; });
    const auto b = f.start(request("GET", server.url("/b")));
    const auto c = f.start(request("GET", server.url("/c")));
    f.run_until([&] { return f.state->pool.count().waiting == 2; });
    gate(first).open();
    f.run_until(c);
    EXPECT_TRUE(a->done() && b->done());
    ASSERT_EQ(server.requests().size(), 3U);
    EXPECT_EQ(server.requests()[1].target, "/b");
    EXPECT_EQ(server.requests()[2].target, "/c");
    EXPECT_EQ(server.connections_accepted(), 1U);
    f.run_out();
}

TEST(Pool, ACancelledCallMakesRoomForTheNext) {
    scripted_server server({{expect_request(), stall()}, {expect_request(), send(keep), stall()}});
    fetcher f(http::client_config().pool(http::pool_limits().per_origin(1)));
    const auto a = f.start(request("GET", server.url("/a")));
    f.run_until([&] { return server.requests().size() == 1; });
    const auto b = f.start(request("GET", server.url("/b")));
    const auto c = f.start(request("GET", server.url("/c")));
    f.run_until([&] { return f.state->pool.count().waiting == 2; });
    b->signal.emit(asio::cancellation_type::total);
    f.run_until(b);
    EXPECT_EQ((*b)->reason(), reason::cancelled);
    EXPECT_EQ(f.state->pool.count().waiting, 1U);
    a->signal.emit(asio::cancellation_type::partial);
    f.run_until(c);
    EXPECT_EQ((*a)->reason(), reason::cancelled);
    EXPECT_TRUE((*c)->ok()) << (*c)->report().summary();
    f.run_out();
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

TEST(Pool, AWaiterKeepsItsTimeout) {
    scripted_server server({{expect_request(), stall()}});
    fetcher f(http::client_config().pool(http::pool_limits().per_origin(1)));
    const auto a = f.start(request("GET", server.url("/a")));
    f.run_until([&] { return server.requests().size() == 1; });
    const auto b = f.start(request("GET", server.url("/b")),
                           at_once(no_wait().attempt_timeout(30ms).max_attempts(2)));
    f.run_until(b);
    EXPECT_EQ((*b)->error(), asio_retry::error::attempt_timeout);
    EXPECT_EQ((*b)->report().attempts(), 2U);
    EXPECT_EQ((*b)->report().history().at(0).sent, send_state::none);
    a->signal.emit(asio::cancellation_type::terminal);
    f.run_until(a);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(Pool, ClosesIdleConnectionsOfOthersAtTheOverallLimit) {
    scripted_server one({{expect_request(), send(keep), stall()}});
    scripted_server two({{expect_request(), send(keep), stall()}});
    fetcher f(http::client_config().pool(http::pool_limits().total(1)));
    EXPECT_TRUE(f.get(one.url()).ok());
    EXPECT_TRUE(f.get(two.url()).ok());
    EXPECT_EQ(f.state->pool.count().open, 1U);
    EXPECT_TRUE(one.wait_until_closed());
}

TEST(Pool, ServesOriginsInTurnAtTheOverallLimit) {
    const gate first;
    scripted_server one({{expect_request(), wait_for(first), send(keep), expect_request(), stall()},
                         {expect_request(), send(keep), stall()}});
    scripted_server two({{expect_request(), send(keep), stall()}});
    fetcher f(http::client_config().pool(http::pool_limits().total(1)));
    const auto a = f.start(request("GET", one.url("/a")));
    f.run_until([&] { return one.requests().size() == 1; });
    const auto b = f.start(request("GET", two.url("/b")));
    f.run_until([&] { return f.state->pool.count().waiting == 1; });
    const auto c = f.start(request("GET", one.url("/c")));
    f.run_until([&] { return f.state->pool.count().waiting == 2; });
    gate(first).open();
    f.run_until(c);
    EXPECT_TRUE((*a)->ok() && b->done() && (*b)->ok() && (*c)->ok());
    EXPECT_EQ(two.requests().size(), 1U);
    f.run_out();
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

}  // namespace
}  // namespace asio_retry::test
