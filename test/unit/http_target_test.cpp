#include "http/target.hpp"
#include <asio_retry/http/error.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

using asio_retry::error_code;
using asio_retry::http::error;
using asio_retry::http::detail::parse_target;
using asio_retry::http::detail::resolve_target;
using asio_retry::http::detail::same_origin;
using asio_retry::http::detail::target;

target parsed(std::string_view url) {
    target t;
    EXPECT_FALSE(parse_target(url, t)) << url;
    return t;
}

error_code failure(std::string_view url) {
    target t;
    return parse_target(url, t);
}

TEST(HttpTarget, TakesAUrlApart) {
    const auto t = parsed("HTTPS://user:pass@Example.COM:8443/a/b;c?d=e&f#g");
    EXPECT_TRUE(t.tls);
    EXPECT_EQ(t.host, "example.com");
    EXPECT_EQ(t.port, 8443);
    EXPECT_EQ(t.authority, "example.com:8443");
    EXPECT_EQ(t.path, "/a/b;c?d=e&f");
    EXPECT_EQ(t.display, "https://example.com:8443/a/b;c?d=e&f");
    EXPECT_EQ(t.authorization, "Basic dXNlcjpwYXNz");
}

TEST(HttpTarget, KnowsPortsAndAuthorities) {
    struct row {
        const char* url;
        const char* host;
        unsigned port;
        const char* authority;
        bool tls;
    };
    const row rows[] = {
        {"http://h", "h", 80, "h", false},
        {"https://h", "h", 443, "h", true},
        {"http://h:", "h", 80, "h", false},
        {"http://h:80", "h", 80, "h", false},
        {"https://h:443", "h", 443, "h", true},
        {"http://h:443", "h", 443, "h:443", false},
        {"https://h:80", "h", 80, "h:80", true},
        {"http://h:1", "h", 1, "h:1", false},
        {"http://h:65535", "h", 65535, "h:65535", false},
        {"http://h:0008080", "h", 8080, "h:8080", false},
        {"http://127.0.0.1:8080", "127.0.0.1", 8080, "127.0.0.1:8080", false},
        {"http://[::1]", "::1", 80, "[::1]", false},
        {"http://[::1]:8080", "::1", 8080, "[::1]:8080", false},
        {"https://[2001:DB8:0:0:0:0:0:1]", "2001:db8::1", 443, "[2001:db8::1]", true},
        {"http://[1:0:1:1:1:1:1:1]", "1:0:1:1:1:1:1:1", 80, "[1:0:1:1:1:1:1:1]", false},
        {"http://xn--bcher-kva.example",
         "xn--bcher-kva.example",
         80,
         "xn--bcher-kva.example",
         false},
        {"http://a_b.example.", "a_b.example.", 80, "a_b.example.", false},
        {"http://1.example", "1.example", 80, "1.example", false},
        {"http://0xg", "0xg", 80, "0xg", false},
    };
    for (const auto& r : rows) {
        SCOPED_TRACE(r.url);
        const auto t = parsed(r.url);
        EXPECT_EQ(t.host, r.host);
        EXPECT_EQ(t.port, r.port);
        EXPECT_EQ(t.authority, r.authority);
        EXPECT_EQ(t.tls, r.tls);
    }
}

TEST(HttpTarget, KeepsThePathButForItsDots) {
    struct row {
        const char* url;
        const char* path;
    };
    const row rows[] = {
        {"http://h", "/"},
        {"http://h/", "/"},
        {"http://h?q", "/?q"},
        {"http://h/?", "/?"},
        {"http://h#f?g", "/"},
        {"http://h/a#f", "/a"},
        {"http://h//a//", "//a//"},
        {"http://h/a/./b/../c", "/a/c"},
        {"http://h/..", "/"},
        {"http://h/../../a", "/a"},
        {"http://h/a/..", "/"},
        {"http://h/a/b/..", "/a/"},
        {"http://h/a/.", "/a/"},
        {"http://h/.../a..", "/.../a.."},
        {"http://h/%7euser/%C3%bc", "/%7euser/%C3%bc"},
        {"http://h/%2e%2E/a", "/%2e%2E/a"},
        {"http://h/a?b/../c?d", "/a?b/../c?d"},
        {"http://h/?a[]=1&b[x]=2", "/?a%5B%5D=1&b%5Bx%5D=2"},
        {"http://h/:@!$&'()*+,;=-._~", "/:@!$&'()*+,;=-._~"},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(parsed(r.url).path, r.path) << r.url;
        EXPECT_EQ(parsed(r.url).display, std::string("http://h") + r.path) << r.url;
    }
}

TEST(HttpTarget, MakesBasicAuthorizationOfCredentials) {
    struct row {
        const char* url;
        const char* authorization;
    };
    // The first three of RFC 7617 2 and RFC 4648 10.
    const row rows[] = {
        {"http://Aladdin:open%20sesame@h", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="},
        {"http://test:123%C2%A3@h", "Basic dGVzdDoxMjPCow=="},
        {"http://fo:bar@h", "Basic Zm86YmFy"},
        {"http://user@h", "Basic dXNlcjo="},
        {"http://:pass@h", "Basic OnBhc3M="},
        {"http://u:a:b@h", "Basic dTphOmI="},
        {"http://u%40x:p@h", "Basic dUB4OnA="},
        {"http://u:%ff%fe%fb@h", "Basic dTr//vs="},
        {"http://@h", ""},
        {"http://:@h", ""},
        {"http://h", ""},
    };
    for (const auto& r : rows) {
        const auto t = parsed(r.url);
        EXPECT_EQ(t.authorization, r.authorization) << r.url;
        EXPECT_EQ(t.display, "http://h/") << r.url;
    }
}

TEST(HttpTarget, RefusesOtherSchemes) {
    for (const char* url : {"ftp://h/",
                            "file:///etc/passwd",
                            "ws://h/",
                            "javascript:alert(1)",
                            "mailto:a@b",
                            "httpss://h/",
                            "h:80"}) {
        EXPECT_EQ(failure(url), error::unsupported_scheme) << url;
    }
}

TEST(HttpTarget, RefusesWhatIsNoUrl) {
    const std::string_view urls[] = {
        "",
        "h",
        "//h/",
        "/a",
        "http",
        "http:",
        "http:h",
        "http:/h",
        "http://",
        "http:///a",
        "http://:80/",
        "http://u@/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:99999999999999999999/",
        "http://h:-1/",
        "http://h:8a/",
        "http://h:80:80/",
        "http://a@b@c/",
        "http://u@h@evil.example/",
        "http://u@@h/",
        "http://u:p%0d%0aX@h/",
        "http://u:p%00@h/",
        "http://a%3Ab:c@h/",
        "http://a b/",
        "http://h/a b",
        " http://h/",
        "http://h/ ",
        "http://h/\t",
        "http://h/\r\nX: y",
        "http://h/\x7f",
        std::string_view("http://h/\0", 10),
        "http://h\\a",
        "http://good.example\\@evil.example/",
        "http://h/\xC3\xA9",
        "http://b\xC3\xBC\x63her.example/",
        "http://h/?a[]=\xC3\xA9",
        "http://%68/",
        "http://h%00/",
        "http://h%2f/",
        "http://.h/",
        "http://a..b/",
        "http://../",
        "http://[::1/",
        "http://[::1]x/",
        "http://[]/",
        "http://[1::2::3]/",
        "http://[12345::]/",
        "http://[v1.a]/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://1.2.3.4.5/",
        "http://1.2.3.256/",
        "http://1.2.3.4./",
        "http://h/%",
        "http://h/%4",
        "http://h/%zz",
        "http://h/{a}",
        "http://h/a|b",
        "http://h/a[1]",
        "http://h/?a^b",
        "http://h/<a>",
        "http://h/\"",
    };
    for (const auto url : urls) EXPECT_EQ(failure(url), error::invalid_url) << url;
}

TEST(HttpTarget, IsLeftAloneByAnError) {
    auto t = parsed("http://h/a");
    EXPECT_TRUE(parse_target("http://h:0/b", t));
    EXPECT_TRUE(resolve_target(t, "//x:0/", t));
    EXPECT_EQ(t.display, "http://h/a");
}

TEST(HttpTarget, IsTheSameWhenParsedAgain) {
    for (const char* url : {"HTTP://A.Example:80/./b/../c?[x]#f", "https://[::ffff:1.2.3.4]:1/?"}) {
        const auto once = parsed(url);
        const auto twice = parsed(once.display);
        EXPECT_EQ(once.display, twice.display);
        EXPECT_EQ(once.path, twice.path);
        EXPECT_TRUE(same_origin(once, twice));
    }
}

TEST(HttpTarget, HasAnOriginOfSchemeHostAndPort) {
    const auto t = parsed("http://h/");
    EXPECT_TRUE(same_origin(t, parsed("http://u:p@H:80/other?q")));
    EXPECT_FALSE(same_origin(t, parsed("https://h/")));
    EXPECT_FALSE(same_origin(t, parsed("https://h:80/")));
    EXPECT_FALSE(same_origin(t, parsed("http://h:81/")));
    EXPECT_FALSE(same_origin(t, parsed("http://h.example/")));
}

}  // namespace
