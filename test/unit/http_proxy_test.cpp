// Proxies without I/O: their URLs, whom they serve, the environment, what is said and understood.
#include "http/no_proxy.hpp"
#include "http/proxy_tunnel.hpp"
#include "http/wire.hpp"
#include <asio_retry/classifier.hpp>
#include <asio_retry/http/client_config.hpp>
#include <asio_retry/http/error.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

using asio_retry::error_code;
using asio_retry::failure_kind;
using asio_retry::http::client_config;
using asio_retry::http::error;
using asio_retry::http::proxies_from_environment;
using asio_retry::http::proxy;
using asio_retry::http::request;
using namespace asio_retry::http::detail;

TEST(HttpProxy, ReadsItsUrl) {
    const proxy whole("http://user:p%40ss@Proxy.Example:3128/");
    EXPECT_EQ(whole.host(), "proxy.example");
    EXPECT_EQ(whole.port(), 3128);
    EXPECT_EQ(whole.authorization(), "Basic dXNlcjpwQHNz");
    EXPECT_EQ(proxy("proxy").port(), 1080);
    EXPECT_EQ(proxy("http://proxy").port(), 1080);
    EXPECT_EQ(proxy("http://proxy:").port(), 1080);
    EXPECT_EQ(proxy("http://proxy:80").port(), 80);
    EXPECT_EQ(proxy("u:p@proxy:80").port(), 80);
    EXPECT_EQ(proxy("[::1]:81").host(), "::1");
    EXPECT_EQ(proxy("[::1]:81").port(), 81);
    EXPECT_EQ(proxy("[::1]").port(), 1080);
    EXPECT_EQ(proxy("proxy:8080").authorization(), "");
}

TEST(HttpProxy, RefusesWhatItDoesNotUnderstandWithoutRepeatingIt) {
    for (const char* url : {"https://user:secret@proxy:443",
                            "socks5://user:secret@proxy",
                            "http://",
                            "",
                            "http://user:secret@",
                            "http://user:secret@proxy:99999",
                            "http://user:secret@proxy:3128/path",
                            "http://us%3Aer:secret@proxy"}) {
        try {
            const proxy made(url);
            ADD_FAILURE() << url;
        } catch (const std::invalid_argument& e) {
            EXPECT_EQ(std::strstr(e.what(), "secret"), nullptr) << e.what();
            EXPECT_NE(std::strstr(e.what(), "http://HOST:PORT"), nullptr) << e.what();
        }
    }
}

TEST(HttpProxy, ServesAllButTheListed) {
    struct row {
        const char* list;
        const char* host;
        std::uint16_t port;
        bool listed;
    };
    const row rows[] = {
        {"", "example.com", 80, false},
        {"*", "example.com", 80, true},
        {"other, *", "::1", 80, true},
        {"*:81", "example.com", 80, false},
        {"example.com", "example.com", 80, true},
        {"example.com", "www.example.com", 80, true},
        {"example.com", "nonexample.com", 80, false},
        {"example.com", "example.com.evil", 80, false},
        {".example.com", "example.com", 80, true},
        {".example.com", "www.example.com", 80, true},
        {"www.example.com", "example.com", 80, false},
        {"EXAMPLE.com.", "example.COM.", 80, true},
        {"a,example.com b", "example.com", 80, true},
        {"a  ,, example.com", "example.com", 80, true},
        {"example.com:8080", "example.com", 8080, true},
        {"example.com:8080", "example.com", 80, false},
        {"com", "example.com", 80, true},
        {".", "example.com", 80, false},
        {":80", "example.com", 80, false},
        {"localhost", "localhost", 80, true},
        {"127.0.0.1", "127.0.0.1", 80, true},
        {"127.0.0.1:81", "127.0.0.1", 80, false},
        {"127.0.0.1:80", "127.0.0.1", 80, true},
        {"7.0.0.1", "127.0.0.1", 80, false},
        {"0.0.1", "127.0.0.1", 80, false},
        {"10.0.0.0/8", "10.255.0.1", 80, true},
        {"10.0.0.0/8", "11.0.0.1", 80, false},
        {"10.1.2.3/8", "10.9.9.9", 80, true},
        {"10.0.0.0/8:80", "10.0.0.1", 80, true},
        {"10.0.0.1/32", "10.0.0.1", 80, true},
        {"10.0.0.1/32", "10.0.0.2", 80, false},
        {"0.0.0.0/0", "10.0.0.2", 80, true},
        {"10.0.0.0/33", "10.0.0.1", 80, false},
        {"10.0.0.0/", "10.0.0.0", 80, false},
        {"10.0.0.0/x", "10.0.0.0", 80, false},
        {"10.0.0.0/8", "10.example.com", 80, false},
        {"::1", "::1", 80, true},
        {"0:0::1", "::1", 80, true},
        {"[::1]", "::1", 80, true},
        {"[::1]:80", "::1", 80, true},
        {"[::1]:81", "::1", 80, false},
        {"fd00::/8", "fd12::1", 80, true},
        {"fd00::/8", "fe12::1", 80, false},
        {"fd00::/129", "fd00::", 80, false},
        {"::/0", "10.0.0.1", 80, false},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(is_listed(r.list, r.host, r.port), r.listed) << r.list << " | " << r.host;
        EXPECT_EQ(proxy("p:1").bypass(r.list).serves(r.host, r.port), !r.listed);
    }
}

/// The variables, for the time of a test.
class HttpProxyEnvironment : public ::testing::Test {
protected:
    void SetUp() override { clear(); }
    void TearDown() override { clear(); }

    static void set(const char* name, const char* value) { ::setenv(name, value, 1); }
    static void clear() {
        for (const char* name : {"http_proxy",
                                 "HTTP_PROXY",
                                 "https_proxy",
                                 "HTTPS_PROXY",
                                 "all_proxy",
                                 "ALL_PROXY",
                                 "no_proxy",
                                 "NO_PROXY"}) {
            ::unsetenv(name);
        }
    }
};

TEST_F(HttpProxyEnvironment, IsReadAsCurlDoes) {
    EXPECT_EQ(proxies_from_environment(), asio_retry::http::proxies());
    set("HTTP_PROXY", "evil:1");
    EXPECT_FALSE(proxies_from_environment().http);
    set("ALL_PROXY", "all:1");
    set("all_proxy", "");
    EXPECT_EQ(proxies_from_environment().http->host(), "all");
    EXPECT_EQ(proxies_from_environment().https->host(), "all");
    set("all_proxy", "lower:1");
    set("HTTPS_PROXY", "https:1");
    EXPECT_EQ(proxies_from_environment().http->host(), "lower");
    EXPECT_EQ(proxies_from_environment().https->host(), "https");
    set("https_proxy", "https.lower:1");
    set("http_proxy", "http.lower:1");
    set("NO_PROXY", "a");
    EXPECT_EQ(proxies_from_environment().http->host(), "http.lower");
    EXPECT_EQ(proxies_from_environment().https->host(), "https.lower");
    EXPECT_EQ(proxies_from_environment().https->bypass(), "a");
    set("no_proxy", "b");
    EXPECT_EQ(proxies_from_environment().http->bypass(), "b");
}

TEST_F(HttpProxyEnvironment, NamesTheVariableThatIsWrong) {
    set("https_proxy", "socks5://user:secret@p");
    try {
        proxies_from_environment();
        ADD_FAILURE();
    } catch (const std::invalid_argument& e) {
        EXPECT_EQ(std::string_view(e.what()).substr(0, 13), "https_proxy: ");
        EXPECT_EQ(std::strstr(e.what(), "secret"), nullptr) << e.what();
    }
}

TEST(HttpProxyConfig, RefusesAPathThatIsNone) {
    client_config config;
    EXPECT_THROW(config.unix_socket(""), std::invalid_argument);
    EXPECT_THROW(config.unix_socket(std::string(108, 'a')), std::invalid_argument);
    EXPECT_THROW(config.unix_socket(std::string("a\0b", 3)), std::invalid_argument);
    EXPECT_EQ(config.unix_socket(std::string(107, 'a')).unix_socket().size(), 1U);
}

// What is said.

target to(std::string_view url, const proxy* via) {
    target t;
    EXPECT_FALSE(parse_target(url, t));
    t.via = via;
    return t;
}

TEST(HttpProxyWire, GivesTheProxyTheWholeUrlAndItsCredentials) {
    const proxy p("u:p@proxy:1");
    const std::string url = "http://user:word@h:8080/a?b#c";
    EXPECT_EQ(serialize(request("GET", url), to(url, &p), "", "").bytes,
              "GET http://h:8080/a?b HTTP/1.1\r\nHost: h:8080\r\n"
              "Authorization: Basic dXNlcjp3b3Jk\r\nProxy-Authorization: Basic dTpw\r\n\r\n");
}

TEST(HttpProxyWire, GivesTheServerBehindATunnelNoneOfIt) {
    const proxy p("u:p@proxy:1");
    const auto r = request("GET", "https://h/a").header("proxy-authorization", "mine");
    EXPECT_EQ(serialize(r, to(r.url(), &p), "", "").bytes, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(HttpProxyWire, AsksForATunnel) {
    const proxy p("u:p@proxy:1");
    EXPECT_EQ(connect_request(to("https://user:word@h/a", &p), "agent"),
              "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nUser-Agent: agent\r\n"
              "Proxy-Authorization: Basic dTpw\r\n\r\n");
    const proxy open("proxy:1");
    EXPECT_EQ(connect_request(to("https://[::1]:444/", &open), ""),
              "CONNECT [::1]:444 HTTP/1.1\r\nHost: [::1]:444\r\n\r\n");
}

// What is understood.

/// The error that a proxy's words come to, given in pieces of this size; "open" once the tunnel
/// stands, "more" if there is to be more.
std::string heard(std::string_view words, std::size_t piece) {
    tunnel_reply reply;
    read_buffer input;
    for (std::size_t at = 0; at < words.size(); at += piece) {
        const auto part = words.substr(at, piece);
        const auto room = input.prepare(part.size());
        std::memcpy(room.data(), part.data(), part.size());
        input.commit(part.size());
        if (const error_code ec = reply.take(input)) return ec.message();
    }
    return reply.done() ? "open" : "more";
}

TEST(HttpProxyTunnel, UnderstandsTheProxyHoweverItsWordsArrive) {
    const auto text = [](error e) { return make_error_code(e).message(); };
    const std::string many(tunnel_reply::longest, 'x');
    std::string endless;
    for (int i = 0; i < 9; ++i) endless += "HTTP/1.1 100 Continue\r\n\r\n";
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"HTTP/1.1 200 Connection established\r\n\r\n", "open"},
        {"HTTP/1.0 200 \r\nVia: x\r\n\r\n", "open"},
        {"HTTP/1.1 204 No Content\r\n\r\n", "open"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "open"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "open"},
        {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "open"},
        {"HTTP/1.1 200 OK\r\n", "more"},
        {"HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n", text(error::proxy_authentication)},
        {"HTTP/1.1 403 No\r\n\r\n", text(error::proxy_refused)},
        {"HTTP/1.1 302 No\r\nLocation: http://evil/\r\n\r\n", text(error::proxy_refused)},
        {"HTTP/1.1 429 No\r\n\r\n", text(error::proxy_unavailable)},
        {"HTTP/1.1 502 No\r\n\r\n", text(error::proxy_unavailable)},
        {"HTTP/1.1 504 No\r\n\r\n", text(error::proxy_unavailable)},
        {"SSH-2.0-OpenSSH\r\n", text(error::malformed_proxy_response)},
        {"HTTP/1.1 200 OK\r\nX: " + many, text(error::malformed_proxy_response)},
        {"HTTP/1.1 2x0 OK\r\n\r\n", text(error::malformed_proxy_response)},
        {endless, text(error::proxy_refused)},
    };
    for (const auto& [words, end] : rows) {
        for (const std::size_t piece : {words.size(), std::size_t{1}, std::size_t{7}}) {
            EXPECT_EQ(heard(words, piece), end) << words.substr(0, 60) << " by " << piece;
        }
    }
    EXPECT_EQ(heard("HTTP/1.1 200 OK\r\n\r\n\x16", 99), text(error::malformed_proxy_response));
}

TEST(HttpProxyTunnel, ItsErrorsAreOfTheirKinds) {
    const std::pair<error, failure_kind> rows[] = {
        {error::proxy_authentication, failure_kind::permanent},
        {error::proxy_refused, failure_kind::permanent},
        {error::malformed_proxy_response, failure_kind::permanent},
        {error::proxy_unavailable, failure_kind::connect},
        {error::proxy_closed, failure_kind::connection_lost},
    };
    for (const auto& [e, kind] : rows) {
        EXPECT_EQ(asio_retry::default_verdict(e).kind(), kind) << make_error_code(e).message();
    }
}

}  // namespace
