// Request bodies that are not in memory, and those that wait until the server asks for them.
#include "http/support/bodies.hpp"
#include "http/support/fetcher.hpp"
#include <asio_retry/http/body_source.hpp>
#include <asio_retry/testing/manual_clock.hpp>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <utility>

namespace asio_retry::test {
namespace {

using http::body_source;

class temporary_file {
public:
    explicit temporary_file(const std::string& text)
        : path_(std::filesystem::temp_directory_path() /
                ("asio_retry_body_" + std::to_string(::getpid()))) {
        std::ofstream(path_) << text;
    }
    ~temporary_file() { std::filesystem::remove(path_); }
    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

TEST(BodySource, OfAFileIsSentWithItsLengthAndAgain) {
    const std::string text = large_text();
    const temporary_file file(text);
    scripted_server server({{expect_request(),
                             send(response(503)),
                             expect_request(),
                             send(response(200, "ok")),
                             stall()}});
    fetcher f;
    const auto r = f.fetch(request("PUT", server.url()).body(body_source::file(file.path())));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(attempts(r.report()), "1:503 2:200");
    EXPECT_EQ(r.report().history()[1].sent, send_state::full);
    EXPECT_TRUE(r.report().history()[1].reused);
    for (const auto& seen : server.requests()) {
        EXPECT_EQ(seen.field("Content-Length"), std::to_string(text.size()));
        EXPECT_EQ(seen.body, text);
    }
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST(BodySource, OfAFileThatIsMissingOrNoneFailsBeforeAnythingIsSent) {
    scripted_server server({});
    fetcher f;
    const std::pair<std::string, error_code> rows[] = {
        {"/nonexistent/file", make_error_code(boost::system::errc::no_such_file_or_directory)},
        {"/", make_error_code(boost::system::errc::invalid_argument)},
        {"/dev/zero", make_error_code(boost::system::errc::invalid_argument)}};
    for (const auto& [path, expected] : rows) {
        const auto r = f.fetch(request("PUT", server.url()).body(body_source::file(path)));
        EXPECT_EQ(r.error(), expected.default_error_condition()) << path;
        EXPECT_EQ(r.reason(), reason::permanent_failure);
        EXPECT_EQ(r.report().attempts(), 0U);
    }
    EXPECT_EQ(server.connections_accepted(), 0U);
}

TEST(BodySource, OfUnknownLengthGoesInChunks) {
    for (const std::string& text : {std::string(), std::string("x"), large_text()}) {
        scripted_server server({{expect_request(), send(response(200)), stall()}});
        fetcher f;
        const auto r = f.fetch(request("POST", server.url()).body(replayable(text)));
        ASSERT_TRUE(r.ok()) << r.report().summary();
        const auto seen = server.requests().at(0);
        EXPECT_EQ(seen.field("Transfer-Encoding"), "chunked");
        EXPECT_EQ(seen.count("Content-Length"), 0U);
        EXPECT_TRUE(seen.body_whole);
        EXPECT_EQ(seen.body, text);
        EXPECT_EQ(f.state->pool.count().idle, 1U);
    }
}

TEST(BodySource, IsReadToItsLengthAndNoFurther) {
    scripted_server server({{expect_request(), send(response(200)), stall()}});
    fetcher f;
    const auto r = f.fetch(request("PUT", server.url()).body(replayable("0123456789", 4)));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(server.requests().at(0).body, "0123");
}

TEST(BodySource, ThatEndsBeforeItsLengthEndsTheCall) {
    scripted_server server({{expect_head(), stall()}});
    fetcher f;
    const auto r = f.fetch(request("PUT", server.url()).body(replayable("0123", 10)));
    EXPECT_EQ(r.error(), http::error::body_length);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 1U);
    EXPECT_EQ(r.report().history()[0].sent, send_state::partial);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(BodySource, ThatThrowsEndsTheCallWithItsError) {
    scripted_server server({{expect_head(), stall()}});
    fetcher f;
    const auto broken = body_source::made_by([] {
        return [](asio::mutable_buffer) -> asio::awaitable<std::size_t> {
            throw boost::system::system_error(asio::error::connection_reset);
            co_return 0;
        };
    });
    const auto r = f.fetch(request("PUT", server.url()).body(broken));
    EXPECT_EQ(r.error(), asio::error::connection_reset);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 1U);
}

TEST(BodySource, ThatCanBeReadOnceEndsTheCallWhereARepeatWouldFollow) {
    for (const std::string method : {"PUT", "POST"}) {
        scripted_server server({{expect_request(), send(response(429)), stall()}});
        fetcher f;
        const auto r = f.fetch(request(method, server.url()).body(one_shot("once")));
        EXPECT_EQ(r.reason(), reason::body_not_replayable) << method;
        EXPECT_EQ(r->status(), 429U);
        EXPECT_EQ(r.report().attempts(), 1U);
    }
}

TEST(BodySource, ThatCanBeReadOnceIsStillUnreadAfterAFailureToConnect) {
    scripted_server server({{expect_request(), send(response(200)), stall()}},
                           scripted_server_options().refusing());
    fetcher f;
    testing::manual_clock clock(f.context);
    const auto policy = at_once(no_wait().backoff(backoff::constant(1s).jitter(jitter::none)));
    const auto call = f.start(request("POST", server.url()).body(one_shot("once")), policy);
    f.run_until([&] { return clock.next_expiry() == clock.now() + 1s; });
    server.listen();
    clock.advance(1s);
    f.run_until(call);
    f.run_out();
    ASSERT_TRUE((*call)->ok()) << (*call)->report().summary();
    EXPECT_EQ((*call)->report().attempts(), 2U);
    EXPECT_EQ(server.requests().at(0).body, "once");
}

TEST(BodySource, ThatIsSpentCannotFollowARedirectOrServeAnotherCall) {
    scripted_server server(
        {{expect_request(), send(response(307, "", "Location: /b\r\n")), stall()}});
    fetcher f;
    const request put = request("PUT", server.url()).body(one_shot("once"));
    const auto r = f.fetch(put, at_once().max_redirects(3));
    EXPECT_EQ(r.error(), http::error::body_not_replayable);
    EXPECT_EQ(r.reason(), reason::body_not_replayable);
    EXPECT_EQ(r->status(), 307U);
    const auto again = f.fetch(put);
    EXPECT_EQ(again.reason(), reason::body_not_replayable);
    EXPECT_EQ(again.report().attempts(), 0U);
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST(BodySource, IsNotSentOnOnceARefusalHasCome) {
    scripted_server server({{expect_head(), send(response(413, "no")), stop_reading()}});
    fetcher f;
    const auto r =
        f.fetch(request("PUT", server.url()).body(replayable(std::string(30'000'000, 'x'))));
    EXPECT_EQ(r->status(), 413U);
    EXPECT_EQ(r.report().history()[0].sent, send_state::partial);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(BodySource, IsSentToItsEndBesideASuccess) {
    const std::string text(3'000'000, 'x');
    scripted_server server({{expect_head(),
                             send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nec"),
                             expect_body(),
                             send("ho"),
                             stall()}});
    fetcher f;
    const auto r = f.fetch(request("PUT", server.url()).body(replayable(text)));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "echo");
    EXPECT_EQ(server.requests().at(0).body.size(), text.size());
}

TEST(ExpectContinue, HoldsTheBodyBackUntilItIsAskedFor) {
    scripted_server server({{expect_head(),
                             pause(30ms),
                             send("HTTP/1.1 100 Continue\r\n\r\n"),
                             expect_body(),
                             send(response(200)),
                             stall()}});
    fetcher f;
    const auto r = f.fetch(
        request("POST", server.url()).body("a body").expect_continue(std::chrono::hours(1)));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    const auto seen = server.requests().at(0);
    EXPECT_EQ(seen.field("Expect"), "100-continue");
    EXPECT_EQ(seen.body, "a body");
    EXPECT_EQ(f.state->pool.count().idle, 1U);
}

TEST(ExpectContinue, SendsTheBodyUnaskedAfterTheWait) {
    scripted_server server({{expect_request(), send(response(200)), stall()}});
    fetcher f;
    const auto r = f.fetch(request("POST", server.url()).body("a body").expect_continue(20ms));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_GE(r.report().elapsed(), 20ms);
    EXPECT_EQ(server.requests().at(0).body, "a body");
}

TEST(ExpectContinue, KeepsTheBodyAfterARefusal) {
    scripted_server server({{expect_head(), send(response(403, "no")), stall()}});
    fetcher f;
    const request post =
        request("POST", server.url()).body(one_shot("once")).expect_continue(std::chrono::hours(1));
    const auto r = f.fetch(post);
    EXPECT_EQ(r->status(), 403U);
    EXPECT_EQ(r.report().history()[0].sent, send_state::partial);
    EXPECT_TRUE(post.source()->can_be_read());
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(ExpectContinue, IsDroppedForAServerThatDoesNotKnowIt) {
    scripted_server server({{expect_head(), send(last_response(417)), close()},
                            {expect_request(), send(response(200)), stall()}});
    fetcher f;
    const auto r = f.fetch(
        request("POST", server.url()).body("a body").expect_continue(std::chrono::hours(1)));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(attempts(r.report()), "1:417 2:200");
    EXPECT_EQ(server.requests().at(1).count("Expect"), 0U);
    EXPECT_EQ(server.requests().at(1).body, "a body");
}

}  // namespace
}  // namespace asio_retry::test
