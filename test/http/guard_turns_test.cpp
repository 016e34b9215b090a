// When the guards of an endpoint let a fetch, or an extra attempt of it, go.
#include "http/support/guarded.hpp"
#include <asio_retry/testing/manual_clock.hpp>

namespace asio_retry::test {
namespace {

// The concurrency limit.

TEST(FetchLimit, RefusesAtOnceWhereTheQueueIsFull) {
    gate go;
    scripted_server server({{expect_request(), wait_for(go), send(last_response(200)), close()}});
    guarded f(plain().concurrency(at_most(1, 0)));
    const auto first = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 1; });
    const auto second = f.start(request("GET", server.url()));
    f.run_until(second);
    EXPECT_EQ((*second)->reason(), reason::queue_full);
    EXPECT_EQ((*second)->error(), asio_retry::error::queue_full);
    EXPECT_EQ((*second)->report().attempts(), 0U);
    go.open();
    f.run_until(first);
    f.run_out();
    EXPECT_TRUE((*first)->ok());
    EXPECT_EQ(f.endpoint(server).concurrency_limit()->running(), 0U);
    EXPECT_EQ(f.endpoint(server).counters().refusals, 1U);
}

TEST(FetchLimit, LetsThemPassInTurn) {
    scripted_server server({fine}, repeated());
    guarded f(plain().concurrency(at_most(1, 10)));
    std::vector<std::shared_ptr<pending_fetch>> calls;
    for (int i = 0; i < 5; ++i) {
        calls.push_back(f.start(request("GET", server.url("/" + std::to_string(i)))));
    }
    f.run_out();
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_TRUE((*calls[i])->ok());
        EXPECT_EQ(server.requests().at(i).target, "/" + std::to_string(i));
    }
}

TEST(FetchLimit, QueuesUnderTheDeadlineOfTheCallAlone) {
    gate go;
    scripted_server server(
        {{expect_request(), wait_for(go), send(last_response(200)), close()}, fine});
    guarded f(plain().concurrency(at_most(1, 10)));
    testing::manual_clock clock(f.context);
    const auto first = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 1; });
    const auto waiting = [&] { return f.endpoint(server).concurrency_limit()->waiting() == 1; };
    const auto late = f.start(request("GET", server.url()), at_once(no_wait().total_timeout(40ms)));
    f.run_until(waiting);
    clock.advance(40ms);
    f.run_until(late);
    EXPECT_EQ((*late)->reason(), reason::deadline_exceeded);
    EXPECT_EQ((*late)->error(), asio_retry::error::deadline_exceeded);
    EXPECT_EQ((*late)->report().elapsed(), 40ms);
    // The attempt timeout is shorter than the wait in the queue.
    const auto patient = f.start(request("GET", server.url()),
                                 at_once(no_wait().max_attempts(1).attempt_timeout(500ms)));
    f.run_until(waiting);
    clock.advance(5s);
    f.run_ready();
    EXPECT_FALSE(patient->done());
    EXPECT_TRUE(waiting());
    go.open();
    f.run_until(patient);
    f.run_out();
    EXPECT_TRUE((*patient)->ok());
    EXPECT_EQ((*patient)->report().history().at(0).started, 5s);
}

TEST(FetchLimit, HoldsNoPlaceInABackoff) {
    scripted_server server({busy, fine, fine});
    guarded f(plain(no_wait().backoff(backoff::constant(10s).jitter(jitter::none)))
                  .concurrency(at_most(1, 0)));
    const auto first = f.start(request("GET", server.url()));
    f.run_until([&] { return f.endpoint(server).concurrency_limit()->running() == 1; });
    f.run_until([&] { return f.endpoint(server).concurrency_limit()->running() == 0; });
    EXPECT_FALSE(first->done());
    const auto second = f.start(request("GET", server.url()));
    f.run_until(second);
    EXPECT_TRUE((*second)->ok());
    first->signal.emit(asio::cancellation_type::total);
    f.run_out();
}

TEST(FetchLimit, AsksTheBreakerAgainAfterTheQueue) {
    gate go;
    scripted_server server(
        {{expect_request(), wait_for(go), send(last_response(200)), close()}, fine});
    guarded f(plain().concurrency(at_most(1, 10)).circuit_breaker(sensitive()));
    const auto first = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 1; });
    const auto second = f.start(request("GET", server.url()));
    f.run_until([&] { return f.endpoint(server).concurrency_limit()->waiting() == 1; });
    f.endpoint(server).circuit_breaker()->isolate(now());
    go.open();
    f.run_until(second);
    f.run_out();
    EXPECT_TRUE((*first)->ok());
    EXPECT_EQ((*second)->reason(), reason::circuit_open);
    EXPECT_EQ(server.connections_accepted(), 1U);
    EXPECT_EQ(f.endpoint(server).concurrency_limit()->running(), 0U);
}

TEST(FetchLimit, KeepsThePlaceForAResend) {
    scripted_server server({{expect_request(), send(response(200)), expect_request(), close()},
                            {expect_request(), send(response(200)), stall()}});
    guarded f(plain().concurrency(at_most(1, 0)));
    EXPECT_TRUE(f.get(server.url()).ok());
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r.report().history().at(0).source, delay_source::stale_connection);
    EXPECT_EQ(f.endpoint(server).concurrency_limit()->running(), 0U);
}

// Pacing.

TEST(FetchPacing, WaitsForItsTurn) {
    scripted_server server({spent("0.15"), fine});
    guarded f(paced());
    testing::manual_clock clock(f.context);
    ASSERT_TRUE(f.get(server.url()).ok());
    const auto call = f.start(request("GET", server.url()));
    f.run_ready();
    clock.advance(149ms);
    f.run_ready();
    EXPECT_EQ(server.connections_accepted(), 1U);
    // Up to a tenth later, as all clients are told the same.
    clock.advance(16ms);
    f.run_until(call);
    ASSERT_TRUE((*call)->ok());
    EXPECT_EQ((*call)->report().history().at(0).started, 165ms);
}

TEST(FetchPacing, EndsAtOnceWhereTheTurnIsTooLate) {
    scripted_server server({spent("3600"), fine});
    guarded f(paced(no_wait().total_timeout(10s)));
    ASSERT_TRUE(f.get(server.url()).ok());
    const auto r = f.get(server.url());
    EXPECT_EQ(r.reason(), reason::deadline_exceeded);
    EXPECT_EQ(r.error(), asio_retry::error::deadline_exceeded);
    EXPECT_LT(r.report().elapsed(), 5s);
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST(FetchPacing, IsOffByDefault) {
    scripted_server server({spent("3600"), fine});
    guarded f(plain());
    ASSERT_TRUE(f.get(server.url()).ok());
    EXPECT_TRUE(f.get(server.url()).ok());
}

TEST(FetchPacing, SpreadsACrowd) {
    scripted_server server({{expect_request(),
                             send(last_response(200, "", "RateLimit: \"default\";r=10;t=1\r\n")),
                             close()},
                            fine},
                           repeated());
    guarded f(paced());
    testing::manual_clock clock(f.context);
    ASSERT_TRUE(f.get(server.url()).ok());
    std::vector<std::shared_ptr<pending_fetch>> calls;
    for (int i = 0; i < 4; ++i) calls.push_back(f.start(request("GET", server.url())));
    for (std::size_t i = 0; i < 4; ++i) {
        f.run_until(calls[i]);
        ASSERT_TRUE((*calls[i])->ok());
        EXPECT_EQ((*calls[i])->report().history().at(0).started, i * 100ms) << i;
        clock.advance(100ms);
    }
}

TEST(FetchPacing, GivesTheTurnOfACancelledCallToTheNext) {
    scripted_server server({spent("5"), fine, fine});
    guarded f(paced());
    testing::manual_clock clock(f.context);
    ASSERT_TRUE(f.get(server.url()).ok());
    const auto call = f.start(request("GET", server.url()));
    f.run_ready();
    ASSERT_FALSE(call->done());
    call->signal.emit(asio::cancellation_type::total);
    f.run_until(call);
    EXPECT_EQ((*call)->reason(), reason::cancelled);
    EXPECT_EQ((*call)->report().attempts(), 1U);
    const auto next = f.start(request("GET", server.url()));
    f.run_ready();
    clock.advance(5500ms);
    f.run_until(next);
    EXPECT_TRUE((*next)->ok());
    EXPECT_EQ((*next)->report().history().at(0).started, 5500ms);
    f.run_out();
}

// Hedges.

endpoint_policy hedging_endpoint(const hedge_options& o) {
    return std::move(endpoint_policy().fetch(at_once().hedge(o)));
}

/// Answers when the test says so.
connection_script slow(const gate& go) {
    return {expect_request(), wait_for(go), send(last_response(200)), close()};
}

TEST(FetchHedge, IsPaidFromTheBudget) {
    const gate one, two;
    scripted_server server({slow(one), slow(one), slow(two)});
    guarded f(hedging_endpoint(hedge_options().after(10ms)).retry_budget(tokens(5)));
    testing::manual_clock clock(f.context);
    const auto first = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 1; });
    clock.advance(10ms);
    f.run_until([&] { return server.requests().size() == 2; });
    gate(one).open();
    f.run_until(first);
    EXPECT_EQ((*first)->report().attempts(), 2U);
    const auto second = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 3; });
    clock.advance(10ms);
    f.run_ready();
    gate(two).open();
    f.run_until(second);
    f.run_out();
    EXPECT_EQ((*second)->report().attempts(), 1U);
    EXPECT_EQ(f.endpoint(server).counters().hedges, 1U);
    EXPECT_EQ(f.endpoint(server).counters().calls, 2U);
    EXPECT_EQ(f.endpoint(server).counters().successes, 2U);
    EXPECT_EQ(f.endpoint(server).counters().attempts, 3U);
}

TEST(FetchHedge, DoesNotQueue) {
    const gate go;
    scripted_server server({slow(go)});
    guarded f(hedging_endpoint(hedge_options().after(10ms)).concurrency(at_most(1, 10)));
    testing::manual_clock clock(f.context);
    const auto call = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 1; });
    clock.advance(10ms);
    f.run_ready();
    EXPECT_EQ(f.endpoint(server).concurrency_limit()->waiting(), 0U);
    gate(go).open();
    f.run_until(call);
    EXPECT_EQ((*call)->report().attempts(), 1U);
}

TEST(FetchHedge, LearnsItsDelayFromTheEndpoint) {
    scripted_server server({{expect_request(), stall()}, fine});
    guarded f(hedging_endpoint(hedge_options()));
    for (int i = 0; i < 64; ++i) f.endpoint(server).latency().record(5ms);
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r.report().attempts(), 2U);
}

TEST(FetchHedge, DoesNotHedgeBeforeItHasLearned) {
    const gate go;
    scripted_server server({slow(go)});
    guarded f(hedging_endpoint(hedge_options()));
    testing::manual_clock clock(f.context);
    const auto call = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 1; });
    clock.advance(5s);
    f.run_ready();
    gate(go).open();
    f.run_until(call);
    f.run_out();
    EXPECT_EQ((*call)->report().attempts(), 1U);
}

TEST(FetchHedge, LearnsFromItsCalls) {
    const std::vector<gate> go(40);
    std::vector<connection_script> scripts;
    for (const gate& each : go) scripts.push_back(slow(each));
    scripted_server server(scripts);
    // What it has learned it cannot pay for: there is one request a call.
    guarded f(hedging_endpoint(hedge_options()).retry_budget(tokens(1)));
    testing::manual_clock clock(f.context);
    for (std::size_t i = 0; i < go.size(); ++i) {
        const auto call = f.start(request("GET", server.url()));
        f.run_until([&] { return server.requests().size() == i + 1; });
        clock.advance(80ms);
        gate(go[i]).open();
        f.run_until(call);
        EXPECT_TRUE((*call)->ok());
    }
    const auto learned = f.endpoint(server).latency().p95();
    ASSERT_TRUE(learned);
    EXPECT_GE(*learned, 80ms);
    EXPECT_LE(*learned, 100ms);
}

}  // namespace
}  // namespace asio_retry::test
