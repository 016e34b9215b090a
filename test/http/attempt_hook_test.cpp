// Attempts that are signed anew, and credentials that a 401 has renewed.
#include "http/support/fetcher.hpp"
#include <asio_retry/http/attempt_hook.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace asio_retry::test {
namespace {

class signer final : public http::attempt_hook {
public:
    asio::awaitable<void> before_attempt(request& r, unsigned number) override {
        if (fault) throw boost::system::system_error(fault);
        r.header("Authorization", token + "-" + std::to_string(number));
        co_return;
    }
    asio::awaitable<bool> refused(const http::response& r) override {
        ++refusals;
        seen = r.body();
        token = "fresh";
        if (meanwhile) meanwhile();
        co_return renews;
    }
    std::string token = "stale", seen;
    int refusals = 0;
    bool renews = true;
    error_code fault;
    std::function<void()> meanwhile;
};

TEST(AttemptHook, SignsEachAttemptAnewAndKeepsTheKey) {
    scripted_server server(
        {{expect_request(), send(response(503)), expect_request(), send(response(200)), stall()}});
    fetcher f;
    const auto hook = std::make_shared<signer>();
    auto policy = at_once().hook(hook).idempotency(http::idempotency::generate_key);
    const auto r = f.fetch(request("POST", server.url()).body("x"), policy);
    ASSERT_TRUE(r.ok()) << r.report().summary();
    const auto seen = server.requests();
    EXPECT_EQ(seen[0].field("Authorization"), "stale-1");
    EXPECT_EQ(seen[1].field("Authorization"), "stale-2");
    EXPECT_EQ(seen[1].count("Authorization"), 1U);
    EXPECT_NE(seen[0].field("Idempotency-Key"), "");
    EXPECT_EQ(seen[0].field("Idempotency-Key"), seen[1].field("Idempotency-Key"));
}

TEST(AttemptHook, RenewsWhatA401RefusesOnce) {
    for (const bool renews : {true, false}) {
        scripted_server server({{expect_request(),
                                 send(response(401, "who?")),
                                 expect_request(),
                                 send(response(401, "still")),
                                 stall()}});
        fetcher f;
        const auto hook = std::make_shared<signer>();
        hook->renews = renews;
        const auto r = f.fetch(request("GET", server.url()), at_once().hook(hook));
        EXPECT_EQ(attempts(r.report()), renews ? "1:401 2:401" : "1:401");
        EXPECT_EQ(r.reason(), reason::permanent_failure);
        EXPECT_EQ(r->body(), renews ? "still" : "who?");
        EXPECT_EQ(hook->refusals, 1);
        EXPECT_EQ(hook->seen, "who?");
        if (!renews) continue;
        EXPECT_EQ(server.requests().at(1).field("Authorization"), "fresh-2");
    }
}

TEST(AttemptHook, IsCancelledWhileItRenews) {
    for (const bool throws : {true, false}) {
        for (const bool renews : {true, false}) {
            scripted_server server({{expect_request(), send(response(401, "who?")), stall()}});
            fetcher f;
            const auto hook = std::make_shared<signer>();
            hook->renews = renews;
            const auto call = f.start(request("GET", server.url()), at_once().hook(hook));
            hook->meanwhile = [&] {
                call->signal.emit(asio::cancellation_type::terminal);
                if (throws) throw boost::system::system_error(asio::error::operation_aborted);
            };
            f.run_until(call);
            EXPECT_EQ((*call)->reason(), reason::cancelled);
            EXPECT_EQ((*call)->error(), asio::error::operation_aborted);
            EXPECT_EQ((*call)->report().attempts(), 1U);
            EXPECT_EQ((**call)->body(), "who?");
            EXPECT_EQ(server.requests().size(), 1U);
        }
    }
}

TEST(AttemptHook, EndsTheCallByThrowingOrByAMalformedField) {
    scripted_server server({});
    fetcher f;
    const auto hook = std::make_shared<signer>();
    hook->fault = asio::error::connection_refused;
    auto r = f.fetch(request("GET", server.url()), at_once().hook(hook));
    EXPECT_EQ(r.error(), asio::error::connection_refused);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    hook->fault = {};
    hook->token = "a\r\nB: c";
    r = f.fetch(request("GET", server.url()), at_once().hook(hook));
    EXPECT_EQ(r.error(), http::error::invalid_header);
    EXPECT_EQ(r.report().attempts(), 1U);
    EXPECT_EQ(server.connections_accepted(), 0U);
}

}  // namespace
}  // namespace asio_retry::test
