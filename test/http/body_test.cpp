// Bodies that are not in memory: requests read from sources, responses delivered to sinks.
#include "http/support/fetcher.hpp"
#include <asio_retry/http/attempt_hook.hpp>
#include <asio_retry/http/body_sink.hpp>
#include <asio_retry/http/body_source.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <gmock/gmock.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

namespace asio_retry::test {
namespace {

using http::body_sink;
using http::body_source;

/// Gives a text, so many bytes at a time.
class text_reader {
public:
    explicit text_reader(std::string t, std::size_t step = 1000)
        : text_(std::move(t)), step_(step) {}

    asio::awaitable<std::size_t> operator()(asio::mutable_buffer room) {
        const std::size_t n = std::min({room.size(), step_, text_.size() - at_});
        std::memcpy(room.data(), text_.data() + at_, n);
        at_ += n;
        co_return n;
    }

private:
    std::string text_;
    std::size_t step_;
    std::size_t at_ = 0;
};

body_source replayable(const std::string& text, std::optional<std::uint64_t> length = {}) {
    return body_source::made_by([text] { return text_reader(text); }, length);
}

body_source one_shot(const std::string& text, std::optional<std::uint64_t> length = {}) {
    return body_source::once(text_reader(text), length);
}

std::string large_text() {
    std::string text;
    for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i) + " ";
    return text;
}

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
    auto policy = at_once(no_wait().max_attempts(50).backoff(backoff::constant(5ms)));
    const auto call = f.start(request("POST", server.url()).body(one_shot("once")), policy);
    f.context.run_for(12ms);
    server.listen();
    f.run_until(call);
    f.run_out();
    ASSERT_TRUE((*call)->ok()) << (*call)->report().summary();
    EXPECT_GT((*call)->report().attempts(), 1U);
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
    scripted_server server({{expect_head(), send(response(417)), close()},
                            {expect_request(), send(response(200)), stall()}});
    fetcher f;
    const auto r = f.fetch(
        request("POST", server.url()).body("a body").expect_continue(std::chrono::hours(1)));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(attempts(r.report()), "1:417 2:200");
    EXPECT_EQ(server.requests().at(1).count("Expect"), 0U);
    EXPECT_EQ(server.requests().at(1).body, "a body");
}

/// Keeps what it is given.
class keeper : public body_sink {
public:
    explicit keeper(bool can_restart = false) : can_restart_(can_restart) {}

    asio::awaitable<error_code> begin(const http::response& head) override {
        statuses.push_back(head.status());
        text.clear();
        co_return refusal;
    }
    asio::awaitable<void> write(asio::const_buffer bytes) override {
        text.append(static_cast<const char*>(bytes.data()), bytes.size());
        ++writes;
        largest = std::max(largest, bytes.size());
        if (fault) throw boost::system::system_error(fault);
        co_return;
    }
    asio::awaitable<void> end(const http::response&) override {
        ++ends;
        co_return;
    }
    bool can_begin_again() const noexcept override { return can_restart_; }

    std::string text;
    std::vector<unsigned> statuses;
    std::size_t writes = 0, largest = 0;
    int ends = 0;
    error_code refusal, fault;

private:
    bool can_restart_;
};

TEST(BodySink, TakesALargeBodyInPieces) {
    const std::string body = large_text();
    scripted_server server({{expect_request(), send(response(200, body)), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const auto r =
        f.fetch(request("GET", server.url()).deliver_to(sink), at_once().max_body_size(10));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->status(), 200U);
    EXPECT_EQ(r->body(), "");
    EXPECT_EQ(sink->text, body);
    EXPECT_EQ(sink->ends, 1);
    EXPECT_LE(sink->largest, 128U * 1024);
    EXPECT_GT(sink->writes, 1U);
    EXPECT_EQ(f.state->pool.count().idle, 1U);
}

TEST(BodySink, TakesChunksAByteAtATimeAndEmptyBodies) {
    scripted_server server({{expect_request(),
                             send_slowly("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                         "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
                             expect_request(),
                             send(response(200)),
                             expect_request(),
                             send("HTTP/1.1 204 No Content\r\n\r\n"),
                             stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const request get = request("GET", server.url()).deliver_to(sink);
    EXPECT_TRUE(f.fetch(get).ok());
    EXPECT_EQ(sink->text, "abcde");
    EXPECT_TRUE(f.fetch(get).ok());
    EXPECT_TRUE(f.fetch(get).ok());
    EXPECT_EQ(sink->text, "");
    EXPECT_EQ(sink->ends, 3);
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST(BodySink, LeavesFailuresToMemoryWithinTheLimit) {
    scripted_server server({{expect_request(),
                             send(response(503, "busy")),
                             expect_request(),
                             send(response(404, "not here")),
                             expect_request(),
                             send(response(404, std::string(100, 'x'))),
                             stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const request get = request("GET", server.url()).deliver_to(sink);
    const auto r = f.fetch(get);
    EXPECT_EQ(attempts(r.report()), "1:503 2:404");
    EXPECT_EQ(r->body(), "not here");
    EXPECT_TRUE(sink->statuses.empty());
    const auto too_large = f.fetch(get, only_once().max_body_size(99));
    EXPECT_EQ(too_large.error(), http::error::body_too_large);
}

TEST(BodySink, NeverGetsTwoResponsesAsOne) {
    const std::string cut =
        response(200, "0123456789").substr(0, response(200, "0123456789").size() - 4);
    for (const bool can_restart : {false, true}) {
        scripted_server server({{expect_request(), send(cut), close()},
                                {expect_request(), send(response(200, "abc")), stall()}});
        fetcher f;
        const auto sink = std::make_shared<keeper>(can_restart);
        const auto r = f.fetch(request("GET", server.url()).deliver_to(sink));
        EXPECT_EQ(r.ok(), can_restart);
        EXPECT_EQ(sink->text, can_restart ? "abc" : "012345");
        EXPECT_EQ(sink->ends, can_restart ? 1 : 0);
        if (can_restart) continue;
        EXPECT_EQ(r.error(), http::error::incomplete_response);
        EXPECT_EQ(r.reason(), reason::permanent_failure);
        EXPECT_EQ(r.report().attempts(), 1U);
    }
}

TEST(BodySink, IsRepeatedAsLongAsNothingWasWritten) {
    scripted_server server(
        {{expect_request(), send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"), close()},
         {expect_request(), send(response(200, "abc")), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const auto r = f.fetch(request("GET", server.url()).deliver_to(sink));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_THAT(sink->statuses, testing::ElementsAre(200, 200));
    EXPECT_EQ(sink->text, "abc");
}

TEST(BodySink, EndsTheCallByThrowing) {
    scripted_server server({{expect_request(), send(response(200, "abc")), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>(true);
    sink->fault = asio::error::connection_reset;
    const auto r = f.fetch(request("GET", server.url()).deliver_to(sink));
    EXPECT_EQ(r.error(), asio::error::connection_reset);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 1U);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(BodySink, RefusesAResponseWithAnErrorOfAKind) {
    scripted_server server({{expect_request(), send(response(200, "abc")), close()},
                            {expect_request(), send(response(200, "abc")), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    sink->refusal = asio::error::connection_reset;
    const auto r =
        f.fetch(request("GET", server.url()).deliver_to(sink), at_once(no_wait().max_attempts(2)));
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(sink->statuses.size(), 2U);
    EXPECT_EQ(sink->writes, 0U);
}

/// Writes slowly, so that the body has to wait in the socket.
TEST(BodySink, SlowsTheServerDown) {
    class slow final : public body_sink {
    public:
        asio::awaitable<void> write(asio::const_buffer bytes) override {
            asio::steady_timer timer(co_await asio::this_coro::executor, 1ms);
            auto pending = timer.async_wait(asio::use_awaitable);
            co_await std::move(pending);
            received += bytes.size();
        }
        std::size_t received = 0;
    };
    const std::string body(5'000'000, 'x');
    scripted_server server({{expect_request(), send(response(200, body)), stall()}});
    fetcher f;
    const auto sink = std::make_shared<slow>();
    const auto r = f.fetch(request("GET", server.url()).deliver_to(sink));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(sink->received, body.size());
}

TEST(BodySink, EndsAtTheAttemptTimeoutInTheMiddleOfABody) {
    scripted_server server(
        {{expect_request(), send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const auto r = f.fetch(request("GET", server.url()).deliver_to(sink),
                           at_once(no_wait().attempt_timeout(30ms)));
    EXPECT_EQ(r.error(), asio_retry::error::attempt_timeout);
    EXPECT_EQ(sink->text, "abc");
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

std::string gzipped(const std::string& text) {
    z_stream z{};
    deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&z, text.size()) + 32, '\0');
    std::string in = text;
    z.next_in = reinterpret_cast<Bytef*>(in.data());
    z.avail_in = static_cast<uInt>(in.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(out.size());
    deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
}

http::fetch_policy compressed() { return at_once().compressed(http::compression::on); }

TEST(Compression, IsAskedForAndUndone) {
    const std::string text = large_text();
    const std::string sent = response(200, gzipped(text), "Content-Encoding: gzip\r\n");
    scripted_server server({{expect_request(), send(sent), expect_request(), send(sent), stall()}});
    fetcher f;
    auto r = f.fetch(request("GET", server.url()), compressed());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), text);
    EXPECT_EQ(r->headers().count("Content-Encoding"), 0U);
    EXPECT_EQ(r->headers().count("Content-Length"), 0U);
    const auto sink = std::make_shared<keeper>();
    r = f.fetch(request("GET", server.url()).deliver_to(sink), compressed());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(sink->text, text);
    for (const auto& seen : server.requests())
        EXPECT_EQ(seen.field("Accept-Encoding"), "gzip, deflate, br");
}

TEST(Compression, IsLeftAloneUnlessItIsTurnedOn) {
    const std::string body = gzipped("text");
    scripted_server server(
        {{expect_request(), send(response(200, body, "Content-Encoding: gzip\r\n")), stall()}});
    fetcher f;
    const auto r = f.get(server.url());
    EXPECT_EQ(r->body(), body);
    EXPECT_EQ(r->headers()["Content-Encoding"], "gzip");
    EXPECT_EQ(server.requests().at(0).count("Accept-Encoding"), 0U);
}

TEST(Compression, ThatIsUnknownBrokenOrTooMuchIsAnError) {
    const std::string bomb = gzipped(std::string(20'000'000, 'x'));
    const std::string whole = gzipped("text");
    const std::tuple<std::string, std::string, http::error> rows[] = {
        {"zstd", whole, http::error::unsupported_encoding},
        {"gzip", "no gzip at all, that is plain", http::error::malformed_encoding},
        {"gzip", whole.substr(0, whole.size() - 3), http::error::incomplete_encoding},
        {"gzip", bomb, http::error::excessive_expansion}};
    for (const auto& [coding, body, expected] : rows) {
        for (const bool streamed : {false, true}) {
            scripted_server server(
                {{expect_request(),
                  send(response(200, body, "Content-Encoding: " + coding + "\r\n")),
                  stall()}});
            fetcher f;
            request get("GET", server.url());
            if (streamed) get.deliver_to(std::make_shared<keeper>());
            const auto r = f.fetch(get, compressed());
            EXPECT_EQ(r.error(), expected) << coding << streamed;
            EXPECT_EQ(r.reason(), reason::permanent_failure);
            EXPECT_EQ(r.report().attempts(), 1U);
        }
    }
}

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
        co_return renews;
    }
    std::string token = "stale", seen;
    int refusals = 0;
    bool renews = true;
    error_code fault;
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
