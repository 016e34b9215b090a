// Compressed responses: asked for, and handed over plain.
#include "http/support/bodies.hpp"
#include "http/support/fetcher.hpp"

#include <boost/asio/steady_timer.hpp>

#include <zlib.h>

#include <memory>
#include <tuple>

namespace asio_retry::test {
namespace {

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

TEST(Compression, OfAFailureDoesNotHideItsStatus) {
    scripted_server server({{expect_request(),
                             send(last_response(503, "not gzip", "Content-Encoding: gzip\r\n")),
                             close()},
                            {expect_request(), send(last_response(200)), close()}});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), compressed());
    EXPECT_TRUE(r.ok()) << r.report().summary();
    const auto& first = r.report().history().at(0);
    EXPECT_EQ(first.status, 503);
    EXPECT_EQ(first.kind, failure_kind::server);
    EXPECT_EQ(first.error, http::error::malformed_encoding);
}

/// Takes most of a second to decode: 16 MB, in so many members of a file of gzip.
std::string much_to_decode() {
    const std::string one = gzipped(std::string(16'000'000, 'x'));
    std::string all;
    for (int i = 0; i < 40; ++i) all += one;
    return response(200, all, "Content-Encoding: gzip\r\n");
}

http::fetch_policy unlimited(retry_policy retry) {
    auto policy = at_once(std::move(retry)).compressed(http::compression::on);
    return std::move(policy.max_expansion(10'000).max_body_size(1'000'000'000));
}

TEST(Compression, IsUndoneWithinTheDeadline) {
    scripted_server server({{expect_request(), send(much_to_decode()), stall()}});
    fetcher f;
    const auto r = f.fetch(request("GET", server.url()), unlimited(no_wait().total_timeout(100ms)));
    EXPECT_EQ(r.error(), error::attempt_timeout) << r.report().summary();
    EXPECT_EQ(r.reason(), reason::deadline_exceeded);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(Compression, CanBeCancelledWhileItIsUndone) {
    scripted_server server({{expect_request(), send(much_to_decode()), stall()}});
    fetcher f;
    const auto call = f.start(request("GET", server.url()), unlimited(no_wait()));
    asio::steady_timer soon(f.context, 100ms);
    soon.async_wait([&](error_code) { call->signal.emit(asio::cancellation_type::terminal); });
    f.run_until(call);
    EXPECT_EQ((*call)->reason(), reason::cancelled) << (*call)->report().summary();
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(Compression, GoesToASinkInPiecesOfBoundedSize) {
    const std::string body = gzipped(std::string(1'000'000, '\0'));
    const std::string sent = response(200, body, "Content-Encoding: gzip\r\n");
    scripted_server server({{expect_request(), send(sent), expect_request(), send(sent), stall()}});
    fetcher f;
    const auto sink = std::make_shared<keeper>();
    const request get = request("GET", server.url()).deliver_to(sink);
    ASSERT_TRUE(f.fetch(get, compressed()).ok());
    EXPECT_EQ(sink->text.size(), 1'000'000U);
    EXPECT_LE(sink->largest, 64U * 1024);

    // Of what is still to come nothing follows a cancellation.
    const auto call = f.start(get, compressed());
    sink->meanwhile = [&] { call->signal.emit(asio::cancellation_type::terminal); };
    f.run_until(call);
    EXPECT_EQ((*call)->reason(), reason::cancelled);
    EXPECT_LE(sink->text.size(), 64U * 1024);
}

}  // namespace
}  // namespace asio_retry::test
