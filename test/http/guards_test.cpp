// The guards that an endpoint's calls share, round real fetches.
#include "http/support/guarded.hpp"
#include <asio_retry/http/download.hpp>

namespace asio_retry::test {
namespace {

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
