// nginx: connections kept and counted, TLS, ranges, downloads that break off, gzip that nobody
// asked for, bodies too large.
#include "http/support/fetcher.hpp"
#include "peers/peer.hpp"
#include <asio_retry/http/download.hpp>
#include <asio_retry/retry_budget.hpp>

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

namespace asio_retry::test {
namespace {

using testing::EndsWith;
using testing::StartsWith;

const std::string large_file = [] {
    std::string text;
    for (int i = 0; text.size() < 1'000'000; ++i) text += std::to_string(i) + "\n";
    return text;
}();

constexpr const char* configuration = R"(
    daemon off; master_process off; pid nginx.pid; error_log stderr;
    events { worker_connections 256; }
    http {
        access_log off; default_type text/plain; gzip_types text/plain;
        proxy_ssl_protocols TLSv1.2 TLSv1.3; keepalive_requests 1000; client_max_body_size 10k;
        client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
        uwsgi_temp_path uwsgi; scgi_temp_path scgi;
        server {
            listen 127.0.0.1:PORT LISTEN; LINES root files;
            location = /count    { return 200 "$connection_requests"; }
            location = /host     { return 200 "$host"; }
            location = /busy     { add_header Retry-After 0 always;
                                   return 503 "$connection_requests"; }
            location = /silent   { return 444; }
            location = /nothing  { return 204; }
            location = /moved    { return 301 /count; }
            location = /gone     { return 410; }
            location = /body     { client_max_body_size 50m; proxy_pass SELF/taken; }
            location = /taken    { client_max_body_size 50m; return 200 "$content_length"; }
            location = /gzip.txt { gzip on; gzip_min_length 1; gzip_proxied any; }
            location = /closing  { keepalive_timeout 0; return 200 ok; }
        }
    })";

void replace(std::string& text, const std::string& what, const std::string& with) {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
        text.replace(at, what.size(), with);
    }
}

class Nginx : public testing::Test {
protected:
    void SetUp() override { ASIO_RETRY_NEEDS_PEER("nginx"); }

    /// With what is added to "listen" and to the server's block.
    void start(const std::string& listen = "", const std::string& lines = "") {
        std::filesystem::create_directory(files_.path() / "files");
        files_.write("files/large.txt", large_file);
        files_.write("files/gzip.txt", large_file);
        server_.emplace([this, listen, lines](std::uint16_t port) {
            std::string text = configuration;
            replace(text, "PORT", std::to_string(port));
            replace(text, "LISTEN", listen);
            replace(text, "LINES", lines);
            replace(text, "SELF", url_of(port, listen));
            const std::string path = files_.write("nginx.conf", text);
            return std::vector<std::string>{
                find_program("nginx"), "-p", files_.path().string(), "-e", "stderr", "-c", path};
        });
    }

    void start_tls(const std::string& protocols = "TLSv1.2 TLSv1.3") {
        const identity own = authority_.issue(for_loopback());
        start("ssl",
              "ssl_certificate " + files_.write("own.pem", own.certificate_pem) +
                  "; ssl_certificate_key " + files_.write("own.key", own.key_pem) +
                  "; ssl_protocols " + protocols + ";");
    }

    http::client_config trusting() const {
        return std::move(http::client_config()
                             .policy(at_once())
                             .resolve("localhost", server_->port(), "127.0.0.1")
                             .tls(http::tls_options().ca_pem(authority_.certificate_pem())));
    }

    static std::string url_of(std::uint16_t port, const std::string& listen) {
        return (listen == "ssl" ? "https://127.0.0.1:" : "http://127.0.0.1:") +
               std::to_string(port);
    }

    std::string target() const { return (files_.path() / "downloaded").string(); }
    request download() const {
        return request("GET", server_->url("/large.txt")).deliver_to(http::into_file(target()));
    }
    std::string downloaded() const {
        std::ifstream file(target(), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    certificate_authority authority_;
    temporary_directory files_;
    std::optional<peer> server_;
};

std::string field(const http::response& r, const char* name) {
    return std::string(r.headers()[name]);
}

TEST_F(Nginx, CountsOneConnectionForAllRequests) {
    start();
    fetcher f;
    for (int i = 1; i <= 20; ++i) {
        const auto r = f.get(server_->url("/count"));
        ASSERT_TRUE(r.ok()) << r.report().summary();
        EXPECT_EQ(r->body(), std::to_string(i));
    }
    EXPECT_EQ(f.fetch(request("HEAD", server_->url("/count")))->body(), "");
    EXPECT_EQ(f.get(server_->url("/nothing"))->status(), 204U);
    EXPECT_EQ(f.get(server_->url("/gone"))->status(), 410U);
    EXPECT_EQ(f.get(server_->url("/count"))->body(), "24");
}

TEST_F(Nginx, ClosesAConnectionThatWasUsedEnough) {
    start("", "keepalive_requests 3;");
    fetcher f;
    for (const char* count : {"1", "2", "3", "1", "2", "3", "1"}) {
        const auto r = f.get(server_->url("/count"));
        EXPECT_EQ(r->body(), count);
        EXPECT_EQ(r.report().attempts(), 1U);
    }
    EXPECT_EQ(f.get(server_->url("/closing"))->body(), "ok");
    EXPECT_EQ(f.get(server_->url("/count"))->body(), "1");
}

TEST_F(Nginx, IsRetriedOnTheConnectionThatBroughtThe503) {
    start();
    fetcher f;
    const auto r = f.get(server_->url("/busy"));
    EXPECT_EQ(attempts(r.report()), "1:503 2:503 3:503 4:503");
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(r->body(), "4");
    EXPECT_EQ(r.report().history().at(0).kind, failure_kind::throttling);
}

TEST_F(Nginx, ClosesWithoutAResponse) {
    start();
    fetcher f;
    const auto r = f.get(server_->url("/silent"));
    EXPECT_EQ(r.error(), http::error::no_response);
    EXPECT_EQ(r.report().attempts(), 4U);
    const auto once = f.fetch(request("POST", server_->url("/silent")).body("x"));
    EXPECT_EQ(once.reason(), reason::not_idempotent);
    EXPECT_EQ(once.report().attempts(), 1U);
}

TEST_F(Nginx, Redirects) {
    start();
    fetcher f(http::client_config().policy(std::move(at_once().max_redirects(3))));
    EXPECT_EQ(f.get(server_->url("/moved"))->body(), "2");
}

TEST_F(Nginx, ServesRanges) {
    start();
    fetcher f;
    const auto url = server_->url("/large.txt");
    const auto whole = f.get(url);
    EXPECT_EQ(whole->body(), large_file);
    const std::string etag = field(*whole, "ETag");
    const auto part = f.fetch(request("GET", url).header("Range", "bytes=1000-1999"));
    EXPECT_EQ(part->status(), 206U);
    EXPECT_EQ(part->body(), large_file.substr(1000, 1000));
    EXPECT_EQ(field(*part, "Content-Range"),
              "bytes 1000-1999/" + std::to_string(large_file.size()));
    const auto if_same = [&](const std::string& tag) {
        return f
            .fetch(request("GET", url).header("Range", "bytes=999990-").header("If-Range", tag))
            ->status();
    };
    EXPECT_EQ(if_same(etag), 206U);
    EXPECT_EQ(if_same("\"other\""), 200U);
    EXPECT_EQ(f.fetch(request("GET", url).header("If-None-Match", etag))->status(), 304U);
    const auto beyond = f.fetch(request("GET", url).header("Range", "bytes=9999999-"));
    EXPECT_EQ(beyond->status(), 416U);
    EXPECT_EQ(beyond.reason(), reason::permanent_failure);
    const auto two = f.fetch(request("GET", url).header("Range", "bytes=0-1,5-6"));
    EXPECT_THAT(field(*two, "Content-Type"), StartsWith("multipart/byteranges"));
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

TEST_F(Nginx, SendsTheRestToWhoWasTooSlow) {
    start("", "limit_rate 300k;");
    fetcher f;
    const auto plenty = std::make_shared<retry_budget>(budget_options().capacity(1000));
    const auto impatient = no_wait().max_attempts(50).attempt_timeout(400ms).retry_budget(plenty);
    const auto r = f.fetch(download(), at_once(impatient));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(downloaded(), large_file);
    EXPECT_GE(r.report().attempts(), 3U);
    EXPECT_EQ(r.report().history().back().status, 206U);
}

TEST_F(Nginx, SendsTheRestAfterItWasKilled) {
    start("", "limit_rate 600k;");
    fetcher f;
    const auto patient = no_wait().max_attempts(1000).backoff(backoff::constant(10ms));
    const auto call = f.start(download(), at_once(patient));
    const std::filesystem::path part = target() + ".part";
    f.run_until([&] {
        return std::filesystem::exists(part) && std::filesystem::file_size(part) >= 100'000;
    });
    ASSERT_FALSE(call->done());
    server_->restart();
    f.run_until(call);
    f.run_out();
    ASSERT_TRUE((*call)->ok()) << (*call)->report().summary();
    EXPECT_EQ(downloaded(), large_file);
    EXPECT_GE((*call)->report().attempts(), 2U);
    EXPECT_EQ((*call)->report().history().back().status, 206U);
}

TEST_F(Nginx, SendsAllOfAFileThatHasChanged) {
    start("", "limit_rate 300k;");
    fetcher f;
    const auto once =
        f.fetch(download(), at_once(no_wait().max_attempts(1).attempt_timeout(400ms)));
    EXPECT_EQ(once.error(), asio_retry::error::attempt_timeout);
    const std::string changed(200'000, 'x');
    files_.write("files/large.txt", changed);
    const auto r = f.fetch(download());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r.report().history().back().status, 200U);
    EXPECT_EQ(downloaded(), changed);
}

TEST_F(Nginx, SendsGzipOnlyIfAsked) {
    start();
    fetcher f;
    const auto plain = f.get(server_->url("/gzip.txt"));
    EXPECT_EQ(plain->body(), large_file);
    const auto packed =
        f.fetch(request("GET", server_->url("/gzip.txt")).header("Accept-Encoding", "gzip"));
    EXPECT_EQ(field(*packed, "Content-Encoding"), "gzip");
    EXPECT_EQ(field(*packed, "Transfer-Encoding"), "chunked");
    EXPECT_THAT(packed->body(), StartsWith("\x1f\x8b"));
    EXPECT_LT(packed->body().size(), large_file.size() / 2);
    EXPECT_EQ(f.state->pool.count().open, 1U);
}

TEST_F(Nginx, TakesABody) {
    start();
    fetcher f;
    const auto r =
        f.fetch(request("POST", server_->url("/body")).body(std::string(3'000'000, 'x')));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "3000000");
}

TEST_F(Nginx, SaysThatABodyIsTooLargeWhileItIsBeingSent) {
    start();
    fetcher f;
    for (const std::size_t size : {20'000U, 30'000'000U}) {
        const auto r =
            f.fetch(request("PUT", server_->url("/large.txt")).body(std::string(size, 'x')));
        ASSERT_TRUE(r.has_value()) << r.report().summary();
        EXPECT_EQ(r->status(), 413U);
        EXPECT_EQ(attempts(r.report()), "1:413");
    }
    EXPECT_TRUE(f.get(server_->url("/count")).ok());
}

class NginxTls : public Nginx, public testing::WithParamInterface<const char*> {};

TEST_P(NginxTls, KeepsItsConnectionToo) {
    start_tls(GetParam());
    fetcher f(trusting());
    for (int i = 1; i <= 5; ++i) {
        EXPECT_EQ(f.get(server_->secure_url("/count"))->body(), std::to_string(i));
    }
    EXPECT_EQ(f.get(server_->secure_url("/large.txt"))->body(), large_file);
    EXPECT_EQ(f.get(server_->secure_url("/host"))->body(), "localhost");
    EXPECT_EQ(f.get(server_->secure_url("/busy"))->body(), "11");
    const auto sent =
        f.fetch(request("PUT", server_->secure_url("/body")).body(std::string(3'000'000, 'x')));
    EXPECT_EQ(sent->body(), "3000000") << sent.report().summary();
    const auto silent = f.get(server_->secure_url("/silent"));
    EXPECT_EQ(silent.report().attempts(), 4U);
    EXPECT_EQ(silent.report().history().at(3).kind, failure_kind::connection_lost);
}

INSTANTIATE_TEST_SUITE_P(Versions,
                         NginxTls,
                         testing::Values("TLSv1.2", "TLSv1.3"),
                         [](const auto& each) { return "Tls1" + std::string(1, each.param[6]); });

TEST_F(Nginx, SaysThatABodyIsTooLargeOverTls) {
    start_tls();
    fetcher f(trusting());
    const auto r = f.fetch(
        request("PUT", server_->secure_url("/large.txt")).body(std::string(20'000'000, 'x')),
        only_once());
    ASSERT_TRUE(r.has_value()) << r.report().summary();
    EXPECT_EQ(r->status(), 413U);
}

TEST_F(Nginx, SendsPlainTextToThoseWhoDoNotSpeakTls) {
    start_tls();
    fetcher f;
    const auto r = f.get(server_->url("/count"));
    EXPECT_EQ(r->status(), 400U);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
}

}  // namespace
}  // namespace asio_retry::test
