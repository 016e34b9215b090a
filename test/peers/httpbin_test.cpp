// httpbin under gunicorn: statuses, echoes, redirects, bodies that trickle, ranges.
#include "http/support/fetcher.hpp"
#include "peers/peer.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

namespace asio_retry::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Httpbin : public testing::Test {
protected:
    void SetUp() override {
        ASIO_RETRY_NEEDS_PEER("gunicorn");
        if (!std::filesystem::exists("/usr/lib/python3/dist-packages/httpbin")) {
            GTEST_SKIP() << "httpbin is not installed: cmake/install-dependencies peers";
        }
        server_.emplace([](std::uint16_t port) {
            return std::vector<std::string>{find_program("gunicorn"),
                                            "--bind=127.0.0.1:" + std::to_string(port),
                                            "--worker-class=gthread",
                                            "--threads=4",
                                            "--keep-alive=30",
                                            "httpbin:app"};
        });
    }

    std::string url(std::string_view path) const { return server_->url(path); }
    request get(std::string_view path) const { return request("GET", url(path)); }

    std::optional<peer> server_;
};

http::client_config following(unsigned redirects) {
    return std::move(http::client_config().policy(std::move(at_once().max_redirects(redirects))));
}

boost::json::value json(const http::fetch_result& r) { return boost::json::parse(r->body()); }

std::string text(const boost::json::value& v) { return std::string(v.as_string()); }

TEST_F(Httpbin, AnswersWithEachStatus) {
    fetcher f;
    const auto seen = [&](const std::string& status) {
        return attempts(f.get(url("/status/" + status)).report());
    };
    EXPECT_EQ(seen("200"), "1:200");
    EXPECT_EQ(seen("204"), "1:204");
    EXPECT_EQ(seen("304"), "1:304");
    EXPECT_EQ(seen("404"), "1:404");
    EXPECT_EQ(seen("418"), "1:418");
    EXPECT_EQ(seen("429"), "1:429 2:429 3:429 4:429");
    EXPECT_EQ(seen("503"), "1:503 2:503 3:503 4:503");
    EXPECT_EQ(seen("501"), "1:501");
    const auto post = f.fetch(request("POST", url("/status/503")).body("x"));
    EXPECT_EQ(attempts(post.report()), "1:503");
    EXPECT_EQ(post.reason(), reason::not_idempotent);
    EXPECT_EQ(attempts(f.fetch(request("DELETE", url("/status/500"))).report()),
              "1:500 2:500 3:500 4:500");
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

TEST_F(Httpbin, SeesTheRequestAsItWasMeant) {
    fetcher f;
    const auto r = f.fetch(request("POST", url("/anything/a%20b?q=1&r=%26"))
                               .header("Content-Type", "text/plain")
                               .header("X-Twice", "1")
                               .body("hello\r\n\r\n\xC3\xA4"));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    const auto seen = json(r);
    EXPECT_EQ(text(seen.at("method")), "POST");
    EXPECT_EQ(text(seen.at("data")), "hello\r\n\r\n\xC3\xA4");
    EXPECT_EQ(boost::json::serialize(seen.at("args")), R"({"q":"1","r":"&"})");
    const auto& headers = seen.at("headers");
    EXPECT_EQ(text(headers.at("Content-Length")), "11");
    EXPECT_EQ(text(headers.at("Host")), "127.0.0.1:" + std::to_string(server_->port()));
    EXPECT_THAT(text(headers.at("User-Agent")), StartsWith("asio-retry/"));
    EXPECT_EQ(text(headers.at("X-Twice")), "1");
    for (const char* method : {"PUT", "PATCH", "DELETE"}) {
        const auto echoed = f.fetch(request(method, url("/anything")).body("x"));
        EXPECT_EQ(text(json(echoed).at("method")), method);
        EXPECT_EQ(text(json(echoed).at("data")), "x");
    }
    const std::string large(2'000'000, 'y');
    const auto echoed = f.fetch(request("PUT", url("/anything")).body(large));
    EXPECT_EQ(text(json(echoed).at("data")), large);
}

TEST_F(Httpbin, IsFollowedWhereItRedirects) {
    fetcher f(following(3));
    const auto r = f.get(url("/redirect/3"));
    ASSERT_TRUE(r.ok()) << r.error().message();
    EXPECT_EQ(r->url(), url("/get"));
    EXPECT_EQ(attempts(r.report()), "1:302 2:302 3:302 4:200");
    EXPECT_EQ(f.get(url("/relative-redirect/2"))->url(), url("/get"));
    EXPECT_EQ(f.get(url("/absolute-redirect/2"))->url(), url("/get"));
    EXPECT_EQ(f.get(url("/redirect/4")).error(), http::error::too_many_redirects);
    const auto posted = [&](const std::string& status) {
        const auto to = "/redirect-to?url=%2Fanything&status_code=" + status;
        return json(f.fetch(request("POST", url(to)).body("kept")));
    };
    for (const char* status : {"307", "308"}) {
        EXPECT_EQ(text(posted(status).at("method")), "POST");
        EXPECT_EQ(text(posted(status).at("data")), "kept");
    }
    EXPECT_EQ(text(posted("303").at("method")), "GET");
    EXPECT_EQ(text(posted("303").at("data")), "");
    EXPECT_EQ(fetcher().get(url("/redirect/1"))->status(), 302U);
}

TEST_F(Httpbin, IsAwaitedWhenItDrips) {
    fetcher f;
    const auto r = f.get(url("/drip?numbytes=5&duration=0.5&delay=0.1&code=200"));
    EXPECT_EQ(r->body(), "*****");
    const auto late = f.fetch(get("/drip?numbytes=5&duration=5&delay=0"),
                              at_once(no_wait().attempt_timeout(200ms).max_attempts(2)));
    EXPECT_EQ(late.error(), asio_retry::error::attempt_timeout);
    EXPECT_EQ(late.report().attempts(), 2U);
    EXPECT_LT(late.report().elapsed(), 3s);
}

TEST_F(Httpbin, IsGivenUpWhenItDelays) {
    fetcher f;
    const auto r =
        f.fetch(get("/delay/9"), at_once(no_wait().attempt_timeout(10s).total_timeout(200ms)));
    EXPECT_EQ(r.reason(), reason::deadline_exceeded);
    EXPECT_LT(r.report().elapsed(), 3s);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST_F(Httpbin, ServesRanges) {
    fetcher f;
    const auto r = f.fetch(get("/range/1024").header("Range", "bytes=26-51"));
    EXPECT_EQ(r->status(), 206U);
    EXPECT_EQ(r->body(), "abcdefghijklmnopqrstuvwxyz");
    EXPECT_EQ(r->headers()["Content-Range"], "bytes 26-51/1024");
    EXPECT_EQ(f.get(url("/range/1024"))->body().size(), 1024U);
    EXPECT_EQ(f.fetch(get("/range/10").header("Range", "bytes=20-"))->status(), 416U);
    EXPECT_EQ(f.fetch(get("/etag/a").header("If-None-Match", "\"a\""))->status(), 304U);
    EXPECT_EQ(f.fetch(get("/etag/a").header("If-Match", "\"b\""))->status(), 412U);
}

TEST_F(Httpbin, SendsTheSameBytesWithALengthAndInChunks) {
    fetcher f;
    const auto sized = f.get(url("/bytes/90000?seed=7"));
    const auto chunked = f.get(url("/stream-bytes/90000?seed=7&chunk_size=333"));
    EXPECT_EQ(sized->body().size(), 90'000U);
    EXPECT_EQ(chunked->headers()["Transfer-Encoding"], "chunked");
    EXPECT_EQ(chunked->body(), sized->body());
    const auto lines = f.get(url("/stream/20"));
    EXPECT_EQ(std::count(lines->body().begin(), lines->body().end(), '\n'), 20);
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

TEST_F(Httpbin, AsksForCredentials) {
    fetcher f;
    const auto with = [&](const std::string& user) {
        const auto port = std::to_string(server_->port());
        return f.get("http://" + user + "127.0.0.1:" + port + "/basic-auth/me/se%20cret");
    };
    EXPECT_EQ(with("me:se%20cret@")->status(), 200U);
    EXPECT_EQ(with("me:wrong@")->status(), 401U);
    EXPECT_EQ(attempts(with("").report()), "1:401");
    const auto digest = f.get(url("/digest-auth/auth/me/secret"));
    EXPECT_EQ(digest->status(), 401U);
    EXPECT_THAT(std::string(digest->headers()["WWW-Authenticate"]), HasSubstr("Digest"));
    const auto token = f.fetch(get("/bearer").header("Authorization", "Bearer 123"));
    EXPECT_EQ(text(json(token).at("token")), "123");
}

TEST_F(Httpbin, IsHandedOverAsItCame) {
    fetcher f;
    EXPECT_THAT(f.get(url("/image/png"))->body(), StartsWith("\x89PNG\r\n"));
    const auto packed = f.get(url("/gzip"));
    EXPECT_EQ(packed->headers()["Content-Encoding"], "gzip");
    EXPECT_THAT(packed->body(), StartsWith("\x1f\x8b"));
    const auto fields = f.get(url("/response-headers?X-A=b&X-A=c"));
    EXPECT_EQ(fields->headers().count("X-A"), 2U);
    EXPECT_EQ(f.fetch(request("HEAD", url("/get")))->body(), "");
}

}  // namespace
}  // namespace asio_retry::test
