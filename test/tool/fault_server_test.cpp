// The fault server over the wire: each fault, the draws, the counts, and clients that misbehave.
// SPDX-License-Identifier: BSL-1.0
#include "support/certificates.hpp"
#include "support/plain_client.hpp"
#include <asio_retry/testing/fault_server.hpp>

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace asio_retry::testing {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using test::plain_client;
using namespace std::chrono_literals;

std::string status_or_error(plain_client& client, const std::string& target) {
    const auto got = client.get(target);
    return got.error ? got.error.message() : std::to_string(got.message.result_int());
}

TEST(FaultServer, AnswersAndKeepsTheConnection) {
    const fault_server server;
    plain_client client(server.port());
    for (int i = 0; i < 3; ++i) {
        const auto got = client.get("/a");
        ASSERT_FALSE(got.error) << got.error.message();
        EXPECT_EQ(got.message.result_int(), 200U);
        EXPECT_EQ(got.message.body(), "hello\n");
    }
    const auto counts = server.counts();
    EXPECT_EQ(counts.connections, 1U);
    EXPECT_EQ(counts.of("GET", "/a").requests, 3U);
    EXPECT_EQ(counts.of("GET", "/a").received, 3U);
    EXPECT_EQ(counts.of("GET", "/a").succeeded, 3U);
    EXPECT_EQ(counts.of("POST", "/a").requests, 0U);
}

TEST(FaultServer, PlaysASequenceOnceAPathAndThenSucceeds) {
    fault_script script;
    script.defaults().rate(500, 1);
    script.add(fault_rule("/a").sequence({fault::status(503), fault::status(404), fault()}));
    const fault_server server(script);
    plain_client client(server.port());
    for (const auto* path : {"/a", "/a/b?x=1"}) {
        for (const auto* expected : {"503", "404", "200", "200", "200"}) {
            EXPECT_EQ(status_or_error(client, path), expected) << path;
        }
    }
    EXPECT_EQ(status_or_error(client, "/other"), "500");
    EXPECT_EQ(server.counts().of("GET", "/a/b").faults.at("503"), 1U);
}

TEST(FaultServer, FailsTheFirstRequests) {
    fault_script script;
    script.defaults().fail_first(2, fault::status(429)).retry_after("7");
    const fault_server server(script);
    plain_client client(server.port());
    const auto first = client.get("/a");
    EXPECT_EQ(first.message.result_int(), 429U);
    EXPECT_EQ(first.message[http::field::retry_after], "7");
    EXPECT_EQ(status_or_error(client, "/a"), "429");
    const auto third = client.get("/a");
    EXPECT_EQ(third.message.result_int(), 200U);
    EXPECT_EQ(third.message.count(http::field::retry_after), 0U);
}

struct wire_fault {
    fault_kind kind;
    boost::system::error_code expected;
};

TEST(FaultServer, BreaksConnectionsAsTold) {
    const wire_fault table[] = {
        {fault_kind::reset, asio::error::connection_reset},
        {fault_kind::close, http::error::end_of_stream},
        {fault_kind::truncate, http::error::partial_message},
    };
    for (const auto& [kind, expected] : table) {
        fault_script script;
        script.defaults().rate(fault(kind), 1).body_size(100'000);
        const fault_server server(script);
        plain_client client(server.port());
        EXPECT_EQ(client.get("/a").error, expected) << fault(kind).name();
        const auto seen = server.counts().of("GET", "/a");
        EXPECT_EQ(seen.received, 1U);
        EXPECT_EQ(seen.succeeded, 0U);
        EXPECT_EQ(seen.faults.at(fault(kind).name()), 1U);
    }
}

TEST(FaultServer, TruncatesWhateverThereIs) {
    for (const bool chunked : {false, true}) {
        for (const std::uint64_t size : {0U, 1U, 2U, 200'000U}) {
            fault_script script;
            script.defaults().rate(fault(fault_kind::truncate), 1).body_size(size).chunked(chunked);
            const fault_server server(script);
            plain_client client(server.port());
            EXPECT_EQ(client.get("/a").error, http::error::partial_message) << size << chunked;
            plain_client head(server.port());
            head.request(http::verb::head, "/a");
            EXPECT_EQ(head.read(http::verb::head).error, http::error::partial_message);
        }
    }
}

TEST(FaultServer, StallsUntilTheClientLeavesAndEndsAtOnce) {
    fault_script script;
    script.defaults().rate(fault(fault_kind::stall), 1);
    script.add(fault_rule("/half").rate(fault(fault_kind::stall_body), 1).body("0123456789"));
    auto server = std::make_unique<fault_server>(script);
    plain_client silent(server->port());
    silent.request(http::verb::get, "/silent");
    plain_client half(server->port());
    half.request(http::verb::get, "/half");
    EXPECT_TRUE(half.read_until("01234").ends_with("\r\n\r\n01234"));
    EXPECT_EQ(half.socket.available(), 0U);
    const auto start = std::chrono::steady_clock::now();
    server.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    EXPECT_TRUE(silent.read().error);
}

TEST(FaultServer, DripsTheWholeResponse) {
    fault_script script;
    script.defaults().rate(fault(fault_kind::drip), 1).drip_interval(100us).body("drop by drop");
    const fault_server server(script);
    plain_client client(server.port());
    EXPECT_EQ(client.get("/a").message.body(), "drop by drop");
    EXPECT_EQ(client.get("/a").message.body(), "drop by drop");
}

TEST(FaultServer, WaitsAsLongAsTold) {
    fault_script script;
    script.defaults().latency(30ms, 40ms);
    const fault_server server(script);
    plain_client client(server.port());
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(status_or_error(client, "/a"), "200");
    EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
}

TEST(FaultServer, SendsBodiesOfAnySizeInEitherFraming) {
    for (const std::uint64_t size : {0U, 1U, 65'535U, 65'536U, 65'537U, 3'000'000U}) {
        std::string plain;
        for (const bool chunked : {false, true}) {
            fault_script script;
            script.defaults().body_size(size).chunked(chunked);
            const fault_server server(script);
            plain_client client(server.port());
            const auto got = client.get("/a");
            ASSERT_FALSE(got.error) << got.error.message();
            EXPECT_EQ(got.message.chunked(), chunked);
            EXPECT_EQ(got.message.body().size(), size);
            if (!chunked) plain = got.message.body();
            EXPECT_EQ(got.message.body(), plain);
            EXPECT_EQ(client.get("/a").message.body().size(), size);
        }
    }
}

TEST(FaultServer, SendsNoBodyWhereThereIsNone) {
    fault_script script;
    script.defaults().sequence({fault::status(204), fault::status(304), fault()}).body_size(10);
    const fault_server server(script);
    plain_client client(server.port());
    for (const auto* expected : {"204", "304", "200"}) {
        EXPECT_EQ(status_or_error(client, "/a"), expected);
    }
    client.request(http::verb::head, "/h");
    EXPECT_EQ(client.read(http::verb::head).message.result_int(), 204U);
    client.request(http::verb::head, "/h");
    client.read(http::verb::head);
    client.request(http::verb::head, "/h");
    EXPECT_EQ(client.read(http::verb::head).message[http::field::content_length], "10");
    EXPECT_EQ(status_or_error(client, "/after"), "204");
}

TEST(FaultServer, EchoesUploads) {
    const fault_server server;
    plain_client client(server.port());
    client.write("POST /.echo/x?y=1 HTTP/1.1\r\nHost: h\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabc");
    const auto echo = json::parse(client.read().message.body()).as_object();
    EXPECT_EQ(echo.at("method"), "POST");
    EXPECT_EQ(echo.at("target"), "/.echo/x?y=1");
    EXPECT_EQ(echo.at("headers").at(1), json::parse(R"(["X-A","b"])"));
    EXPECT_EQ(echo.at("body"), "abc");
    EXPECT_EQ(echo.at("body_sha256"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    // Not UTF-8, chunked, over the limit for text.
    client.write(
        "PUT /.echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\xff\xfe\r\n0\r\n\r\n");
    const auto binary = json::parse(client.read().message.body()).as_object();
    EXPECT_TRUE(binary.at("body").is_null());
    EXPECT_EQ(binary.at("body_size"), 2);
    client.write("PUT /.echo HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" +
                 std::string(300'000, 'x'));
    EXPECT_EQ(json::parse(client.read().message.body()).at("body_size"), 300'000);
}

TEST(FaultServer, AnswersExpectBeforeTheBodyWhereItWillRefuse) {
    fault_script script;
    script.defaults().fail_first(1);
    const fault_server server(script);
    const std::string head =
        "POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
    plain_client refused(server.port());
    refused.write(head);
    const auto early = refused.read();
    EXPECT_EQ(early.message.result_int(), 503U);
    EXPECT_FALSE(early.message.keep_alive());
    EXPECT_EQ(server.counts().of("POST", "/a").received, 0U);

    plain_client taken(server.port());
    taken.write(head);
    EXPECT_EQ(taken.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    taken.write("abc");
    EXPECT_EQ(taken.read().message.result_int(), 200U);
    EXPECT_EQ(server.counts().of("POST", "/a").received, 1U);
}

TEST(FaultServer, RefusesBodiesOverTheLimit) {
    const fault_server server({}, fault_server_options().body_limit(10));
    plain_client announced(server.port());
    announced.write("POST /a HTTP/1.1\r\nContent-Length: 11\r\n\r\n");
    EXPECT_EQ(announced.read().message.result_int(), 413U);
    plain_client chunked(server.port());
    chunked.write("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n0123456789a\r\n");
    EXPECT_EQ(chunked.read().message.result_int(), 413U);
    plain_client fits(server.port());
    fits.write("POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789");
    EXPECT_EQ(fits.read().message.result_int(), 200U);
    EXPECT_EQ(server.counts().of("POST", "/a").received, 1U);
}

struct bad_request {
    const char* name;
    std::string bytes;
    unsigned status;
};

TEST(FaultServer, RefusesWhatIsNoRequestAndServesOn) {
    const bad_request table[] = {
        {"garbage", "\x16\x03\x01\x02\r\n\r\n", 400},
        {"no version", "GET /\r\n\r\n", 400},
        {"a space in a name", "GET / HTTP/1.1\r\nA B: c\r\n\r\n", 400},
        {"two lengths", "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
        {"a length that is none", "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400},
        {"a large head", "GET / HTTP/1.1\r\nA: " + std::string(60'000, 'a') + "\r\n\r\n", 431},
        {"a head without end", "GET /" + std::string(100'000, 'a'), 431},
    };
    const fault_server server;
    std::uint64_t refused = 0;
    for (const auto& [name, bytes, status] : table) {
        plain_client client(server.port());
        client.write(bytes);
        const auto got = client.read();
        EXPECT_EQ(got.message.result_int(), status) << name << ": " << got.error.message();
        EXPECT_EQ(server.counts().malformed, ++refused) << name;
    }
    plain_client good(server.port());
    EXPECT_EQ(status_or_error(good, "/a"), "200");
}

TEST(FaultServer, EndsConnectionsThatDoNothing) {
    const fault_server server({}, fault_server_options().idle_timeout(20ms));
    plain_client idle(server.port());
    plain_client slow(server.port());
    slow.write("GET / HT");
    plain_client half(server.port());
    half.write("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab");
    EXPECT_TRUE(idle.read().error);
    slow.read();
    half.read();
    EXPECT_EQ(server.counts().of("POST", "/").requests, 1U);
    EXPECT_EQ(server.counts().of("POST", "/").received, 0U);
}

TEST(FaultServer, AnswersPipelinedRequestsInOrder) {
    fault_script script;
    script.defaults().sequence({fault::status(503), fault()});
    const fault_server server(script);
    plain_client client(server.port());
    client.write("GET /a HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.0\r\n\r\n");
    EXPECT_EQ(client.read().message.result_int(), 503U);
    EXPECT_EQ(client.read().message.result_int(), 200U);
    EXPECT_FALSE(client.read().message.keep_alive());
    EXPECT_EQ(client.read().error, http::error::end_of_stream);
}

TEST(FaultServer, TellsAndClearsItsCountsOverHttp) {
    fault_script script;
    script.defaults().rate(503, 1).latency(1h);
    script.add(fault_rule("/quick").latency(0ns));
    fault_server server(script);
    plain_client client(server.port());
    client.get("/quick/\xc3\xa9");
    const auto stats = json::parse(client.get("/.stats").message.body());
    EXPECT_EQ(stats.at("connections"), 1);
    EXPECT_EQ(stats.at("total").at("faults").at("503"), 1);
    EXPECT_EQ(stats.at("paths").at(0).at("path"), "/quick/%C3%A9");
    EXPECT_EQ(stats.at("paths").as_array().size(), 1U);
    client.request(http::verb::post, "/.stats");
    EXPECT_EQ(client.read().message.result_int(), 405U);
    client.request(http::verb::delete_, "/.stats");
    EXPECT_EQ(client.read().message.result_int(), 204U);
    EXPECT_TRUE(server.counts().paths.empty());
}

using outcomes = std::map<std::string, std::vector<std::string>>;

/// Asks each of `paths` so many times, from so many threads, and notes what each path met.
outcomes ask_in_parallel(const fault_script& script, int paths, int times, int threads) {
    const fault_server server(script);
    std::vector<outcomes> parts(static_cast<std::size_t>(threads));
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t) {
        running.emplace_back([&, t] {
            for (int time = 0; time < times; ++time) {
                for (int path = t; path < paths; path += threads) {
                    plain_client client(server.port());
                    const auto name = "/item/" + std::to_string(path);
                    parts[static_cast<std::size_t>(t)][name].push_back(
                        status_or_error(client, name));
                }
            }
        });
    }
    for (auto& each : running) each.join();
    outcomes all;
    for (auto& part : parts) all.merge(part);
    return all;
}

TEST(FaultServer, RepeatsARunHoweverConnectionsInterleave) {
    fault_script script;
    script.seed(7).defaults().rate(503, 0.2).rate(fault(fault_kind::reset), 0.1);
    const auto first = ask_in_parallel(script, 40, 5, 1);
    EXPECT_EQ(first, ask_in_parallel(script, 40, 5, 8));
    EXPECT_NE(first, ask_in_parallel(script.seed(8), 40, 5, 8));
}

TEST(FaultServer, ServesHttps) {
    const test::certificate_authority authority;
    const auto good = authority.issue(test::for_loopback());
    const test::temporary_directory directory;
    const auto certificate = directory.write("cert.pem", good.certificate_pem);
    const auto key = directory.write("key.pem", good.key_pem);
    fault_script script;
    script.add(fault_rule("/cut").rate(fault(fault_kind::truncate), 1));
    const fault_server server(script, fault_server_options().tls(certificate, key));
    EXPECT_TRUE(server.url("/a").starts_with("https://127.0.0.1:"));

    test::tls_client client(server.port(), authority.certificate_pem());
    ASSERT_FALSE(client.handshake()) << client.error.message();
    EXPECT_EQ(client.get("/a").message.body(), "hello\n");
    EXPECT_EQ(client.get("/cut").error, http::error::partial_message);
    plain_client not_tls(server.port());
    EXPECT_TRUE(not_tls.get("/").error);
    EXPECT_EQ(server.counts().total().requests, 2U);
}

TEST(FaultServer, SaysWhyItCannotListen) {
    const fault_server first;
    try {
        const fault_server second({}, fault_server_options().port(first.port()));
        FAIL() << "two servers on one port";
    } catch (const std::system_error& error) {
        EXPECT_EQ(std::string(error.what()),
                  "port " + std::to_string(first.port()) + " of 127.0.0.1: Address already in use");
    }
    EXPECT_THROW(fault_server({}, fault_server_options().tls("/nonexistent", "/nonexistent")),
                 std::system_error);
}

TEST(FaultServer, LogsALineARequestWithoutTheQuery) {
    std::vector<std::string> lines;
    {
        const fault_server server({}, fault_server_options().log([&](std::string_view line) {
            lines.emplace_back(line);
        }));
        plain_client client(server.port());
        client.get("/a?token=secret");
    }
    EXPECT_EQ(lines, std::vector<std::string>{"GET /a #1: 200"});
}

}  // namespace
}  // namespace asio_retry::testing
