#include <asio_retry/http/endpoint.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

using asio_retry::http::endpoint;
using asio_retry::http::endpoint_key;
using asio_retry::http::endpoint_match;
using asio_retry::http::url_scheme;

endpoint_match at(const char* origin) { return endpoint_match().origin(origin); }
endpoint_match under(const char* path) { return endpoint_match().path(path); }

bool takes(const endpoint_match& m, const char* host, std::uint16_t port = 443) {
    return m.covers({"GET", url_scheme::https, host, port, "/"});
}

bool takes_path(const char* pattern, const char* path) {
    return under(pattern).covers({"GET", url_scheme::http, "h", 80, path});
}

template <typename Set>
std::string refusal(Set set) {
    endpoint_match m;
    try {
        set(m);
    } catch (const std::invalid_argument& e) {
        EXPECT_EQ(m, endpoint_match()) << "changed by a setter that threw";
        return e.what();
    }
    return "accepted";
}

std::string refused_origin(const char* text) {
    return refusal([&](auto& m) { m.origin(text); });
}

std::string refused_path(const char* text) {
    return refusal([&](auto& m) { m.path(text); });
}

TEST(EndpointMatch, NormalisesOrigins) {
    const std::pair<const char*, const char*> table[] = {
        {"https://pay.example", "https://pay.example"},
        {"HTTPS://Pay.Example", "https://pay.example"},
        {"https://pay.example/", "https://pay.example"},
        {"https://pay.example:443", "https://pay.example"},
        {"http://pay.example:443", "http://pay.example:443"},
        {"http://pay.example:80", "http://pay.example"},
        {"https://*.Example", "https://*.example"},
        {"https://*.b.example:8443", "https://*.b.example:8443"},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
        {"http://[::1]", "http://[::1]"},
        {"http://[0:0::1]:81", "http://[::1]:81"},
    };
    for (const auto& [text, normal] : table) {
        EXPECT_EQ(at(text).origin(), normal);
        EXPECT_EQ(at(normal), at(text)) << text;
    }
    EXPECT_EQ(endpoint_match().origin(), "");
}

TEST(EndpointMatch, ComparesSchemeHostAndPort) {
    EXPECT_TRUE(takes(at("https://pay.example"), "pay.example"));
    EXPECT_FALSE(takes(at("https://pay.example"), "pay.example", 444));
    EXPECT_FALSE(takes(at("http://pay.example:443"), "pay.example"));
    EXPECT_FALSE(takes(at("https://pay.example"), "a.pay.example"));
    EXPECT_TRUE(takes(endpoint_match(), "anything", 1));
}

TEST(EndpointMatch, TakesAnyNumberOfLabelsBeforeASuffixAndAtLeastOne) {
    const auto suffix = at("https://*.pay.example");
    EXPECT_TRUE(takes(suffix, "a.pay.example"));
    EXPECT_TRUE(takes(suffix, "b.a.pay.example"));
    EXPECT_FALSE(takes(suffix, "pay.example"));
    EXPECT_FALSE(takes(suffix, "xpay.example"));
    EXPECT_FALSE(takes(suffix, ".pay.example"));
    EXPECT_FALSE(takes(suffix, "a.pay.example", 80));
}

TEST(EndpointMatch, ComparesPaths) {
    EXPECT_TRUE(takes_path("/a", "/a"));
    EXPECT_TRUE(takes_path("/a", "/a?b=/c"));
    EXPECT_FALSE(takes_path("/a", "/a/"));
    EXPECT_FALSE(takes_path("/a", "/A"));
    EXPECT_FALSE(takes_path("/a", "/ab"));
    EXPECT_TRUE(takes_path("/a*", "/a"));
    EXPECT_TRUE(takes_path("/a*", "/ab/c"));
    EXPECT_TRUE(takes_path("/a/*", "/a/"));
    EXPECT_FALSE(takes_path("/a/*", "/a"));
    EXPECT_TRUE(takes_path("/*", "/"));
    EXPECT_TRUE(takes_path("/", "/"));
    EXPECT_FALSE(takes_path("/", "/a"));
}

TEST(EndpointMatch, ReadsPercentEncodingOnBothSides) {
    EXPECT_TRUE(takes_path("/~me", "/%7eme"));
    EXPECT_TRUE(takes_path("/%7Eme", "/~me"));
    EXPECT_TRUE(takes_path("/%c3%bc", "/%C3%Bc"));
    EXPECT_FALSE(takes_path("/a/b", "/a%2Fb"));
    EXPECT_TRUE(takes_path("/a%2Fb", "/a%2fb"));
    EXPECT_TRUE(takes_path("/a%2A", "/a*"));
    EXPECT_TRUE(takes_path("/a%2a", "/a%2A"));
    EXPECT_FALSE(takes_path("/a%2A", "/ab"));
    EXPECT_TRUE(takes_path("/a%2Ab*", "/a*bc"));
    EXPECT_EQ(under("/%7eme%2a*").path(), "/~me%2A*");
    EXPECT_TRUE(takes_path("/a*", "/a%"));
    EXPECT_TRUE(takes_path("/a*", "/a%4"));
}

TEST(EndpointMatch, LooksAtPathsOfAnyLength) {
    const std::string longest = "/" + std::string(1023, 'a');
    EXPECT_TRUE(takes_path(longest.c_str(), longest.c_str()));
    EXPECT_FALSE(takes_path(longest.c_str(), (longest + "a").c_str()));
    EXPECT_TRUE(takes_path((longest + "*").c_str(), (longest + "a").c_str()));
    std::string encoded = "/";
    for (int i = 0; i < 1023; ++i) encoded += "%61";
    EXPECT_TRUE(takes_path(longest.c_str(), encoded.c_str()));
    EXPECT_FALSE(takes_path(longest.c_str(), (encoded + "%61").c_str()));
    EXPECT_FALSE(takes_path(longest.c_str(), (encoded + std::string(5000, '*')).c_str()));
    EXPECT_TRUE(takes_path("/a*", (encoded + std::string(5000, '*')).c_str()));
}

TEST(EndpointMatch, KnowsMethodsInTheirCase) {
    const auto m = endpoint_match().methods({"POST", "PUT", "POST"});
    EXPECT_EQ(m.methods(), (std::vector<std::string>{"POST", "PUT"}));
    const auto covers = [&](const char* method) {
        return m.covers({method, url_scheme::http, "h", 80, "/"});
    };
    EXPECT_TRUE(covers("POST"));
    EXPECT_TRUE(covers("PUT"));
    EXPECT_FALSE(covers("GET"));
    EXPECT_FALSE(covers("post"));
    EXPECT_FALSE(covers(""));
}

TEST(EndpointMatch, RefusesOriginsAndSaysWhatIsRight) {
    const std::string right =
        "; write https://pay.example, https://*.example or http://127.0.0.1:8080";
    EXPECT_EQ(refused_origin("pay.example"), "origin: 'pay.example' has no scheme" + right);
    EXPECT_EQ(refused_origin("https://pay.example/v1"),
              "origin: 'https://pay.example/v1' is more than scheme, host and port" + right);
    EXPECT_EQ(refused_origin("https://me:secret@pay.example"),
              "origin: '***@pay.example' is more than scheme, host and port" + right);
    EXPECT_EQ(refused_origin("https://pay.*.example"),
              "origin: 'https://pay.*.example' has a star that is not the first label of several" +
                  right);
    EXPECT_EQ(refused_origin("https://*"),
              "origin: 'https://*' has a star that is not the first label of several" + right);
    for (const char* wrong : {"ftp://a.example",
                              "https://",
                              "https://*.",
                              "https://a..example",
                              "https://a.example:0",
                              "https://a.example:65536",
                              "https://*.127.0.0.1",
                              "https://*.[::1]",
                              "https://[::1",
                              "https://a b.example",
                              "://a"}) {
        EXPECT_NE(refused_origin(wrong), "accepted") << wrong;
    }
}

TEST(EndpointMatch, RefusesPathsAndSaysWhatIsRight) {
    EXPECT_EQ(refused_path("v1"), "path: 'v1' does not begin with a slash");
    EXPECT_EQ(refused_path(""), "path: '' does not begin with a slash");
    EXPECT_EQ(refused_path("*"), "path: '*' does not begin with a slash");
    EXPECT_EQ(refused_path("/a/*/b"),
              "path: '/a/*/b' has a star before its end, where alone it may stand; for a star in "
              "the path itself write %2A");
    EXPECT_EQ(refused_path("/**"),
              "path: '/**' has a star before its end, where alone it may stand; for a star in the "
              "path itself write %2A");
    EXPECT_EQ(refused_path("/a?b"),
              "path: '/a?b' has a query or fragment, which are not looked at; leave it out");
    EXPECT_EQ(refused_path("/a b"),
              "path: '/a b' has a character that no path can hold; percent-encode it");
    EXPECT_EQ(refused_path("/a/%2e/b"),
              "path: '/a/%2e/b' has a dot segment, which requests are sent without; leave it out");
    EXPECT_EQ(refused_path("/a/.."),
              "path: '/a/..' has a dot segment, which requests are sent without; leave it out");
    EXPECT_EQ(refused_path("/100%"),
              "path: '/100%' has a % without two hexadecimal digits; write %25 for the sign");
    EXPECT_EQ(refused_path("/%2*"),
              "path: '/%2*' has a % without two hexadecimal digits; write %25 for the sign");
    EXPECT_NE(refused_path(("/" + std::string(1024, 'a')).c_str()), "accepted");
}

TEST(EndpointMatch, RefusesMethodsAndSaysWhatIsRight) {
    EXPECT_EQ(refusal([](auto& m) { m.methods({"post"}); }), "methods: 'post' should be POST");
    EXPECT_EQ(refusal([](auto& m) { m.methods({"GET", "A B"}); }),
              "methods: 'A B' is not a method; write GET, POST or the like");
    EXPECT_EQ(refusal([](auto& m) { m.methods({""}); }),
              "methods: '' is not a method; write GET, POST or the like");
    EXPECT_EQ(refusal([](auto& m) { m.methods({"purge", "M-SEARCH"}); }), "accepted");
}

TEST(EndpointMatch, HasAText) {
    EXPECT_EQ(at("https://pay.example").path("/v1/*").methods({"PUT", "POST"}).to_string(),
              "POST,PUT https://pay.example/v1/*");
    EXPECT_EQ(under("/a").to_string(), "any origin /a");
}

TEST(Endpoint, RefusesNamesThatAreNone) {
    const auto refusal = [](const std::string& name, const endpoint_match& m = under("/a")) {
        try {
            const endpoint e(name, m);
        } catch (const std::invalid_argument& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    EXPECT_EQ(refusal("payments"), "accepted");
    EXPECT_EQ(refusal(std::string(200, 'a')), "accepted");
    EXPECT_EQ(refusal(""), "name: is empty; every endpoint needs one");
    EXPECT_EQ(refusal(std::string(201, 'a')), "name: has 201 characters; must have 200 or fewer");
    EXPECT_EQ(refusal("a\nb"), "name: has control characters");
    EXPECT_EQ(refusal("default"),
              "name: 'default' is the endpoint of all requests that match no other");
    EXPECT_EQ(
        refusal("all", endpoint_match()),
        "match: matches every request; name an origin, a path or methods, or use the default");
    EXPECT_EQ(
        refusal("all", under("/*")),
        "match: matches every request; name an origin, a path or methods, or use the default");
}

}  // namespace
