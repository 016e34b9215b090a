#include "http/redirect.hpp"
#include <asio_retry/http/error.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

using asio_retry::http::error;
using asio_retry::http::repeat;
using asio_retry::http::request;
using namespace asio_retry::http::detail;

hop follow(const request& r, unsigned status, std::string_view location) {
    target at;
    EXPECT_FALSE(parse_target(r.url(), at)) << r.url();
    request::fields headers;
    headers.insert("Location", location);
    return next_hop(r, at, status, headers);
}

request post() {
    return request("POST", "http://u:p@h/a/b?c")
        .header("Content-Type", "text/plain")
        .header("content-encoding", "gzip")
        .header("Digest", "x")
        .header("Last-Modified", "x")
        .header("Expect", "100-continue")
        .header("X-Mine", "1")
        .header("X-Mine", "2")
        .header("Cookie", "secret")
        .header("Proxy-Authorization", "secret")
        .header("Idempotency-Key", "k")
        .body("hello")
        .repeatable(repeat::allowed);
}

TEST(HttpRedirect, ChangesTheMethodAsTheStatusSays) {
    struct row {
        unsigned status;
        const char* method;
        const char* next;
    };
    const row rows[] = {
        {301, "GET", "GET"},     {301, "HEAD", "HEAD"},     {301, "POST", "GET"},
        {301, "PUT", "PUT"},     {301, "DELETE", "DELETE"}, {302, "GET", "GET"},
        {302, "HEAD", "HEAD"},   {302, "POST", "GET"},      {302, "PATCH", "PATCH"},
        {302, "QUERY", "QUERY"}, {303, "GET", "GET"},       {303, "HEAD", "HEAD"},
        {303, "POST", "GET"},    {303, "PUT", "GET"},       {303, "DELETE", "GET"},
        {307, "GET", "GET"},     {307, "HEAD", "HEAD"},     {307, "POST", "POST"},
        {307, "PATCH", "PATCH"}, {308, "GET", "GET"},       {308, "HEAD", "HEAD"},
        {308, "POST", "POST"},   {308, "PUT", "PUT"},
    };
    for (const auto& r : rows) {
        SCOPED_TRACE(std::to_string(r.status) + " " + r.method);
        const auto h = follow(request(r.method, "http://h/").body("x"), r.status, "/next");
        EXPECT_FALSE(h.error);
        ASSERT_TRUE(h.next);
        EXPECT_EQ(h.next->method(), r.next);
        EXPECT_EQ(h.next->body(), r.next == std::string_view(r.method) ? "x" : "");
        EXPECT_EQ(h.next->url(), "http://h/next");
    }
}

TEST(HttpRedirect, IsNoneWithoutRedirectingStatusAndLocation) {
    for (const unsigned status : {200U, 201U, 300U, 304U, 305U, 306U, 309U, 399U, 400U, 503U}) {
        const auto h = follow(request("GET", "http://h/"), status, "/next");
        EXPECT_FALSE(h.next) << status;
        EXPECT_FALSE(h.error) << status;
    }
    for (const char* location : {"", " ", "\t"}) {
        const auto h = follow(request("GET", "http://h/"), 302, location);
        EXPECT_FALSE(h.next);
        EXPECT_FALSE(h.error);
    }
    target at;
    ASSERT_FALSE(parse_target("http://h/", at));
    const auto h = next_hop(request("GET", "http://h/"), at, 302, {});
    EXPECT_FALSE(h.next);
    EXPECT_FALSE(h.error);
}

TEST(HttpRedirect, ResolvesLocationAgainstWhereItWas) {
    struct row {
        const char* location;
        const char* url;
    };
    const row rows[] = {
        {"x", "http://h/a/x"},
        {"../x", "http://h/x"},
        {"?x", "http://h/a/b?x"},
        {"#x", "http://h/a/b?c"},
        {"/x#y", "http://h/x"},
        {" /x \t", "http://h/x"},
        {"//other/x", "http://other/x"},
        {"https://other:444/x#y", "https://other:444/x"},
        {"HTTP://U2:P2@OTHER/x", "http://other/x"},
        {"/\xC3\xA9 x", "http://h/%C3%A9%20x"},
    };
    for (const auto& r : rows) {
        const auto h = follow(post(), 302, r.location);
        ASSERT_TRUE(h.next) << r.location;
        EXPECT_EQ(h.next->url(), r.url);
    }
}

TEST(HttpRedirect, RefusesWhereItDoesNotGo) {
    for (const char* location : {"ftp://h/",
                                 "file:///etc/passwd",
                                 "javascript:alert(1)",
                                 "http://",
                                 "http://h:0/",
                                 "//",
                                 "http:x",
                                 "\\\\h",
                                 "http://a@b@c/",
                                 "http://[::1%25lo]/",
                                 "/%",
                                 "/a\rb"}) {
        const auto h = follow(request("GET", "http://h/"), 302, location);
        EXPECT_FALSE(h.next) << location;
        EXPECT_EQ(h.error, error::invalid_redirect) << location;
    }
    for (const char* location : {"http://h/", "HTTP://h:443/", "http://other/"}) {
        const auto h = follow(request("GET", "https://h/"), 302, location);
        EXPECT_FALSE(h.next) << location;
        EXPECT_EQ(h.error, error::insecure_redirect) << location;
    }
    EXPECT_TRUE(follow(request("GET", "https://h/"), 302, "//h:8443/").next);
    EXPECT_TRUE(follow(request("GET", "http://h/"), 302, "https://h/").next);
}

TEST(HttpRedirect, RefusesSeveralLocations) {
    target at;
    ASSERT_FALSE(parse_target("http://h/", at));
    request::fields headers;
    headers.insert("Location", "/a");
    headers.insert("location", "/b");
    EXPECT_EQ(next_hop(request("GET", "http://h/"), at, 302, headers).error,
              error::invalid_redirect);
}

TEST(HttpRedirect, DropsWhatDescribesABodyThatGoes) {
    const auto h = follow(post().idempotency_key("k"), 303, "/x");
    ASSERT_TRUE(h.next);
    for (const char* name : {"Content-Type",
                             "Content-Encoding",
                             "Digest",
                             "Last-Modified",
                             "Expect",
                             "Idempotency-Key"}) {
        EXPECT_EQ(h.next->headers().count(name), 0U) << name;
    }
    EXPECT_EQ(h.next->headers().count("X-Mine"), 2U);
    EXPECT_EQ(h.next->headers()["Cookie"], "secret");
    EXPECT_EQ(h.next->body(), "");
    EXPECT_EQ(h.next->idempotency_key(), "");
    EXPECT_EQ(h.next->repeatable(), repeat::by_method);
}

TEST(HttpRedirect, KeepsTheRequestWhereTheMethodStays) {
    const auto h = follow(post().idempotency_key("k"), 308, "/x");
    ASSERT_TRUE(h.next);
    for (const char* name : {"Content-Type",
                             "Content-Encoding",
                             "Digest",
                             "Last-Modified",
                             "Expect",
                             "Idempotency-Key",
                             "Cookie",
                             "Proxy-Authorization"}) {
        EXPECT_EQ(h.next->headers().count(name), 1U) << name;
    }
    EXPECT_EQ(h.next->body(), "hello");
    EXPECT_EQ(h.next->idempotency_key(), "k");
    EXPECT_EQ(h.next->repeatable(), repeat::allowed);
}

TEST(HttpRedirect, TakesCredentialsToNoOtherOrigin) {
    const auto credentials = [](request r, std::string_view location) {
        const auto h =
            follow(r.header("Cookie", "c").header("proxy-authorization", "p"), 302, location);
        EXPECT_TRUE(h.next) << location;
        EXPECT_EQ(h.next->url().find('@'), std::string::npos);
        return std::to_string(h.next->headers().count("Cookie")) +
               std::to_string(h.next->headers().count("Proxy-Authorization")) +
               std::string(h.next->headers()["Authorization"]);
    };
    const request plain("GET", "http://h/");
    const request in_url("GET", "http://u:p@h/");
    const auto in_field = request("GET", "http://u:p@h/").header("authorization", "Bearer x");
    for (const char* same : {"/x", "http://h/", "http://h:80/", "http://evil:evil@h/", "//h/"}) {
        EXPECT_EQ(credentials(plain, same), "11") << same;
        EXPECT_EQ(credentials(in_url, same), "11Basic dTpw") << same;
        EXPECT_EQ(credentials(in_field, same), "11Bearer x") << same;
    }
    for (const char* other :
         {"https://h/", "http://h:81/", "http://x.h/", "http://evil:evil@other/", "//h.:80/"}) {
        EXPECT_EQ(credentials(plain, other), "00") << other;
        EXPECT_EQ(credentials(in_url, other), "00") << other;
        EXPECT_EQ(credentials(in_field, other), "00") << other;
    }
}

TEST(HttpRedirect, LeadsFromHttpsToHttpOnlyWhereThatIsAllowed) {
    using asio_retry::http::insecure_redirects;
    target at;
    EXPECT_FALSE(parse_target("https://h/", at));
    request::fields headers;
    headers.insert("Location", "http://h/");
    const request r = request("GET", "https://h/").header("Cookie", "secret");
    EXPECT_EQ(next_hop(r, at, 302, headers, insecure_redirects::refused).error,
              error::insecure_redirect);
    const auto h = next_hop(r, at, 302, headers, insecure_redirects::followed);
    ASSERT_TRUE(h.next);
    EXPECT_EQ(h.next->url(), "http://h/");
    EXPECT_EQ(h.next->headers().count("Cookie"), 0U);
}

}  // namespace
