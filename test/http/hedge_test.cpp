// Hedged fetches: when another starts, which one wins, and that nothing of the others is left.
#include "http/support/fetcher.hpp"
#include <asio_retry/observer.hpp>
#include <asio_retry/testing/manual_clock.hpp>

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

connection_script answers(int status, std::string_view body = "") {
    return {expect_request(), send(response(status, body)), stall()};
}

/// Answers only once the other attempt has been asked for, which is this gate's to say.
connection_script answers_after(const gate& other, int status, std::string_view body = "") {
    return {expect_request(), wait_for(other), send(response(status, body)), stall()};
}

/// Its extra attempts start when the test moves the clock.
class hedging_fetcher : public fetcher {
public:
    using fetcher::fetcher;

    /// Fetches; as often as extra attempts are to start, 20 ms pass once the server has been asked
    /// for the one before.
    http::fetch_result hedge(const scripted_server& server,
                             request r,
                             const http::fetch_policy& policy,
                             unsigned extra = 1) {
        const auto call = start(std::move(r), policy);
        let_start(server, extra);
        run_until(call);
        run_out();
        return std::move(*call->result);
    }

    void let_start(const scripted_server& server, unsigned extra = 1) {
        const std::size_t first = asked_before_ + 1;
        for (std::size_t n = first; n < first + extra; ++n) {
            run_until([&] { return server.requests().size() == n; });
            pass(20ms);
        }
    }

    /// The number of requests that the server has had before the call that is to be hedged.
    void asked_before(std::size_t count) { asked_before_ = count; }

    /// Lets time pass, and what is due by then happen.
    void pass(std::chrono::milliseconds time) {
        clock_.advance(time);
        run_ready();
    }

    std::size_t idle() const { return state->pool.count().idle; }

private:
    testing::manual_clock clock_{context};
    std::size_t asked_before_ = 0;
};

TEST(HedgedFetch, TakesTheSecondWhereTheFirstIsSilent) {
    scripted_server server({silent, answers(200, "second")});
    hedging_fetcher f;
    const auto r = f.hedge(server, request("GET", server.url()), hedged());
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
    EXPECT_EQ(report.history()[1].started, 20ms);
    EXPECT_EQ(report.elapsed(), 20ms);
    EXPECT_FALSE(report.last_error());
    EXPECT_EQ(f.state->pool.count().open, 1U);
    EXPECT_EQ(f.state->pool.count().idle, 1U);
}

TEST(HedgedFetch, ClosesTheConnectionOfTheLoserBeforeItReturns) {
    scripted_server server({silent, {expect_request(), send(response(200)), close()}});
    hedging_fetcher f;
    const auto call = f.start(request("GET", server.url()), hedged());
    f.let_start(server);
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
    const gate asked;
    scripted_server server(
        {answers_after(asked, 200, "first"), {expect_request(), open_gate(asked), stall()}});
    hedging_fetcher f;
    const auto r = f.hedge(server, request("GET", server.url()), hedged());
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r->body(), "first");
    EXPECT_EQ(r.report().attempts(), 2U);
    EXPECT_EQ(r.report().history().at(1).kind, failure_kind::cancelled);
}

TEST(HedgedFetch, DoesNotHedgeWhatMustNotBeRepeated) {
    for (const bool by_method : {true, false}) {
        const gate waited;
        scripted_server server({answers_after(waited, 200)});
        hedging_fetcher f;
        const auto call =
            f.start(by_method ? request("POST", server.url()).body("x")
                              : request("GET", server.url()).repeatable(http::repeat::forbidden),
                    hedged());
        f.let_start(server);
        f.pass(5s);
        gate(waited).open();
        f.run_until(call);
        EXPECT_TRUE((*call)->ok());
        EXPECT_EQ((*call)->report().attempts(), 1U);
        EXPECT_EQ(server.connections_accepted(), 1U);
    }
}

TEST(HedgedFetch, SendsOneKeyInAll) {
    scripted_server server({silent, answers(200)});
    hedging_fetcher f;
    const auto r = f.hedge(server,
                           request("POST", server.url()).body("x"),
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
    const auto policy = hedged().max_redirects(1).idempotency(http::idempotency::generate_key);
    const auto redirect = send(response(307, "", "Location: /charges\r\n"));
    const gate hedged_now;
    const gate both_asked;
    scripted_server server({{expect_request(),
                             wait_for(hedged_now),
                             redirect,
                             expect_request(),
                             open_gate(both_asked),
                             stall()},
                            {expect_request(),
                             open_gate(hedged_now),
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
    hedging_fetcher f(
        http::client_config().endpoints(std::make_shared<http::endpoint_registry>(table)));
    const auto call =
        f.start(request("POST", server.url()).body("x").repeatable(http::repeat::allowed));
    f.let_start(server);
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
    hedging_fetcher f;
    ASSERT_TRUE(
        f.hedge(server, request("GET", server.url()), hedged().attempt_header("X-Try")).ok());
    ASSERT_TRUE(server.wait_for_requests(2));
    EXPECT_EQ(server.requests().at(0).count("X-Try"), 0U);
    EXPECT_EQ(server.requests().at(1).field("X-Try"), "2");
}

TEST(HedgedFetch, WaitsForTheOtherIfOneFails) {
    scripted_server server({silent, answers(503)});
    hedging_fetcher f;
    const auto call = f.start(request("GET", server.url()),
                              hedged(20ms, no_wait().max_attempts(1).attempt_timeout(100ms)));
    f.let_start(server);
    f.run_until([&] { return f.idle() == 1; });
    f.pass(80ms);
    f.run_until(call);
    const auto& r = **call;
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(r.error(), asio_retry::error::attempt_timeout);
    // What the second one brought is not lost.
    ASSERT_TRUE(r.has_value());
    EXPECT_EQ(r->status(), 503U);
    EXPECT_EQ(attempts(r.report()), "1:the attempt timed out 2:503");
}

TEST(HedgedFetch, GoesOnRetryingBesideTheExtraAttempt) {
    const gate asked;
    scripted_server server({{expect_request(), wait_for(asked), send(last_response(503)), close()},
                            {expect_request(), open_gate(asked), stall()},
                            answers(200, "third")});
    hedging_fetcher f;
    const auto r = f.hedge(server, request("GET", server.url()), hedged());
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r->body(), "third");
    ASSERT_EQ(r.report().history().size(), 3U);
    for (unsigned n = 0; n < 3; ++n) EXPECT_EQ(r.report().history()[n].number, n + 1);
    EXPECT_EQ(r.report().history()[0].status, 503);
    EXPECT_EQ(r.report().history()[2].status, 200);
}

TEST(HedgedFetch, EndsAsTheFirstIfAllFail) {
    const gate asked;
    const gate first_ended;
    scripted_server server({answers_after(asked, 503, "one"),
                            {expect_request(),
                             open_gate(asked),
                             wait_for(first_ended),
                             send(response(500, "two")),
                             stall()}});
    hedging_fetcher f;
    const auto call =
        f.start(request("GET", server.url()), hedged(20ms, no_wait().max_attempts(1)));
    f.let_start(server);
    f.run_until([&] { return f.idle() == 1; });
    gate(first_ended).open();
    f.run_until(call);
    const auto& r = **call;
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(r->body(), "one");
    EXPECT_EQ(attempts(r.report()), "1:503 2:500");
}

TEST(HedgedFetch, IsDecidedByAPermanentResponse) {
    scripted_server server({silent, answers(404, "none")});
    hedging_fetcher f;
    const auto r = f.hedge(server, request("GET", server.url()), hedged());
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r->status(), 404U);
    EXPECT_FALSE(r.error());
}

TEST(HedgedFetch, StartsAsManyAsItMay) {
    scripted_server server({silent, silent, silent, answers(200)});
    hedging_fetcher f;
    const auto r = f.hedge(server, request("GET", server.url()), hedged(20ms, no_wait(), 3), 3);
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r.report().attempts(), 4U);
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

TEST(HedgedFetch, DoesNotHedgeInABackoff) {
    scripted_server server(
        {{expect_request(), send(response(503)), expect_request(), send(response(200)), stall()}});
    hedging_fetcher f;
    const auto slow =
        no_wait().backoff(backoff::constant(100ms).jitter(jitter::none)).max_attempts(2);
    const auto call = f.start(request("GET", server.url()), hedged(20ms, slow));
    f.run_until([&] { return f.idle() == 1; });
    f.pass(99ms);
    EXPECT_EQ(server.requests().size(), 1U);
    f.pass(1ms);
    f.run_until(call);
    ASSERT_TRUE((*call)->ok());
    EXPECT_EQ(attempts((*call)->report()), "1:503 2:200");
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST(HedgedFetch, DoesNotHedgeInTheQueueOfThePool) {
    const gate queued;
    scripted_server server({{expect_request(),
                             wait_for(queued),
                             send(response(200)),
                             expect_request(),
                             send(response(200)),
                             stall()}});
    hedging_fetcher f(http::client_config().pool(http::pool_limits().per_origin(1)));
    const auto first = f.start(request("GET", server.url()), at_once());
    f.run_until([&] { return server.requests().size() == 1; });
    const auto second = f.start(request("GET", server.url()), hedged());
    f.run_until([&] { return f.state->pool.count().waiting == 1; });
    f.pass(5s);
    EXPECT_EQ(f.state->pool.count().waiting, 1U);
    gate(queued).open();
    f.run_until(second);
    f.run_out();
    ASSERT_TRUE((*second)->ok());
    EXPECT_EQ((*second)->report().attempts(), 1U);
}

TEST(HedgedFetch, KeepsTheDeadlineOfTheCall) {
    scripted_server server({silent, silent});
    hedging_fetcher f;
    const auto call =
        f.start(request("GET", server.url()), hedged(20ms, no_wait().total_timeout(100ms)));
    f.let_start(server);
    f.run_until([&] { return server.requests().size() == 2; });
    f.pass(80ms);
    f.run_until(call);
    EXPECT_EQ((*call)->reason(), reason::deadline_exceeded);
    EXPECT_EQ((*call)->report().attempts(), 2U);
    EXPECT_EQ((*call)->report().elapsed(), 100ms);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(HedgedFetch, FollowsRedirectsInEachLane) {
    scripted_server server({silent,
                            {expect_request(),
                             send(response(302, "", "Location: /b\r\n")),
                             expect_request(),
                             send(response(200, "b")),
                             stall()}});
    hedging_fetcher f;
    const auto r = f.hedge(server, request("GET", server.url()), hedged().max_redirects(2));
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r->body(), "b");
    ASSERT_EQ(r.report().history().size(), 3U);
    EXPECT_EQ(r.report().history()[2].number, 3U);
}

TEST(HedgedFetch, ResendsOnAFreshConnectionAndHedgesThat) {
    scripted_server server({{expect_request(), send(response(200)), expect_request(), close()},
                            silent,
                            answers(200, "third")});
    hedging_fetcher f;
    ASSERT_TRUE(f.get(server.url()).ok());
    f.asked_before(2);
    const auto r = f.hedge(server, request("GET", server.url()), hedged());
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
    const gate asked;
    scripted_server server({answers_after(asked, 503),
                            {expect_request(), open_gate(asked), send(response(503)), stall()}});
    hedging_fetcher f;
    const auto seen = std::make_shared<watcher>();
    const auto r = f.hedge(server,
                           request("GET", server.url("/a")),
                           hedged(20ms, no_wait().max_attempts(1).observer(seen)));
    EXPECT_FALSE(r.ok());
    EXPECT_EQ(seen->started, (std::vector<unsigned>{1, 2}));
    EXPECT_EQ(seen->finished, (std::set<unsigned>{1, 2}));
    EXPECT_EQ(seen->gave_ups, 1);
    EXPECT_EQ(seen->text, "GET " + server.url("/a") + " 2");
}

TEST(HedgedFetch, BoundsItsHistory) {
    scripted_server server({silent, silent, silent, answers(200)});
    hedging_fetcher f;
    const auto r =
        f.hedge(server, request("GET", server.url()), hedged(20ms, no_wait().max_history(2), 3), 3);
    ASSERT_TRUE(r.ok());
    ASSERT_EQ(r.report().history().size(), 2U);
    EXPECT_EQ(r.report().history()[1].number, 4U);
    EXPECT_EQ(r.report().forgotten(), 2U);
}

class CancelHedged : public ::testing::TestWithParam<asio::cancellation_type> {};

TEST_P(CancelHedged, EndsAllOfThem) {
    for (const unsigned lanes : {1U, 2U}) {
        scripted_server server({silent, silent});
        hedging_fetcher f;
        const auto call = f.start(request("GET", server.url()), hedged());
        f.let_start(server, lanes - 1);
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
                         ::testing::Values(asio::cancellation_type::terminal,
                                           asio::cancellation_type::partial,
                                           asio::cancellation_type::total));

TEST(HedgedFetch, IsCancelledAlsoWhenTheFirstHasFailedAlready) {
    const gate asked;
    scripted_server server(
        {answers_after(asked, 500), {expect_request(), open_gate(asked), stall()}});
    hedging_fetcher f;
    const auto call =
        f.start(request("GET", server.url()), hedged(20ms, no_wait().max_attempts(1)));
    f.let_start(server);
    f.run_until([&] { return f.idle() == 1; });
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
