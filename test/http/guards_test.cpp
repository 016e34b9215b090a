// The guards that an endpoint's calls share, round real fetches.
#include "http/support/fetcher.hpp"
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/http/download.hpp>
#include <asio_retry/retry_budget.hpp>
#include <asio_retry/testing/manual_clock.hpp>

namespace asio_retry::test {
namespace {

using http::endpoint_handle;
using http::endpoint_policy;
using http::endpoint_registry;
using http::endpoint_table;

steady_time now() { return std::chrono::steady_clock::now(); }

/// A client whose requests all belong to one endpoint.
class guarded : public fetcher {
public:
    explicit guarded(const endpoint_policy& p) : guarded(with_registry(p)) {}

    endpoint_handle endpoint(const scripted_server& s) { return endpoints->find("GET", s.url()); }

    std::shared_ptr<endpoint_registry> endpoints;

private:
    explicit guarded(std::shared_ptr<endpoint_registry> r)
        : fetcher(http::client_config().endpoints(r)), endpoints(std::move(r)) {}

    static std::shared_ptr<endpoint_registry> with_registry(const endpoint_policy& p) {
        return std::make_shared<endpoint_registry>(endpoint_table(p));
    }
};

endpoint_policy plain(retry_policy retry = no_wait()) {
    return std::move(endpoint_policy().fetch(at_once(std::move(retry))));
}

budget_options tokens(double n) {
    return std::move(
        budget_options().capacity(n).retry_cost(5).success_refund(0).refill_per_second(0));
}

breaker_options sensitive() {
    return std::move(breaker_options().minimum_calls(2).failure_rate(0.5).open_for(60s));
}

concurrency_options at_most(std::uint32_t n, std::uint32_t queue) {
    return std::move(concurrency_options().max_concurrency(n).queue(queue));
}

const connection_script busy = {expect_request(), send(last_response(503)), close()};
const connection_script fine = {expect_request(), send(last_response(200)), close()};

scripted_server_options repeated() { return std::move(scripted_server_options().repeat_last()); }

/// A response after which everybody has to wait so long.
connection_script spent(const std::string& reset) {
    return {expect_request(),
            send(last_response(
                200, "", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: " + reset + "\r\n")),
            close()};
}

endpoint_policy paced(retry_policy retry = no_wait()) {
    return std::move(endpoint_policy().fetch(at_once(std::move(retry)).pacing(http::pacing::on)));
}

// The retry budget.

TEST(FetchBudget, EndsTheCallThatFindsItSpent) {
    scripted_server server({busy}, repeated());
    guarded f(plain().retry_budget(tokens(10)));
    const auto r = f.get(server.url());
    EXPECT_EQ(r.reason(), reason::budget_exhausted);
    EXPECT_EQ(r.report().attempts(), 3U);
    ASSERT_TRUE(r.has_value());
    EXPECT_EQ(r->status(), 503U);
    EXPECT_EQ(f.get(server.url()).report().attempts(), 1U);
    EXPECT_EQ(f.endpoint(server).counters().refusals, 2U);
}

TEST(FetchBudget, IsEachOriginsOwn) {
    scripted_server one({busy}, repeated());
    scripted_server other({busy, fine});
    guarded f(plain().retry_budget(tokens(10)));
    EXPECT_EQ(f.get(one.url()).reason(), reason::budget_exhausted);
    EXPECT_TRUE(f.get(other.url()).ok());
}

TEST(FetchBudget, IsThereWithoutEndpoints) {
    scripted_server server({busy}, repeated());
    fetcher f;
    int calls = 0;
    while (f.get(server.url()).reason() == reason::attempts_exhausted) ASSERT_LT(++calls, 50);
    EXPECT_EQ(f.get(server.url()).reason(), reason::budget_exhausted);
}

TEST(FetchBudget, HoldsForACallWithItsOwnPolicy) {
    scripted_server server({busy}, repeated());
    guarded f(plain().retry_budget(tokens(5)));
    EXPECT_EQ(f.fetch(request("GET", server.url()), at_once()).reason(), reason::budget_exhausted);
    // Which may bring a budget of its own.
    const auto own = std::make_shared<retry_budget>(tokens(100));
    const auto r = f.fetch(request("GET", server.url()), at_once(no_wait().retry_budget(own)));
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
}

TEST(FetchBudget, PaysForTheRestOfADownload) {
    const connection_script broken = {
        expect_request(),
        send("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 9\r\n\r\nabc"),
        close()};
    const connection_script rest = {
        expect_request(),
        send("HTTP/1.1 206 Partial Content\r\nETag: \"a\"\r\nContent-Length: 6\r\n"
             "Connection: close\r\nContent-Range: bytes 3-8/9\r\n\r\ndefghi"),
        close()};
    const temporary_directory directory;
    const auto target = [&](const char* name) { return (directory.path() / name).string(); };
    scripted_server server({broken, rest, broken});
    guarded f(plain().retry_budget(tokens(5)));
    const auto fetched = [&](const char* name) {
        return f.fetch(request("GET", server.url()).deliver_to(http::into_file(target(name))));
    };
    const auto whole = fetched("whole");
    ASSERT_TRUE(whole.ok()) << whole.report().summary();
    EXPECT_EQ(whole.report().attempts(), 2U);
    const auto refused = fetched("refused");
    EXPECT_EQ(refused.reason(), reason::budget_exhausted);
    EXPECT_EQ(refused.report().attempts(), 1U);
}

// The circuit breaker.

TEST(FetchBreaker, FailsAtOnceAndSaysWhenToComeBack) {
    scripted_server server({busy}, repeated());
    guarded f(plain(no_wait().max_attempts(2)).circuit_breaker(sensitive()));
    EXPECT_EQ(f.get(server.url()).reason(), reason::attempts_exhausted);
    const auto connections = server.connections_accepted();
    const auto r = f.get(server.url());
    EXPECT_EQ(r.reason(), reason::circuit_open);
    EXPECT_EQ(r.error(), asio_retry::error::circuit_open);
    EXPECT_FALSE(r.has_value());
    EXPECT_EQ(r.report().attempts(), 0U);
    ASSERT_TRUE(r.report().retry_after());
    EXPECT_GT(*r.report().retry_after(), 50s);
    EXPECT_LE(*r.report().retry_after(), 75s);
    EXPECT_EQ(server.connections_accepted(), connections);
}

TEST(FetchBreaker, EndsACallBetweenItsAttempts) {
    scripted_server server({busy}, repeated());
    guarded f(plain(no_wait().max_attempts(4)).circuit_breaker(sensitive()));
    const auto r = f.get(server.url());
    EXPECT_EQ(r.reason(), reason::circuit_open);
    EXPECT_EQ(r.report().attempts(), 2U);
    ASSERT_TRUE(r.has_value());
    EXPECT_EQ(r->status(), 503U);
}

TEST(FetchBreaker, HoldsForACallWithItsOwnPolicy) {
    scripted_server server({fine});
    guarded f(plain().circuit_breaker(sensitive()));
    f.endpoint(server).circuit_breaker()->isolate(now());
    const auto r = f.fetch(request("GET", server.url()), at_once());
    EXPECT_EQ(r.reason(), reason::circuit_open);
    EXPECT_EQ(server.connections_accepted(), 0U);
}

TEST(FetchBreaker, OfTheOriginThatARedirectLeadsTo) {
    scripted_server to({fine});
    scripted_server from({{expect_request(),
                           send(last_response(302, "", "Location: " + to.url() + "\r\n")),
                           close()}});
    endpoint_policy p = plain().circuit_breaker(sensitive());
    guarded f(p.fetch(at_once().max_redirects(1)));
    f.endpoint(to).circuit_breaker()->isolate(now());
    const auto r = f.get(from.url());
    EXPECT_EQ(r.reason(), reason::circuit_open);
    EXPECT_EQ(r.report().history().size(), 1U);
    EXPECT_EQ(r.report().retry_after(), std::chrono::nanoseconds::max());
    EXPECT_EQ(to.connections_accepted(), 0U);
    // The same with a handle to the endpoint of the first origin.
    scripted_server again({{expect_request(),
                            send(last_response(302, "", "Location: " + to.url() + "\r\n")),
                            close()}});
    EXPECT_EQ(f.fetch(request("GET", again.url()), f.endpoint(again)).reason(),
              reason::circuit_open);
}

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
// Says that it closes: a call that found it closed only when it had sent would count one attempt
// more.
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

// Endpoints.

TEST(FetchEndpoint, KeepsThePolicyItBeganWith) {
    gate go;
    scripted_server server(
        {{expect_request(), wait_for(go), send(last_response(503)), close()}, busy, busy, busy});
    guarded f(plain(no_wait().max_attempts(3)));
    const auto call = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 1; });
    f.endpoints->replace(endpoint_table(plain(no_wait().max_attempts(1))));
    go.open();
    f.run_until(call);
    f.run_out();
    EXPECT_EQ((*call)->report().attempts(), 3U);
    EXPECT_EQ(f.get(server.url()).report().attempts(), 1U);
}

TEST(FetchEndpoint, KeepsItsGuardsWhenTheTableIsReplaced) {
    gate go;
    scripted_server server(
        {{expect_request(), wait_for(go), send(last_response(200)), close()}, fine});
    guarded f(plain().concurrency(at_most(1, 10)));
    const auto first = f.start(request("GET", server.url()));
    f.run_until([&] { return server.requests().size() == 1; });
    f.endpoints->replace(
        endpoint_table(plain(no_wait().max_attempts(2)).concurrency(at_most(1, 10))));
    const auto second = f.start(request("GET", server.url()));
    f.run_until([&] { return f.endpoint(server).concurrency_limit()->waiting() == 1; });
    go.open();
    f.run_out();
    EXPECT_TRUE((*first)->ok());
    EXPECT_TRUE((*second)->ok());
}

TEST(FetchEndpoint, IsThatOfTheHandle) {
    scripted_server server({busy}, repeated());
    guarded f(plain(no_wait().max_attempts(4)));
    const auto handle = f.endpoint(server);
    f.endpoints->replace(endpoint_table(plain(no_wait().max_attempts(1))));
    EXPECT_EQ(f.fetch(request("GET", server.url()), handle).report().attempts(), 4U);
    EXPECT_EQ(handle.counters().calls, 1U);
}

TEST(FetchEndpoint, OfEachHop) {
    scripted_server to({busy}, repeated());
    scripted_server from({{expect_request(),
                           send(last_response(307, "", "Location: " + to.url() + "\r\n")),
                           close()}});
    const auto once = plain(no_wait().max_attempts(1));
    const http::endpoint other(
        "other", std::move(http::endpoint_match().origin(to.origin())), once);
    const auto endpoints = std::make_shared<endpoint_registry>(
        endpoint_table(endpoint_policy().fetch(at_once().max_redirects(2)), {other}));
    fetcher f(http::client_config().endpoints(endpoints));
    const auto r = f.get(from.url());
    EXPECT_EQ(attempts(r.report()), "1:307 2:503");
    // A policy of the call's own goes along.
    scripted_server again({{expect_request(),
                            send(last_response(307, "", "Location: " + to.url() + "\r\n")),
                            close()}});
    const auto own = f.fetch(request("GET", again.url()), at_once().max_redirects(2));
    EXPECT_EQ(own.report().attempts(), 5U);
}

// All together.

/// Which guard answers where several would refuse: the order that client.hpp draws.
TEST(FetchPipeline, KeepsItsOrder) {
    scripted_server server({spent("3600"), busy, fine, fine});
    guarded f(paced(no_wait().total_timeout(10s))
                  .retry_budget(tokens(0))
                  .circuit_breaker(sensitive())
                  .concurrency(at_most(1, 0)));
    const auto e = f.endpoint(server);
    ASSERT_TRUE(f.get(server.url()).ok());
    auto place = e.concurrency_limit()->try_acquire(now());
    e.circuit_breaker()->isolate(now());

    // The request itself comes before all of them.
    EXPECT_EQ(f.get("http://").error(), http::error::invalid_url);
    // The circuit is open, the turn too late, the queue full.
    EXPECT_EQ(f.get(server.url()).reason(), reason::circuit_open);
    e.circuit_breaker()->reset(now());
    EXPECT_EQ(f.get(server.url()).reason(), reason::deadline_exceeded);
    const auto unpaced = at_once(no_wait().total_timeout(10s));
    EXPECT_EQ(f.fetch(request("GET", server.url()), unpaced).reason(), reason::queue_full);
    place.release();
    // The budget is asked before the wait for a retry, the breaker after it.
    e.circuit_breaker()->on_change({});
    EXPECT_EQ(f.fetch(request("GET", server.url()), unpaced).reason(), reason::budget_exhausted);
    EXPECT_EQ(server.connections_accepted(), 2U);
}

TEST(FetchPipeline, CanBeCancelledAtAnyPoint) {
    bool finished = false;
    for (int n = 0; !finished; ++n) {
        ASSERT_LT(n, 1000);
        scripted_server server({spent("0.01"), busy, fine, fine, fine});
        guarded f(paced().circuit_breaker(breaker_options()).concurrency(at_most(1, 1)));
        const auto e = f.endpoint(server);
        ASSERT_TRUE(f.get(server.url()).ok());
        auto place = e.concurrency_limit()->try_acquire(now());
        const auto call = f.start(request("GET", server.url()));
        for (int i = 0; i < n && !call->done(); ++i) {
            if (e.concurrency_limit()->waiting() == 1 && i > 3) place.release();
            f.context.restart();
            f.context.run_one_for(place ? 20ms : 5s);
        }
        finished = call->done();
        call->signal.emit(asio::cancellation_type::total);
        f.run_until(call);
        f.run_out();
        ASSERT_EQ(call->times, 1) << n;
        ASSERT_TRUE((*call)->ok() || (*call)->reason() == reason::cancelled)
            << n << (*call)->report().summary();
        place.release();
        ASSERT_EQ(e.concurrency_limit()->running(), 0U) << n;
        ASSERT_EQ(e.concurrency_limit()->waiting(), 0U) << n;
        ASSERT_EQ(f.state->pool.count().open, f.state->pool.count().idle) << n;
    }
}

TEST(FetchPipeline, EndsWithItsContextWhileItWaits) {
    gate go;
    scripted_server server({{expect_request(), wait_for(go), close()}});
    std::shared_ptr<pending_fetch> first;
    std::shared_ptr<pending_fetch> second;
    const auto endpoints =
        std::make_shared<endpoint_registry>(endpoint_table(plain().concurrency(at_most(1, 1))));
    {
        fetcher f(http::client_config().endpoints(endpoints));
        first = f.start(request("GET", server.url()));
        f.run_until([&] { return server.requests().size() == 1; });
        second = f.start(request("GET", server.url()));
        f.context.restart();
        f.context.run_for(10ms);
    }
    go.open();
    EXPECT_FALSE(first->done());
    EXPECT_FALSE(second->done());
    EXPECT_EQ(endpoints->find("GET", server.url()).concurrency_limit()->running(), 0U);
}

}  // namespace
}  // namespace asio_retry::test
