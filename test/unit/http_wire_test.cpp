#include "http/wire.hpp"
#include <asio_retry/http/error.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace {

using asio_retry::http::error;
using asio_retry::http::request;
using namespace asio_retry::http::detail;

target parsed(std::string_view url) {
    target t;
    EXPECT_FALSE(parse_target(url, t)) << url;
    return t;
}

std::string bytes(const request& r, std::string_view agent = "", std::string_view key = "") {
    return serialize(r, parsed(r.url()), agent, key).bytes;
}

TEST(HttpWire, WritesARequestWithoutBody) {
    EXPECT_EQ(bytes(request("GET", "http://h:8080/a?b#c")),
              "GET /a?b HTTP/1.1\r\nHost: h:8080\r\n\r\n");
}

TEST(HttpWire, WritesHeadAndBody) {
    const auto r = request("POST", "https://u:p@[::1]/a")
                       .header("Content-Type", "text/plain")
                       .header("X-A", "1")
                       .header("x-a", "2")
                       .body(std::string("a\0\r\n\r\nb", 7));
    const auto wire = serialize(r, parsed(r.url()), "agent/1", "key");
    const std::string head =
        "POST /a HTTP/1.1\r\n"
        "Host: [::1]\r\n"
        "Content-Type: text/plain\r\n"
        "X-A: 1\r\n"
        "x-a: 2\r\n"
        "User-Agent: agent/1\r\n"
        "Authorization: Basic dTpw\r\n"
        "Idempotency-Key: key\r\n"
        "Content-Length: 7\r\n"
        "\r\n";
    EXPECT_EQ(wire.bytes, head + std::string("a\0\r\n\r\nb", 7));
    EXPECT_EQ(wire.head_size, head.size());
}

TEST(HttpWire, LeavesTheCallersOwnFieldsAsTheyAre) {
    const auto r = request("PUT", "http://u:p@h/")
                       .header("user-agent", "mine")
                       .header("AUTHORIZATION", "Bearer x")
                       .header("idempotency-key", "k1");
    EXPECT_EQ(bytes(r, "agent/1", "k2"),
              "PUT / HTTP/1.1\r\nHost: h\r\nuser-agent: mine\r\nAUTHORIZATION: Bearer x\r\n"
              "idempotency-key: k1\r\nContent-Length: 0\r\n\r\n");
}

TEST(HttpWire, SaysTheLengthWhereOneIsExpected) {
    struct row {
        const char* method;
        const char* body;
        const char* length;
    };
    const row rows[] = {
        {"GET", "", ""},
        {"HEAD", "", ""},
        {"DELETE", "", ""},
        {"OPTIONS", "", ""},
        {"post", "", ""},
        {"POST", "", "Content-Length: 0\r\n"},
        {"PUT", "", "Content-Length: 0\r\n"},
        {"PATCH", "", "Content-Length: 0\r\n"},
        {"QUERY", "", "Content-Length: 0\r\n"},
        {"GET", "abc", "Content-Length: 3\r\n"},
        {"DELETE", "abc", "Content-Length: 3\r\n"},
        {"ANY", "abc", "Content-Length: 3\r\n"},
    };
    for (const auto& r : rows) {
        EXPECT_EQ(
            bytes(request(r.method, "http://h/").body(r.body)),
            std::string(r.method) + " / HTTP/1.1\r\nHost: h\r\n" + r.length + "\r\n" + r.body);
    }
}

TEST(HttpWire, TakesARequestThatIsWhatItShouldBe) {
    EXPECT_FALSE(check_request(request("GET", "not looked at")));
    EXPECT_FALSE(check_request(request("!#$%&'*+-.^_`|~09azAZ", "http://h/")
                                   .header("!#$%&'*+-.^_`|~09azAZ", "")
                                   .header("X", " \t~\x80\xff, \"a\"; b=c ")
                                   .header("Expect", "100-continue")
                                   .header("Accept-Encoding", "gzip")
                                   .idempotency_key("\"a b\"")));
}

TEST(HttpWire, RefusesMethodsThatAreNoTokens) {
    const std::string methods[] = {
        "",         " ",    "G T",   "GET ",   "GET\r\n", "GET /",
        "G\tT",     "G:T",  "G(T)",  "G,T",    "G\x7fT",  "CONNECT",
        "\xC3\x84", "G\"T", "GET\\", "GET/x1", "[GET]",   "G{E}T",
        "G;T",      "G=T",  "G@T",   "G?T",    "G<T>",    std::string("G\0T", 3)};
    for (const auto& method : methods) {
        EXPECT_EQ(check_request(request(method, "http://h/")), error::invalid_method) << method;
    }
}

TEST(HttpWire, RefusesHeadersThatSplitARequest) {
    const auto with = [](std::string_view name, std::string_view value) {
        return check_request(request("GET", "http://h/").header("A", "b").header(name, value));
    };
    for (const char* name : {" ",
                             " X",
                             "X ",
                             "X:",
                             "X Y",
                             "X\r\nY",
                             "X\n",
                             "X\t",
                             "X\x01",
                             "\xC3\x84",
                             "X(Y)",
                             "X,Y",
                             "X\x7f",
                             "X/Y"}) {
        EXPECT_EQ(with(name, "v"), error::invalid_header) << name;
    }
    for (int c = 0; c < 256; ++c) {
        const bool control = (c < 32 && c != '\t') || c == 127;
        const std::string value = std::string("a") + static_cast<char>(c) + "b";
        EXPECT_EQ(static_cast<bool>(with("X", value)), control) << c;
        const auto r = request("POST", "http://h/").idempotency_key(value);
        EXPECT_EQ(static_cast<bool>(check_request(r)), control) << c;
    }
    EXPECT_EQ(with("X", "a\r\nHost: evil"), error::invalid_header);
}

TEST(HttpWire, RefusesHeadersThatAreItsOwnBusiness) {
    for (const char* name : {"Host",
                             "host",
                             "HOST",
                             "Content-Length",
                             "content-length",
                             "Transfer-Encoding",
                             "Connection",
                             "Keep-Alive",
                             "Proxy-Connection",
                             "TE",
                             "te",
                             "Trailer",
                             "Upgrade"}) {
        EXPECT_EQ(check_request(request("GET", "http://h/").header("A", "b").header(name, "1")),
                  error::forbidden_header)
            << name;
    }
    for (const char* name : {"Hosts", "X-Host", "Content-Lengt", "Content-Type", "T", "TEE"}) {
        EXPECT_FALSE(check_request(request("GET", "http://h/").header(name, "1"))) << name;
    }
}

TEST(HttpWire, PutsAndReplacesALastField) {
    const auto r = request("POST", "http://h/").body("bb");
    auto wire = serialize(r, parsed(r.url()), "", "");
    const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n";
    ASSERT_EQ(wire.bytes, head + "\r\nbb");
    for (const std::string number : {"2", "10", "3", "4000000000"}) {
        wire.last_field("X-Retry-Attempt", number);
        const auto expected = head + "X-Retry-Attempt: " + number + "\r\n\r\n";
        EXPECT_EQ(wire.bytes, expected + "bb");
        EXPECT_EQ(wire.head_size, expected.size());
    }
}

}  // namespace
