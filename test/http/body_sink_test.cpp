// Responses that are delivered to sinks as they come.
#include "http/support/bodies.hpp"
#include "http/support/fetcher.hpp"
#include <asio_retry/http/body_sink.hpp>
#include <asio_retry/testing/manual_clock.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <gmock/gmock.h>

#include <memory>

namespace asio_retry::test {
namespace {

using http::body_sink;

TEST(BodySink, TakesALargeBodyInPieces) {
    const std::string body = large_text();
    scripted_server server({{expect_request(), send(response(200, body)), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const auto r =
        f.fetch(request("GET", server.url()).deliver_to(sink), at_once().max_body_size(10));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->status(), 200U);
    EXPECT_EQ(r->body(), "");
    EXPECT_EQ(sink->text, body);
    EXPECT_EQ(sink->ends, 1);
    EXPECT_LE(sink->largest, 128U * 1024);
    EXPECT_GT(sink->writes, 1U);
    EXPECT_EQ(f.state->pool.count().idle, 1U);
}

TEST(BodySink, TakesChunksAByteAtATimeAndEmptyBodies) {
    scripted_server server({{expect_request(),
                             send_slowly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                         "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
                             expect_request(),
                             send(response(200)),
                             expect_request(),
                             send("HTTP/1.1 204 No Content\r\n\r\n"),
                             stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const request get = request("GET", server.url()).deliver_to(sink);
    EXPECT_TRUE(f.fetch(get).ok());
    EXPECT_EQ(sink->text, "abcde");
    EXPECT_TRUE(f.fetch(get).ok());
    EXPECT_TRUE(f.fetch(get).ok());
    EXPECT_EQ(sink->text, "");
    EXPECT_EQ(sink->ends, 3);
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST(BodySink, LeavesFailuresToMemoryWithinTheLimit) {
    scripted_server server({{expect_request(),
                             send(response(503, "busy")),
                             expect_request(),
                             send(response(404, "not here")),
                             expect_request(),
                             send(response(404, std::string(100, 'x'))),
                             stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const request get = request("GET", server.url()).deliver_to(sink);
    const auto r = f.fetch(get);
    EXPECT_EQ(attempts(r.report()), "1:503 2:404");
    EXPECT_EQ(r->body(), "not here");
    EXPECT_TRUE(sink->statuses.empty());
    const auto too_large = f.fetch(get, only_once().max_body_size(99));
    EXPECT_EQ(too_large.error(), http::error::body_too_large);
}

TEST(BodySink, NeverGetsTwoResponsesAsOne) {
    const std::string cut =
        response(200, "0123456789").substr(0, response(200, "0123456789").size() - 4);
    for (const bool can_restart : {false, true}) {
        scripted_server server({{expect_request(), send(cut), close()},
                                {expect_request(), send(response(200, "abc")), stall()}});
        fetcher f;
        const auto sink = std::make_shared<keeper>(can_restart);
        const auto r = f.fetch(request("GET", server.url()).deliver_to(sink));
        EXPECT_EQ(r.ok(), can_restart);
        EXPECT_EQ(sink->text, can_restart ? "abc" : "012345");
        EXPECT_EQ(sink->ends, can_restart ? 1 : 0);
        if (can_restart) continue;
        EXPECT_EQ(r.error(), http::error::incomplete_response);
        EXPECT_EQ(r.reason(), reason::permanent_failure);
        EXPECT_EQ(r.report().attempts(), 1U);
    }
}

TEST(BodySink, IsRepeatedAsLongAsNothingWasWritten) {
    scripted_server server(
        {{expect_request(), send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), close()},
         {expect_request(), send(response(200, "abc")), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const auto r = f.fetch(request("GET", server.url()).deliver_to(sink));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_THAT(sink->statuses, ::testing::ElementsAre(200, 200));
    EXPECT_EQ(sink->text, "abc");
}

TEST(BodySink, EndsTheCallByThrowing) {
    scripted_server server({{expect_request(), send(response(200, "abc")), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>(true);
    sink->fault = asio::error::connection_reset;
    const auto r = f.fetch(request("GET", server.url()).deliver_to(sink));
    EXPECT_EQ(r.error(), asio::error::connection_reset);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 1U);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(BodySink, IsCancelledWhileItWrites) {
    scripted_server server(
        {{expect_request(), send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const auto call = f.start(request("GET", server.url()).deliver_to(sink),
                              at_once(no_wait().attempt_timeout(retry_policy::unlimited)));
    sink->meanwhile = [&] { call->signal.emit(asio::cancellation_type::terminal); };
    f.run_until(call);
    EXPECT_EQ((*call)->reason(), reason::cancelled);
    EXPECT_EQ(sink->text, "abc");
}

/// What has come whole stays a success.
TEST(BodySink, IsCancelledTooLateWhileItWritesTheEnd) {
    scripted_server server({{expect_request(), send(response(200, "abc")), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const auto call = f.start(request("GET", server.url()).deliver_to(sink));
    sink->meanwhile = [&] { call->signal.emit(asio::cancellation_type::terminal); };
    f.run_until(call);
    EXPECT_TRUE((*call)->ok()) << (*call)->report().summary();
    EXPECT_EQ((*call)->reason(), reason::success);
    EXPECT_EQ(sink->ends, 1);
}

TEST(BodySink, HasNothingToTakeOfAResponseThatOnlyTellsALength) {
    scripted_server server(
        {{expect_request(),
          send("HTTP/1.1 304 Not Modified\r\nContent-Length: 9999999999\r\n\r\n"),
          stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const auto r =
        f.fetch(request("GET", server.url()).header("If-None-Match", "\"x\"").deliver_to(sink));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->status(), 304U);
    EXPECT_TRUE(sink->statuses.empty());
}

TEST(BodySink, RefusesAResponseWithAnErrorOfAKind) {
    scripted_server server({{expect_request(), send(last_response(200, "abc")), close()},
                            {expect_request(), send(response(200, "abc")), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    sink->refusal = asio::error::connection_reset;
    const auto r =
        f.fetch(request("GET", server.url()).deliver_to(sink), at_once(no_wait().max_attempts(2)));
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(sink->statuses.size(), 2U);
    EXPECT_EQ(sink->writes, 0U);
}

/// Writes slowly, so that the body has to wait in the socket.
TEST(BodySink, SlowsTheServerDown) {
    class slow final : public body_sink {
    public:
        asio::awaitable<void> write(asio::const_buffer bytes) override {
            asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
            auto pending = timer.async_wait(asio::use_awaitable);
            co_await std::move(pending);
            received += bytes.size();
        }
        std::size_t received = 0;
    };
    const std::string body(5'000'000, 'x');
    scripted_server server({{expect_request(), send(response(200, body)), stall()}});
    fetcher f;
    const testing::manual_clock clock(f.context);  // no timeout ends it, however slow
    const auto sink = std::make_shared<slow>();
    const auto r = f.fetch(request("GET", server.url()).deliver_to(sink));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(sink->received, body.size());
}

TEST(BodySink, EndsAtTheAttemptTimeoutInTheMiddleOfABody) {
    scripted_server server(
        {{expect_request(), send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), stall()}});
    fetcher f;
    testing::manual_clock clock(f.context);
    const auto sink = std::make_shared<keeper>();
    const auto call = f.start(request("GET", server.url()).deliver_to(sink),
                              at_once(no_wait().attempt_timeout(5s)));
    f.run_until([&] { return sink->text == "abc"; });
    clock.advance(5s);
    f.run_until(call);
    f.run_out();
    EXPECT_EQ((*call)->error(), asio_retry::error::attempt_timeout);
    EXPECT_EQ(sink->text, "abc");
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

}  // namespace
}  // namespace asio_retry::test
