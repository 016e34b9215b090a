// What a fetch sends, reads, repeats and reports.
#include "http/support/fetcher.hpp"
#include <asio_retry/observer.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <gmock/gmock.h>

namespace asio_retry::test {
namespace {

using testing::HasSubstr;

TEST(Fetch, GivesTheResponse) {
    scripted_server server(
        {{expect_request(), send(response(200, "hello", "X-A: b\r\n")), stall()}});
    fetcher f;
    const auto r = f.get(server.url("/a?b=c#d"));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->status(), 200U);
    EXPECT_EQ(r->version(), 11U);
    EXPECT_EQ(r->body(), "hello");
    EXPECT_EQ(r->headers()["x-a"], "b");
    EXPECT_EQ(r->url(), server.url("/a?b=c"));
    EXPECT_FALSE(r.error());
    const auto& record = r.report().history().at(0);
    EXPECT_EQ(record.status, 200);
    EXPECT_EQ(record.sent, send_state::full);
    EXPECT_EQ(record.remote, "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_FALSE(record.reused);
    const auto seen = server.requests().at(0);
    EXPECT_EQ(seen.target, "/a?b=c");
    EXPECT_EQ(seen.field("Host"), "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_THAT(seen.field("User-Agent"), HasSubstr("asio-retry/"));
}

TEST(Fetch, RepeatsOverTheSameConnection) {
    scripted_server server({{expect_request(),
                             send(response(503, "busy")),
                             expect_request(),
                             send(response(500, "ill")),
                             expect_request(),
                             send(response(200, "ok")),
                             stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    EXPECT_EQ(attempts(r.report()), "1:503 2:500 3:200");
    EXPECT_EQ(r->body(), "ok");
    EXPECT_FALSE(r.report().history()[0].reused);
    EXPECT_TRUE(r.report().history()[1].reused);
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST(Fetch, GivesUpWithTheLastResponse) {
    scripted_server server({{expect_request(), send(last_response(503, "one")), close()},
                            {expect_request(), send(last_response(503, "two")), close()}});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), at_once(no_wait().max_attempts(2)));
    EXPECT_FALSE(r.ok());
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    ASSERT_TRUE(r.has_value());
    EXPECT_EQ(r->body(), "two");
    EXPECT_FALSE(r.error());
}

TEST(Fetch, KeepsTheResponseOfAnEarlierAttempt) {
    scripted_server server(
        {{expect_request(), send(last_response(503, "busy")), refuse_further(), close()}});
    fetcher f;
    const auto r = f.get(server.url());
    EXPECT_EQ(r.error(), asio::error::connection_refused);
    ASSERT_TRUE(r.has_value());
    EXPECT_EQ(r->body(), "busy");
    EXPECT_EQ(r.report().attempts(), 4U);
}

TEST(Fetch, DoesNotRepeatWhatIsPermanent) {
    for (const int status : {400, 401, 404, 405, 413, 501, 505}) {
        scripted_server server({{expect_request(), send(response(status, "no")), stall()}});
        fetcher f;
        const auto r = f.get(server.url());
        EXPECT_EQ(r.reason(), reason::permanent_failure) << status;
        EXPECT_EQ(r->status(), static_cast<unsigned>(status));
        EXPECT_EQ(r.report().attempts(), 1U);
    }
}

TEST(Fetch, RepeatsA421OnAnotherConnection) {
    scripted_server server({{expect_request(), send(response(421)), stall()},
                            {expect_request(), send(response(200)), stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    EXPECT_EQ(attempts(r.report()), "1:421 2:200");
    EXPECT_EQ(r.report().history()[0].kind, failure_kind::connection_lost);
    EXPECT_EQ(server.connections_accepted(), 2U);
}

TEST(Fetch, WaitsAsLongAsTheServerAsks) {
    scripted_server server({{expect_request(),
                             send(response(429, "", "Retry-After: 1\r\n")),
                             expect_request(),
                             send(response(200)),
                             stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok());
    const auto& first = r.report().history().at(0);
    EXPECT_EQ(first.kind, failure_kind::throttling);
    EXPECT_EQ(first.source, delay_source::retry_after);
    EXPECT_GE(first.delay, 1s);
    EXPECT_GE(r.report().elapsed(), 1s);
}

TEST(Fetch, EndsWhenTheServerAsksForTooLongAWait) {
    scripted_server server(
        {{expect_request(), send(response(503, "", "Retry-After: 3600\r\n")), stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    EXPECT_EQ(r.reason(), reason::retry_after_too_long);
    EXPECT_EQ(r->status(), 503U);
}

class FetchOfPost : public testing::TestWithParam<int> {};

TEST_P(FetchOfPost, IsRepeatedOnlyIfItWasNotProcessed) {
    const bool turned_away = GetParam() != 500 && GetParam() != 503;
    scripted_server server({{expect_request(), send(last_response(GetParam())), close()},
                            {expect_request(), send(last_response(200)), close()}});
    fetcher f;
    const auto r = f.fetch(request("POST", server.url()).body("x"));
    EXPECT_EQ(r.ok(), turned_away);
    EXPECT_EQ(r.reason(), turned_away ? reason::success : reason::not_idempotent);
    EXPECT_EQ(server.requests().size(), turned_away ? 2U : 1U);
}

INSTANTIATE_TEST_SUITE_P(Statuses, FetchOfPost, testing::Values(408, 421, 425, 429, 500, 503));

TEST(Fetch, MakesUpOneKeyForAllAttempts) {
    scripted_server server(
        {{expect_request(), send(response(500)), expect_request(), send(response(200)), stall()}});
    fetcher f;
    const auto r = f.fetch(request("POST", server.url()).body("x"),
                           at_once().idempotency(http::idempotency::generate_key));
    ASSERT_TRUE(r.ok());
    const auto requests = server.requests();
    EXPECT_EQ(requests.at(0).field("Idempotency-Key").size(), 36U);
    EXPECT_EQ(requests.at(0).field("Idempotency-Key"), requests.at(1).field("Idempotency-Key"));
    EXPECT_EQ(requests.at(1).body, "x");
}

TEST(Fetch, MakesUpAKeyWhereARedirectLeadsToAnEndpointThatWantsOne) {
    using http::endpoint_policy;
    scripted_server server({{expect_request(),
                             send(response(307, "", "Location: /charges\r\n")),
                             expect_request(),
                             send(response(500)),
                             expect_request(),
                             send(response(200)),
                             stall()}});
    const auto policy = at_once().max_redirects(1);
    auto keyed = policy;
    keyed.idempotency(http::idempotency::generate_key);
    const http::endpoint charges("charges", http::endpoint_match().path("/charges"));
    http::endpoint_table table(endpoint_policy().fetch(policy),
                               {http::endpoint(charges).policy(endpoint_policy().fetch(keyed))});
    fetcher f(http::client_config().endpoints(std::make_shared<http::endpoint_registry>(table)));
    const auto r = f.fetch(request("POST", server.url()).body("x"));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    const auto requests = server.requests();
    EXPECT_EQ(requests.at(0).count("Idempotency-Key"), 0U);
    EXPECT_EQ(requests.at(1).field("Idempotency-Key").size(), 36U);
    EXPECT_EQ(requests.at(1).field("Idempotency-Key"), requests.at(2).field("Idempotency-Key"));
}

class FetchOfNothing : public testing::TestWithParam<std::pair<std::string, std::string>> {};

TEST_P(FetchOfNothing, HasNoBodyAndKeepsTheConnection) {
    const auto& [method, answer] = GetParam();
    scripted_server server(
        {{expect_request(), send(answer), expect_request(), send(response(200, "ok")), stall()}});
    fetcher f;
    const auto first = f.fetch(request(method, server.url()));
    ASSERT_TRUE(first.ok()) << first.error().message();
    EXPECT_EQ(first->body(), "");
    const auto second = f.get(server.url());
    EXPECT_EQ(second->body(), "ok");
    EXPECT_TRUE(second.report().history().at(0).reused);
}

INSTANTIATE_TEST_SUITE_P(
    Answers,
    FetchOfNothing,
    testing::Values(std::pair("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
                    std::pair("HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
                    std::pair("GET", "HTTP/1.1 204 No Content\r\n\r\n"),
                    std::pair("GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
                    std::pair("GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
                    std::pair("GET",
                              "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")));

TEST(Fetch, SkipsInformationalResponses) {
    scripted_server server({{expect_request(),
                             send("HTTP/1.1 100 Continue\r\n\r\n"
                                  "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
                             send_slowly("HTTP/1.1 102 Processing\r\n\r\n"),
                             send(response(200, "ok")),
                             stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok()) << r.error().message();
    EXPECT_EQ(r->body(), "ok");
    EXPECT_EQ(r->headers().count("Link"), 0U);
}

TEST(Fetch, ReadsChunksAndTrailersAByteAtATime) {
    scripted_server server({{expect_request(),
                             send_slowly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                         "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-End: 1\r\n\r\n"),
                             stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok()) << r.error().message();
    EXPECT_EQ(r->body(), "abcde");
    EXPECT_EQ(r->headers().count("X-End"), 0U);
}

TEST(Fetch, ReadsABodyUpToTheEndOfTheConnection) {
    scripted_server server({{expect_request(), send("HTTP/1.1 200 OK\r\n\r\nall of it"), close()}});
    fetcher f;
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(r->body(), "all of it");
}

TEST(Fetch, ReadsALargeBody) {
    std::string large(5'000'000, 'x');
    for (std::size_t i = 0; i < large.size(); i += 4099) large[i] = static_cast<char>('a' + i % 26);
    scripted_server server({{expect_request(), send(response(200, large)), stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok()) << r.error().message();
    EXPECT_TRUE(r->body() == large);
}

class InvalidFetch : public testing::TestWithParam<std::pair<request, http::error>> {};

TEST_P(InvalidFetch, IsRefusedBeforeAnythingIsSent) {
    fetcher f;
    const auto r = f.fetch(GetParam().first);
    EXPECT_EQ(r.error(), GetParam().second);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 0U);
    EXPECT_FALSE(r.has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Requests,
    InvalidFetch,
    testing::Values(std::pair(request("GET", "nonsense"), http::error::invalid_url),
                    std::pair(request("GET", "ftp://127.0.0.1/"), http::error::unsupported_scheme),
                    std::pair(request("G E T", "http://127.0.0.1/"), http::error::invalid_method),
                    std::pair(request("GET", "http://127.0.0.1/").header("A", "b\r\nC: d"),
                              http::error::invalid_header),
                    std::pair(request("GET", "http://127.0.0.1/").header("Content-Length", "3"),
                              http::error::forbidden_header)));

TEST(Fetch, TellsTheObserverWithoutCredentials) {
    class listener final : public observer {
    public:
        void attempt_finished(std::string_view operation, const attempt_record&) noexcept override {
            told = operation;
        }
        std::string told;
    };
    scripted_server server({{expect_request(), send(response(200)), stall()}});
    const auto l = std::make_shared<listener>();
    fetcher f;
    const std::string address = "127.0.0.1:" + std::to_string(server.port()) + "/a";
    f.fetch(request("GET", "http://user:secret@" + address), at_once(no_wait().observer(l)));
    EXPECT_EQ(l->told, "GET http://" + address);
    EXPECT_EQ(server.requests().at(0).field("Authorization"), "Basic dXNlcjpzZWNyZXQ=");
}

TEST(Fetch, FollowsRedirectsWhereToldTo) {
    scripted_server other({{expect_request(),
                            send(response(503)),
                            expect_request(),
                            send(response(200, "there")),
                            stall()}});
    scripted_server server({{expect_request(),
                             send(response(302, "", "Location: /b\r\n")),
                             expect_request(),
                             send(response(307, "", "Location: " + other.url("/c") + "\r\n")),
                             stall()}});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), at_once().max_redirects(2));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(attempts(r.report()), "1:302 2:307 3:503 4:200");
    EXPECT_EQ(r.report().attempts(), 4U);
    EXPECT_EQ(r->url(), other.url("/c"));
    EXPECT_EQ(r->body(), "there");
}

TEST(Fetch, StopsAfterTooManyRedirects) {
    scripted_server server({{expect_request(),
                             send(response(302, "", "Location: /b\r\n")),
                             expect_request(),
                             send(response(302, "", "Location: /c\r\n")),
                             stall()}});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), at_once().max_redirects(1));
    EXPECT_EQ(r.error(), http::error::too_many_redirects);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r->status(), 302U);
    EXPECT_EQ(attempts(r.report()), "1:302 2:302");
}

// The public face.

asio::awaitable<std::string> error_text(http::client* c, std::string url) {
    std::string text;
    try {
        co_await c->get(url);
    } catch (const retry_error& e) {
        text = e.what();
    }
    co_return text;
}

TEST(Client, ThrowsWhatFailedWhereAndWhy) {
    scripted_server server({}, scripted_server_options().refusing());
    asio::io_context context;
    http::client c(context.get_executor(), http::client_config().policy(only_once()));
    const std::string address = "127.0.0.1:" + std::to_string(server.port()) + "/a";
    auto text = asio::co_spawn(context, error_text(&c, "http://u:p@" + address), asio::use_future);
    context.run_for(20s);
    EXPECT_THAT(text.get(),
                testing::StartsWith("GET http://" + address + ": Connection refused after 1"));
}

TEST(Client, ServesAnyCompletionToken) {
    scripted_server server({{expect_request(),
                             send(response(200, "one")),
                             expect_request(),
                             send(response(503, "two")),
                             expect_request(),
                             send(response(503, "three")),
                             stall()}});
    asio::io_context context;
    http::client c(context.get_executor(), http::client_config().policy(only_once()));
    auto one = c.async_fetch(request("GET", server.url()), asio::use_future);
    context.run_for(20s);
    EXPECT_EQ(one.get().body(), "one");

    int calls = 0;
    c.async_try_fetch(request("GET", server.url()), [&](http::fetch_result r) {
        ++calls;
        EXPECT_EQ(r->body(), "two");
        EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    });
    EXPECT_EQ(calls, 0);
    context.restart();
    context.run_for(20s);
    EXPECT_EQ(calls, 1);

    auto lazy = c.async_fetch(request("GET", server.url()), asio::deferred);
    std::move(lazy)([&](error_code ec, const http::response& r) {
        ++calls;
        EXPECT_FALSE(ec);
        EXPECT_EQ(r.body(), "three");
    });
    context.restart();
    context.run_for(20s);
    EXPECT_EQ(calls, 2);
}

TEST(Client, MayGoBeforeItsCallsEnd) {
    scripted_server server({{expect_request(), pause(20ms), send(response(200, "ok")), stall()}});
    asio::io_context context;
    std::future<http::response> r;
    {
        http::client c(context.get_executor());
        r = c.async_fetch(request("GET", server.url()), asio::use_future);
    }
    context.run_for(20s);
    EXPECT_EQ(r.get().body(), "ok");
}

}  // namespace
}  // namespace asio_retry::test
