// Responses that are cut, malformed, too large, too slow, or early.
#include "http/support/fetcher.hpp"
#include <asio_retry/testing/manual_clock.hpp>

namespace asio_retry::test {
namespace {

using http::error;

/// While it lives, the client's connections have to wait without a buffer.
class crowd {
public:
    explicit crowd(fetcher& f) : blocks_(f.state->input_blocks) {
        while (taken_.size() < http::detail::client_state::most_waiting_buffers)
            taken_.push_back(blocks_.take().memory);
    }
    ~crowd() {
        for (void* const memory : taken_) blocks_.give({memory});
    }
    crowd(const crowd&) = delete;
    crowd& operator=(const crowd&) = delete;

private:
    http::detail::block_store& blocks_;
    std::vector<void*> taken_;
};

class Cut : public ::testing::TestWithParam<std::tuple<bool, std::string>> {};

TEST_P(Cut, AtEveryByteIsNeverAResponse) {
    const auto& [is_crowded, whole] = GetParam();
    std::vector<connection_script> scripts;
    for (std::size_t n = 0; n < whole.size(); ++n) {
        scripts.push_back({expect_request(), send(whole.substr(0, n)), close()});
    }
    scripted_server server(scripts);
    fetcher f(http::client_config().policy(only_once()));
    std::optional<crowd> others;
    if (is_crowded) others.emplace(f);
    for (std::size_t n = 0; n < whole.size(); ++n) {
        const auto r = f.get(server.url());
        EXPECT_FALSE(r.has_value()) << n;
        EXPECT_EQ(r.error(), n == 0 ? error::no_response : error::incomplete_response) << n;
        EXPECT_EQ(r.report().history().at(0).kind, failure_kind::connection_lost) << n;
    }
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Responses,
    Cut,
    ::testing::Combine(
        ::testing::Bool(),
        ::testing::Values("HTTP/1.1 200 OK\r\nContent-Length: 10\r\nX: y\r\n\r\n0123456789",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "5;e=1\r\n01234\r\n5\r\n56789\r\n0\r\nT: v\r\n\r\n",
                          "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")));

class Size : public ::testing::TestWithParam<bool> {};

TEST_P(Size, OfAnyKindIsReadWholeAndLeavesTheConnectionForTheNext) {
    constexpr std::size_t most = 1500;  // above what a call takes in without a buffer
    connection_script script;
    for (std::size_t n = 900; n < most; ++n) {
        script.push_back(expect_request());
        script.push_back(send(response(200, std::string(n, static_cast<char>('a' + n % 26)))));
    }
    script.push_back(stall());
    scripted_server server({script});
    fetcher f;
    std::optional<crowd> others;
    if (GetParam()) others.emplace(f);
    for (std::size_t n = 900; n < most; ++n) {
        const auto r = f.get(server.url());
        ASSERT_TRUE(r.ok()) << n << ' ' << r.report().summary();
        ASSERT_EQ(r->body(), std::string(n, static_cast<char>('a' + n % 26)));
        ASSERT_EQ(r.report().attempts(), 1U);
    }
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

INSTANTIATE_TEST_SUITE_P(Responses, Size, ::testing::Bool());

TEST(Response, ToEachOfManyThatWaitIsReadWhole) {
    constexpr std::size_t many = http::detail::client_state::most_waiting_buffers + 16;
    const std::string body(20'000, 'x');
    gate all_wait;
    scripted_server server({{expect_request(), wait_for(all_wait), send(response(200, body))}},
                           scripted_server_options().repeat_last());
    fetcher f(http::client_config().policy(at_once()).pool(http::pool_limits().per_origin(many)));
    std::vector<std::shared_ptr<pending_fetch>> calls;
    while (calls.size() < many) calls.push_back(f.start(request("GET", server.url())));
    f.run_until([&] { return server.requests().size() == many; });
    EXPECT_EQ(f.state->input_blocks.lent(), many - 16);
    all_wait.open();
    for (const auto& call : calls) {
        f.run_until(call);
        ASSERT_TRUE((*call)->ok()) << (*call)->report().summary();
        EXPECT_EQ((**call)->body(), body);
    }
    EXPECT_EQ(f.state->input_blocks.lent(), 0U);
}

TEST(Response, IsRepeatedWhenItWasCut) {
    scripted_server server({{expect_request(), send("HTTP/1.1 200 OK\r\nContent-Le"), close()},
                            {expect_request(), send(response(200, "whole").substr(0, 40)), reset()},
                            {expect_request(), send(response(200, "whole")), stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "whole");
    EXPECT_EQ(r.report().attempts(), 3U);
    EXPECT_EQ(r.report().history().at(1).status, 0);
}

// Its head was whole, and what the server asks for holds though its body is not.

TEST(CutResponse, IsNotRepeatedEarlierThanTheServerAsks) {
    scripted_server server(
        {{expect_request(),
          send("HTTP/1.1 503 No\r\nRetry-After: 3600\r\nContent-Length: 9\r\n\r\n"),
          close()}});
    fetcher f;
    const auto r = f.get(server.url());
    EXPECT_EQ(r.reason(), reason::retry_after_too_long);
    EXPECT_EQ(r.error(), error::incomplete_response);
    EXPECT_EQ(r.report().history().at(0).kind, failure_kind::connection_lost);
    EXPECT_FALSE(r.has_value());
}

TEST(CutResponse, IsNotRepeatedAgainstTheServersWord) {
    scripted_server server(
        {{expect_request(),
          send("HTTP/1.1 503 No\r\nX-Should-Retry: false\r\nContent-Length: 9\r\n\r\n"),
          close()}});
    fetcher f;
    EXPECT_EQ(f.get(server.url()).reason(), reason::permanent_failure);
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST(CutResponse, ToAPostIsRepeatedIfItsStatusProvesThatNothingWasDone) {
    for (const int status : {429, 503}) {
        const std::string head = "HTTP/1.1 " + std::to_string(status) + " No\r\n";
        scripted_server server(
            {{expect_request(), send(head + "Content-Length: 9\r\n\r\n"), close()},
             {expect_request(), send(last_response(200)), close()}});
        fetcher f;
        const auto r = f.fetch(request("POST", server.url()).body("x"));
        EXPECT_EQ(r.reason(), status == 429 ? reason::success : reason::not_idempotent);
        // The record shows the status, as it had a say, and why there is no response.
        EXPECT_EQ(r.report().history().at(0).status, status);
        EXPECT_EQ(r.report().history().at(0).error, error::incomplete_response);
    }
}

TEST(Response, ThatIsTooLargeToKeepIsRepeatedAsItsStatusSays) {
    const std::string large = response(503, std::string(1001, 'x'));
    scripted_server server({{expect_request(), send(large), stall()},
                            {expect_request(), send(large), stall()},
                            {expect_request(), send(response(200)), stall()}});
    fetcher f;
    auto policy = at_once();
    const auto r = f.fetch(request("GET", server.url()), policy.max_body_size(1000));
    EXPECT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r.report().history().at(1).kind, failure_kind::server);
    EXPECT_EQ(server.connections_accepted(), 3U);

    scripted_server in_vain({{expect_request(), send(large), stall()}});
    const auto failed = f.fetch(request("POST", in_vain.url()), policy);
    EXPECT_EQ(failed.reason(), reason::not_idempotent);
    EXPECT_EQ(failed.error(), error::body_too_large);
    EXPECT_FALSE(failed.has_value());
}

TEST(Response, IsNotMadeWholeByAReset) {
    scripted_server server(
        {{expect_request(), send("HTTP/1.1 200 OK\r\n\r\nall of it?"), reset()}});
    fetcher f(http::client_config().policy(only_once()));
    const auto r = f.get(server.url());
    EXPECT_FALSE(r.has_value());
    EXPECT_EQ(r.report().history().at(0).kind, failure_kind::connection_lost);
}

class Malformed : public ::testing::TestWithParam<std::string> {};

TEST_P(Malformed, IsAPermanentError) {
    scripted_server server({{expect_request(), send(GetParam()), stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    EXPECT_FALSE(r.has_value());
    EXPECT_EQ(r.reason(), reason::permanent_failure) << r.report().summary();
    EXPECT_EQ(r.report().attempts(), 1U);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Responses,
    Malformed,
    ::testing::Values(
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"));

std::string many(std::size_t n, const std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < n; ++i) all += text;
    return all;
}

class TooMuch : public ::testing::TestWithParam<std::pair<std::string, error>> {};

TEST_P(TooMuch, IsRefusedWithoutReadingItAll) {
    scripted_server server({{expect_request(), send(GetParam().first), stall()}});
    fetcher f;
    auto policy = at_once();
    policy.max_header_size(1000).max_body_size(1000);
    const auto r = f.fetch(request("GET", server.url()), policy);
    EXPECT_EQ(r.error(), GetParam().second);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
}

const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Responses,
    TooMuch,
    ::testing::Values(
        std::pair("HTTP/1.1 200 OK\r\nX: " + std::string(1000, 'x'), error::header_too_large),
        std::pair("HTTP/1.1 200 " + std::string(1000, 'x'), error::header_too_large),
        std::pair("HTTP/1.1 200 OK\r\n" + many(10'000, "A: b\r\n") + "\r\n",
                  error::header_too_large),
        std::pair(chunked + "1;" + std::string(20'000, 'x'), error::header_too_large),
        std::pair(chunked + "0\r\n" + many(10'000, "A: b\r\n"), error::header_too_large),
        std::pair("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", error::body_too_large),
        std::pair("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
                  error::body_too_large),
        std::pair(chunked + "3e9\r\n", error::body_too_large),
        std::pair(chunked + many(1001, "1\r\nx\r\n"), error::body_too_large),
        std::pair("HTTP/1.1 200 OK\r\n\r\n" + std::string(1001, 'x'), error::body_too_large),
        std::pair(many(100, "HTTP/1.1 100 Continue\r\n\r\n"), error::too_many_informational)));

/// Longer than `fields` can hold one, whatever the limit.
TEST(Fetch, RefusesAFieldThatIsTooLongInAnyCase) {
    const std::string name(65'534, 'n');
    for (const std::string& field : {"X: " + name, name + ": x"}) {
        const std::string sent = "HTTP/1.1 200 OK\r\n" + field + "\r\nContent-Length: 0\r\n\r\n";
        scripted_server server(
            {{expect_request(), send(sent), stall()}, {expect_head(), send(sent), stall()}});
        fetcher f;
        const auto policy = at_once().max_header_size(1024 * 1024);
        auto r = f.fetch(request("GET", server.url()), policy);
        EXPECT_EQ(r.error(), error::header_too_large);
        r = f.fetch(request("PUT", server.url()).body(std::string(30'000'000, 'x')), policy);
        EXPECT_EQ(r.error(), error::header_too_large);
    }
    for (const std::string& field : {"X: " + name.substr(1), name.substr(1) + ": x"}) {
        const std::string sent = "HTTP/1.1 200 OK\r\n" + field + "\r\nContent-Length: 0\r\n\r\n";
        scripted_server server({{expect_request(), send(sent), stall()}});
        fetcher f;
        const auto policy = at_once().max_header_size(1024 * 1024);
        EXPECT_TRUE(f.fetch(request("GET", server.url()), policy).ok());
    }
}

class Slow : public ::testing::TestWithParam<connection_script> {};

TEST_P(Slow, EndsAtTheAttemptTimeout) {
    scripted_server server({GetParam()}, scripted_server_options().repeat_last());
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()).body(std::string(3'000'000, 'x')),
                           at_once(no_wait().attempt_timeout(50ms).max_attempts(2)));
    EXPECT_EQ(r.error(), asio_retry::error::attempt_timeout);
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(attempts(r.report()), "1:the attempt timed out 2:the attempt timed out");
    EXPECT_EQ(r.report().history().at(0).kind, failure_kind::timeout);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Servers,
    Slow,
    ::testing::Values(
        connection_script{stall()},
        connection_script{stop_reading()},
        connection_script{expect_request(), stall()},
        connection_script{
            expect_request(), send_slowly(response(200, std::string(999, 'x')), 5ms), stall()},
        connection_script{expect_request(), send("HTTP/1.1 200 OK\r\n\r\nand then"), stall()},
        connection_script{expect_request(),
                          send_slowly(many(15, "HTTP/1.1 100 Continue\r\n\r\n"), 10ms, 25),
                          stall()}));

TEST(Response, IsTakenThoughTheBodyIsNotYetSent) {
    const std::string answer = last_response(413, "too large");
    const std::vector<connection_script> servers = {
        {expect_head(), send(answer), close()},
        {expect_head(), send(answer), reset()},
        {expect_head(), send(answer), stop_reading()},
        {expect_head(),
         send("HTTP/1.1 100 Continue\r\n\r\n" + answer),
         half_close(),
         stop_reading()},
        {expect_head(), send_slowly(answer, 1ms), stop_reading()},
    };
    for (std::size_t i = 0; i < servers.size(); ++i) {
        scripted_server server({servers[i]});
        fetcher f;
        const auto r = f.fetch(request("PUT", server.url()).body(std::string(30'000'000, 'x')));
        // A reset may overtake the response; then nobody can read it.
        if (i == 1 && !r.has_value()) continue;
        ASSERT_TRUE(r.has_value()) << i << " " << r.report().summary();
        EXPECT_EQ(r->status(), 413U) << i;
        EXPECT_EQ(r->body(), "too large") << i;
        EXPECT_EQ(r.report().history().back().sent, send_state::partial) << i;
        EXPECT_EQ(f.state->pool.count().open, 0U);
    }
}

TEST(Response, DoesNotStopABodyBecauseOfA100) {
    scripted_server server({{expect_head(),
                             send("HTTP/1.1 100 Continue\r\n\r\n"),
                             expect_body(),
                             send(response(200, "thanks")),
                             stall()}});
    fetcher f;
    const std::string body(10'000'000, 'x');
    const auto r = f.fetch(request("POST", server.url()).body(body));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "thanks");
    EXPECT_EQ(server.requests().at(0).body.size(), body.size());
    EXPECT_EQ(f.state->pool.count().idle, 1U);
}

TEST(Response, DoesNotComeWhenNothingListens) {
    scripted_server server({}, scripted_server_options().refusing());
    fetcher f;
    const auto r = f.fetch(request("POST", server.url()).body("x"));
    EXPECT_EQ(r.error(), asio::error::connection_refused);
    EXPECT_EQ(r.report().attempts(), 4U);
    EXPECT_EQ(r.report().history().at(0).kind, failure_kind::connect);
    EXPECT_EQ(r.report().history().at(0).sent, send_state::none);
    EXPECT_EQ(r.report().history().at(0).remote, "127.0.0.1:" + std::to_string(server.port()));
}

TEST(Response, DoesNotComeWhenConnectingHangs) {
    deaf_server server;
    fetcher f;
    auto policy = at_once(no_wait().max_attempts(2));
    policy.connect_timeout(40ms);
    const auto r = f.fetch(request("GET", server.url()), policy);
    EXPECT_EQ(r.error(), error::connect_timeout);
    EXPECT_EQ(r.report().history().at(0).kind, failure_kind::timeout);
}

TEST(Response, DoesNotComeAfterTheDeadline) {
    scripted_server server({{expect_request(), stall()}});
    fetcher f;
    testing::manual_clock clock(f.context);
    const auto call = f.start(request("GET", server.url()), at_once(no_wait().total_timeout(50ms)));
    f.run_until([&] { return server.requests().size() == 1; });
    clock.advance(50ms);
    f.run_until(call);
    EXPECT_EQ((*call)->reason(), reason::deadline_exceeded);
    EXPECT_EQ((*call)->error(), asio_retry::error::attempt_timeout);
    EXPECT_EQ(f.fetch(request("GET", server.url()), at_once(no_wait().total_timeout(0s))).error(),
              asio_retry::error::deadline_exceeded);
}

}  // namespace
}  // namespace asio_retry::test
