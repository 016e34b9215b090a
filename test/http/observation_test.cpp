// What an observer is told of a fetch: of each attempt once, by its number in the whole call.
#include "http/support/fetcher.hpp"
#include <asio_retry/http/attempt_hook.hpp>
#include <asio_retry/observer.hpp>

#include <memory>
#include <string>

namespace asio_retry::test {
namespace {

class listener final : public observer {
public:
    void attempt_started(std::string_view, const attempt& a) noexcept override {
        told += "+" + std::to_string(a.number()) + " ";
    }
    void attempt_finished(std::string_view, const attempt_record& r) noexcept override {
        told += std::to_string(r.number) + ":" + std::to_string(r.status) + " ";
        ends_in_order = ends_in_order && r.started >= last_end;
        last_end = r.started + r.elapsed;
    }
    void gave_up(std::string_view operation, const retry_report& r) noexcept override {
        told += "gave up " + std::string(operation) + " " + std::to_string(r.attempts());
    }

    std::string told;
    std::chrono::nanoseconds last_end{0};
    bool ends_in_order = true;
};

std::string location(const std::string& url) { return "Location: " + url + "\r\n"; }

TEST(Observation, NumbersAttemptsOnFromHopToHop) {
    scripted_server server({{expect_request(),
                             send(response(503)),
                             expect_request(),
                             send(response(302, "", location("/b"))),
                             expect_request(),
                             send(response(503)),
                             expect_request(),
                             send(response(404)),
                             stall()}});
    const auto seen = std::make_shared<listener>();
    fetcher f;
    const auto r = f.fetch(request("GET", server.url("/a")),
                           at_once(no_wait().observer(seen)).max_redirects(1));
    EXPECT_EQ(r->status(), 404U);
    EXPECT_EQ(seen->told,
              "+1 1:503 +2 2:302 +3 3:503 +4 4:404 gave up GET " + server.url("/b") + " 4");
    EXPECT_TRUE(seen->ends_in_order);
}

TEST(Observation, NumbersARequestThatWasRenewedOn) {
    class renewer final : public http::attempt_hook {
    public:
        asio::awaitable<void> before_attempt(request&, unsigned) override { co_return; }
        asio::awaitable<bool> refused(const http::response&) override { co_return true; }
    };
    scripted_server server(
        {{expect_request(), send(response(401)), expect_request(), send(response(200)), stall()}});
    const auto seen = std::make_shared<listener>();
    fetcher f;
    f.fetch(request("GET", server.url()),
            at_once(no_wait().observer(seen)).hook(std::make_shared<renewer>()));
    EXPECT_EQ(seen->told, "+1 1:401 +2 2:200 ");
}

TEST(Observation, OfARequestLeavesItsPolicyAlone) {
    scripted_server server({{expect_request(),
                             send(response(302, "", location("/b"))),
                             expect_request(),
                             send(response(503)),
                             expect_request(),
                             send(response(503)),
                             stall()}});
    const auto of_policy = std::make_shared<listener>();
    http::endpoint_policy twice;
    twice.fetch(at_once(no_wait().max_attempts(2).observer(of_policy))).retry_budget(std::nullopt);
    http::endpoint_policy once;
    once.fetch(only_once().max_redirects(1)).retry_budget(std::nullopt);
    const http::endpoint b("b",
                           http::endpoint_match()
                               .origin("http://127.0.0.1:" + std::to_string(server.port()))
                               .path("/b"),
                           twice);
    const auto endpoints =
        std::make_shared<http::endpoint_registry>(http::endpoint_table(once, {b}));
    fetcher f(http::client_config().endpoints(endpoints));
    const auto seen = std::make_shared<listener>();
    const auto r = f.fetch(request("GET", server.url("/a")).observer(seen));
    EXPECT_EQ(attempts(r.report()), "1:302 2:503 3:503");
    EXPECT_EQ(seen->told, "+1 1:302 +2 2:503 +3 3:503 gave up GET " + server.url("/b") + " 3");
    EXPECT_EQ(of_policy->told, "");
}

}  // namespace
}  // namespace asio_retry::test
