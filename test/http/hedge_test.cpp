// Hedged fetches: when another starts, which one wins, and that nothing of the others is left.
#include "http/support/fetcher.hpp"
#include <asio_retry/observer.hpp>

#include <set>

namespace asio_retry::test {
namespace {

http::fetch_policy hedged(std::chrono::milliseconds after = 20ms,
                          retry_policy retry = no_wait(),
                          unsigned max_extra = 1) {
    return std::move(
        at_once(std::move(retry)).hedge(hedge_options().after(after).max_extra(max_extra)));
}

const connection_script silent = {expect_request(), stall()};

connection_script answers(int status,
                          std::string_view body = "",
                          std::chrono::milliseconds d = {}) {
    return {expect_request(), pause(d), send(response(status, body)), stall()};
}

TEST(HedgedFetch, TakesTheSecondWhereTheFirstIsSilent) {
    scripted_server server({silent, answers(200, "second")});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), hedged());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "second");
    EXPECT_FALSE(r.error());
    const auto& report = r.report();
    EXPECT_EQ(report.attempts(), 2U);
    ASSERT_EQ(report.history().size(), 2U);
    EXPECT_EQ(report.history()[0].number, 1U);
    EXPECT_EQ(report.history()[0].kind, failure_kind::cancelled);
    EXPECT_EQ(report.history()[1].number, 2U);
    EXPECT_EQ(report.history()[1].status, 200);
    EXPECT_GE(report.history()[1].started, 20ms);
    EXPECT_GE(report.elapsed(), report.history()[1].started + report.history()[1].elapsed);
    EXPECT_FALSE(report.last_error());
    EXPECT_EQ(f.state->pool.count().open, 1U);
    EXPECT_EQ(f.state->pool.count().idle, 1U);
}

TEST(HedgedFetch, ClosesTheConnectionOfTheLoserBeforeItReturns) {
    scripted_server server({silent, {expect_request(), send(response(200)), close()}});
    fetcher f;
    const auto call = f.start(request("GET", server.url()), hedged());
    f.run_until(call);
    EXPECT_EQ(f.state->pool.count().open, 1U);
    ASSERT_TRUE(server.wait_until_closed());
    EXPECT_EQ(server.connections().at(0).end, connection_end::by_client);
}

TEST(HedgedFetch, DoesNotHedgeAQuickFirst) {
    scripted_server server({answers(200, "first")});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), hedged(10s));
    EXPECT_EQ(r->body(), "first");
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST(HedgedFetch, TakesTheFirstIfThatIsFirstAfterAll) {
    scripted_server server({answers(200, "first", 60ms), silent});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), hedged());
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r->body(), "first");
    EXPECT_EQ(r.report().attempts(), 2U);
    EXPECT_EQ(r.report().history().at(1).kind, failure_kind::cancelled);
}

TEST(HedgedFetch, DoesNotHedgeWhatMustNotBeRepeated) {
    scripted_server server({answers(200, "", 60ms)});
    fetcher f;
    EXPECT_TRUE(f.fetch(request("POST", server.url()).body("x"), hedged(1ms)).ok());
    EXPECT_EQ(server.connections_accepted(), 1U);
    scripted_server other({answers(200, "", 60ms)});
    EXPECT_TRUE(
        f.fetch(request("GET", other.url()).repeatable(http::repeat::forbidden), hedged(1ms)).ok());
    EXPECT_EQ(other.connections_accepted(), 1U);
}

TEST(HedgedFetch, SendsOneKeyInAll) {
    scripted_server server({silent, answers(200)});
    fetcher f;
    const auto r = f.fetch(request("POST", server.url()).body("x"),
                           hedged().idempotency(http::idempotency::generate_key));
    ASSERT_TRUE(r.ok());
    ASSERT_TRUE(server.wait_for_requests(2));
    const auto seen = server.requests();
    EXPECT_EQ(seen[0].field("Idempotency-Key").size(), 36U);
    EXPECT_EQ(seen[0].field("Idempotency-Key"), seen[1].field("Idempotency-Key"));
    EXPECT_EQ(seen[1].body, "x");
}

/// Also where a key is wanted only behind a redirect.
TEST(HedgedFetch, SendsOneKeyInAllAlsoBehindARedirect) {
    const auto policy = hedged(5ms).max_redirects(1).idempotency(http::idempotency::generate_key);
    const auto redirect = send(response(307, "", "Location: /charges\r\n"));
    const gate both_asked;
    scripted_server server({{expect_request(),
                             pause(30ms),
                             redirect,
                             expect_request(),
                             open_gate(both_asked),
                             stall()},
                            {expect_request(),
                             redirect,
                             expect_request(),
                             wait_for(both_asked),
                             send(response(200)),
                             stall()}});
    const http::endpoint charges("charges", http::endpoint_match().path("/charges"));
    auto unkeyed = policy;
    unkeyed.idempotency(http::idempotency::by_method);
    using http::endpoint_policy;
    const http::endpoint_table table(
        endpoint_policy().fetch(unkeyed),
        {http::endpoint(charges).policy(endpoint_policy().fetch(policy))});
    fetcher f(http::client_config().endpoints(std::make_shared<http::endpoint_registry>(table)));
    const auto call =
        f.start(request("POST", server.url()).body("x").repeatable(http::repeat::allowed));
    f.run_until(call);
    ASSERT_TRUE((*call)->ok()) << (*call)->report().summary();
    std::set<std::string> keys;
    for (const auto& each : server.requests()) {
        if (each.target == "/charges") keys.insert(each.field("Idempotency-Key"));
    }
    EXPECT_EQ(server.requests().size(), 4U);
    EXPECT_EQ(keys.size(), 1U);
    EXPECT_EQ(keys.begin()->size(), 36U);
}

TEST(HedgedFetch, NumbersTheExtraRequest) {
    scripted_server server({silent, answers(200)});
    fetcher f;
    ASSERT_TRUE(f.fetch(request("GET", server.url()), hedged().attempt_header("X-Try")).ok());
    ASSERT_TRUE(server.wait_for_requests(2));
    EXPECT_EQ(server.requests().at(0).count("X-Try"), 0U);
    EXPECT_EQ(server.requests().at(1).field("X-Try"), "2");
}

TEST(HedgedFetch, WaitsForTheOtherIfOneFails) {
    scripted_server server({silent, answers(503)});
    fetcher f;
    auto policy = hedged(20ms, no_wait().max_attempts(1).attempt_timeout(100ms));
    const auto r = f.fetch(request("GET", server.url()), policy);
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(r.error(), asio_retry::error::attempt_timeout);
    // What the second one brought is not lost.
    ASSERT_TRUE(r.has_value());
    EXPECT_EQ(r->status(), 503U);
    EXPECT_EQ(attempts(r.report()), "1:the attempt timed out 2:503");
}

TEST(HedgedFetch, GoesOnRetryingBesideTheExtraAttempt) {
    scripted_server server({{expect_request(), pause(60ms), send(response(503)), close()},
                            silent,
                            answers(200, "third")});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), hedged());
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r->body(), "third");
    ASSERT_EQ(r.report().history().size(), 3U);
    for (unsigned n = 0; n < 3; ++n) EXPECT_EQ(r.report().history()[n].number, n + 1);
    EXPECT_EQ(r.report().history()[0].status, 503);
    EXPECT_EQ(r.report().history()[2].status, 200);
}

TEST(HedgedFetch, EndsAsTheFirstIfAllFail) {
    scripted_server server({answers(503, "one", 60ms), answers(500, "two", 100ms)});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), hedged(20ms, no_wait().max_attempts(1)));
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(r->body(), "one");
    EXPECT_EQ(attempts(r.report()), "1:503 2:500");
}

TEST(HedgedFetch, IsDecidedByAPermanentResponse) {
    scripted_server server({silent, answers(404, "none")});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), hedged());
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r->status(), 404U);
    EXPECT_FALSE(r.error());
}

TEST(HedgedFetch, StartsAsManyAsItMay) {
    scripted_server server({silent, silent, silent, answers(200)});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), hedged(20ms, no_wait(), 3));
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r.report().attempts(), 4U);
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

TEST(HedgedFetch, DoesNotHedgeInABackoff) {
    scripted_server server(
        {{expect_request(), send(response(503)), expect_request(), send(response(200)), stall()}});
    fetcher f;
    const auto slow =
        no_wait().backoff(backoff::constant(100ms).jitter(jitter::none)).max_attempts(2);
    const auto r = f.fetch(request("GET", server.url()), hedged(20ms, slow));
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(attempts(r.report()), "1:503 2:200");
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST(HedgedFetch, DoesNotHedgeInTheQueueOfThePool) {
    scripted_server server({{expect_request(),
                             pause(100ms),
                             send(response(200)),
                             expect_request(),
                             send(response(200)),
                             stall()}});
    fetcher f(http::client_config().pool(http::pool_limits().per_origin(1)));
    const auto first = f.start(request("GET", server.url()), at_once());
    f.run_until([&] { return server.requests().size() == 1; });
    const auto second = f.start(request("GET", server.url()), hedged(20ms));
    f.run_until(second);
    f.run_out();
    ASSERT_TRUE((*second)->ok());
    EXPECT_EQ((*second)->report().attempts(), 1U);
}

TEST(HedgedFetch, KeepsTheDeadlineOfTheCall) {
    scripted_server server({silent, silent});
    fetcher f;
    const auto r =
        f.fetch(request("GET", server.url()), hedged(20ms, no_wait().total_timeout(100ms)));
    EXPECT_EQ(r.reason(), reason::deadline_exceeded);
    EXPECT_EQ(r.report().attempts(), 2U);
    EXPECT_GE(r.report().elapsed(), 100ms);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(HedgedFetch, FollowsRedirectsInEachLane) {
    scripted_server server({silent,
                            {expect_request(),
                             send(response(302, "", "Location: /b\r\n")),
                             expect_request(),
                             send(response(200, "b")),
                             stall()}});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), hedged().max_redirects(2));
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r->body(), "b");
    ASSERT_EQ(r.report().history().size(), 3U);
    EXPECT_EQ(r.report().history()[2].number, 3U);
}

TEST(HedgedFetch, ResendsOnAFreshConnectionAndHedgesThat) {
    scripted_server server({{expect_request(), send(response(200)), expect_request(), close()},
                            silent,
                            answers(200, "third")});
    fetcher f;
    ASSERT_TRUE(f.get(server.url()).ok());
    const auto r = f.fetch(request("GET", server.url()), hedged());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "third");
    ASSERT_EQ(r.report().history().size(), 3U);
    EXPECT_EQ(r.report().history()[0].source, delay_source::stale_connection);
    EXPECT_EQ(r.report().history()[1].number, 1U);
    EXPECT_EQ(r.report().history()[2].number, 2U);
}

class watcher final : public observer {
public:
    void attempt_started(std::string_view, const attempt& a) noexcept override {
        started.push_back(a.number());
    }
    void attempt_finished(std::string_view, const attempt_record& r) noexcept override {
        finished.insert(r.number);
    }
    void gave_up(std::string_view operation, const retry_report& r) noexcept override {
        ++gave_ups;
        text = std::string(operation) + " " + std::to_string(r.attempts());
    }

    std::vector<unsigned> started;
    std::set<unsigned> finished;
    int gave_ups = 0;
    std::string text;
};

TEST(HedgedFetch, TellsAnObserverOfEachAttemptAndOfOneEnd) {
    scripted_server server({answers(503, "", 60ms), answers(503, "", 60ms), answers(503)});
    fetcher f;
    const auto seen = std::make_shared<watcher>();
    const auto r = f.fetch(request("GET", server.url("/a")),
                           hedged(20ms, no_wait().max_attempts(1).observer(seen)));
    EXPECT_FALSE(r.ok());
    EXPECT_EQ(seen->started, (std::vector<unsigned>{1, 2}));
    EXPECT_EQ(seen->finished, (std::set<unsigned>{1, 2}));
    EXPECT_EQ(seen->gave_ups, 1);
    EXPECT_EQ(seen->text, "GET " + server.url("/a") + " 2");
}

TEST(HedgedFetch, BoundsItsHistory) {
    scripted_server server({silent, silent, silent, answers(200)});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), hedged(20ms, no_wait().max_history(2), 3));
    ASSERT_TRUE(r.ok());
    ASSERT_EQ(r.report().history().size(), 2U);
    EXPECT_EQ(r.report().history()[1].number, 4U);
    EXPECT_EQ(r.report().forgotten(), 2U);
}

class CancelHedged : public testing::TestWithParam<asio::cancellation_type> {};

TEST_P(CancelHedged, EndsAllOfThem) {
    for (const std::size_t lanes : {1U, 2U}) {
        scripted_server server({silent, silent});
        fetcher f;
        const auto call = f.start(request("GET", server.url()), hedged(lanes == 1 ? 10s : 10ms));
        f.run_until([&] { return server.requests().size() == lanes; });
        call->signal.emit(GetParam());
        f.run_until(call);
        f.run_out();
        EXPECT_EQ(call->times, 1);
        EXPECT_EQ((*call)->reason(), reason::cancelled);
        EXPECT_EQ((*call)->error(), asio::error::operation_aborted);
        EXPECT_EQ((*call)->report().history().size(), lanes);
        EXPECT_EQ(f.state->pool.count().open, 0U);
    }
}

INSTANTIATE_TEST_SUITE_P(Types,
                         CancelHedged,
                         testing::Values(asio::cancellation_type::terminal,
                                         asio::cancellation_type::partial,
                                         asio::cancellation_type::total));

TEST(HedgedFetch, IsCancelledAlsoWhenTheFirstHasFailedAlready) {
    const gate failed;
    scripted_server server(
        {{expect_request(), pause(50ms), send(response(500)), open_gate(failed), stall()}, silent});
    fetcher f;
    const auto call = f.start(request("GET", server.url()), hedged(5ms, no_wait().max_attempts(1)));
    f.run_until([&] { return failed.is_open() && server.requests().size() == 2; });
    f.context.restart();
    f.context.run_for(20ms);
    ASSERT_FALSE(call->done());
    call->signal.emit(asio::cancellation_type::terminal);
    f.run_until(call);
    EXPECT_EQ((*call)->reason(), reason::cancelled);
    EXPECT_EQ((*call)->error(), asio::error::operation_aborted);
    EXPECT_EQ((**call)->status(), 500U);
    EXPECT_EQ((*call)->report().history().size(), 2U);
}

TEST(HedgedFetch, CanBeCancelledAfterAnyNumberOfHandlers) {
    bool finished = false;
    for (int n = 0; !finished; ++n) {
        ASSERT_LT(n, 1000);
        scripted_server server({silent, answers(200, "end"), answers(200, "end")});
        fetcher f;
        const auto call = f.start(request("GET", server.url()), hedged(2ms));
        for (int i = 0; i < n && !call->done(); ++i) {
            f.context.restart();
            f.context.run_one_for(5s);
        }
        finished = call->done();
        call->signal.emit(asio::cancellation_type::total);
        f.run_until(call);
        f.run_out();
        ASSERT_EQ(call->times, 1) << n;
        ASSERT_TRUE((*call)->ok() || (*call)->reason() == reason::cancelled) << n;
        ASSERT_EQ(f.state->pool.count().open, f.state->pool.count().idle) << n;
    }
}

TEST(HedgedFetch, EndsWithItsContext) {
    scripted_server server({silent, silent});
    std::shared_ptr<pending_fetch> call;
    {
        fetcher f;
        call = f.start(request("GET", server.url()), hedged(5ms));
        f.run_until([&] { return server.requests().size() == 2; });
    }
    EXPECT_FALSE(call->done());
}

}  // namespace
}  // namespace asio_retry::test
