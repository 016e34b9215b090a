// The scripted server must itself be beyond doubt: each step seen from a plain socket.
#include "scripted_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace asio_retry::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\nX-Tag: 7\r\n\r\n";
constexpr std::chrono::milliseconds short_time{50};

/// A blocking client that reads as far as it can.
struct client {
    explicit client(const scripted_server& server) { connect(server.port()); }

    void connect(std::uint16_t port) {
        socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port), error);
    }
    void write(const std::string& bytes) { asio::write(socket, asio::buffer(bytes), error); }
    std::string read_all() {
        std::string text;
        asio::read(socket, asio::dynamic_buffer(text), error);
        return text;
    }

    asio::io_context context;
    tcp::socket socket{context};
    error_code error;
};

TEST(ScriptedServer, PlaysAScriptAConnectionInTheOrderOfAccept) {
    scripted_server server({
        {expect_request(), send(response(503)), close()},
        {expect_request(), send(response(200, "ok")), close()},
    });
    for (const auto* status : {"HTTP/1.1 503", "HTTP/1.1 200"}) {
        client one(server);
        one.write(get);
        EXPECT_TRUE(one.read_all().starts_with(status));
        EXPECT_EQ(one.error, asio::error::eof);
    }
    ASSERT_TRUE(server.wait_until_closed());
    ASSERT_EQ(server.requests().size(), 2U);
    EXPECT_EQ(server.requests()[1].connection, 1U);
    EXPECT_EQ(server.requests()[1].target, "/a");
    EXPECT_EQ(server.requests()[1].field("x-tag"), "7");
    EXPECT_EQ(server.connections()[0].received, get);
    EXPECT_EQ(server.connections()[0].end, connection_end::by_script);
    EXPECT_TRUE(server.problems().empty()) << server.problems_text();
}

TEST(ScriptedServer, ReadsBodiesByLengthAndByChunks) {
    scripted_server server({{expect_request(), send(response(200)), expect_request()}});
    client one(server);
    one.write("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPUT / HTTP/1.1\r\n");
    one.write("Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n");
    one.read_all();
    ASSERT_TRUE(server.wait_until_closed());
    ASSERT_EQ(server.requests().size(), 2U) << server.problems_text();
    EXPECT_EQ(server.requests()[0].body, "abc");
    EXPECT_EQ(server.requests()[1].body, "abcde");
    EXPECT_TRUE(server.requests()[1].body_whole);
}

TEST(ScriptedServer, ResetsAndHalfCloses) {
    scripted_server server(
        {{expect_head(), reset()}, {expect_head(), send("HTTP"), half_close(), expect_bytes(2)}});
    client one(server);
    one.write(get);
    EXPECT_EQ(one.read_all(), "");
    EXPECT_EQ(one.error, asio::error::connection_reset);

    client two(server);
    two.write(get);
    EXPECT_EQ(two.read_all(), "HTTP");
    two.write("zz");
    EXPECT_TRUE(server.wait_until_closed());
    EXPECT_TRUE(server.problems().empty()) << server.problems_text();
}

TEST(ScriptedServer, WaitsForTheTestAndTellsIt) {
    gate reached;
    gate go_on;
    scripted_server server({{expect_request(), open_gate(reached), wait_for(go_on), send("x")}});
    client one(server);
    one.write(get);
    EXPECT_TRUE(reached.wait());
    EXPECT_FALSE(go_on.is_open());
    EXPECT_EQ(one.socket.available(), 0U);
    go_on.open();
    EXPECT_EQ(one.read_all(), "x");
}

TEST(ScriptedServer, SendsSlowlyEveryByte) {
    scripted_server server({{expect_request(), send_slowly(response(200, "slow"))}});
    client one(server);
    one.write(get);
    EXPECT_EQ(one.read_all(), response(200, "slow"));
}

TEST(ScriptedServer, NotesWhoEndedAConnection) {
    scripted_server server({{stall()}, {stall()}, {stop_reading()}});
    {
        client leaving(server);
        ASSERT_TRUE(server.wait_for_connections(1));
    }
    {
        client aborting(server);
        ASSERT_TRUE(server.wait_for_connections(2));
        aborting.socket.set_option(asio::socket_base::linger(true, 0));
        aborting.socket.close();
    }
    {
        client unread(server);
        unread.write("never read");
    }
    ASSERT_TRUE(server.wait_for_connections(3));
    ASSERT_TRUE(server.wait_until_closed());
    EXPECT_EQ(server.connections()[0].end, connection_end::by_client);
    EXPECT_EQ(server.connections()[1].end, connection_end::reset_by_client);
    EXPECT_EQ(server.connections()[2].received, "");
}

TEST(ScriptedServer, CountsAndResetsWhatIsNotInTheScript) {
    scripted_server server({});
    client one(server);
    one.read_all();
    EXPECT_TRUE(one.error);
    EXPECT_EQ(server.unscripted_connections(), 1U);
}

TEST(ScriptedServer, RepeatsTheLastScript) {
    scripted_server server({{send("a")}, {send("b")}}, scripted_server_options().repeat_last());
    for (const auto* expected : {"a", "b", "b", "b"})
        EXPECT_EQ(client(server).read_all(), expected);
}

TEST(ScriptedServer, RefusesAndTakesConnectionsAgain) {
    scripted_server server({{send("a"), refuse_further()}, {send("b")}},
                           scripted_server_options().refusing());
    EXPECT_EQ(client(server).error, asio::error::connection_refused);
    server.listen();
    EXPECT_EQ(client(server).read_all(), "a");
    ASSERT_TRUE(server.wait_until_closed());
    EXPECT_EQ(client(server).error, asio::error::connection_refused);
    server.listen();
    client again(server);
    EXPECT_FALSE(again.error) << again.error.message();
    EXPECT_EQ(again.read_all(), "b") << again.error.message();
}

TEST(ScriptedServer, ReportsWhatItExpectedInVain) {
    scripted_server server({{expect_request()}, {expect_request()}},
                           scripted_server_options().patience(short_time));
    {
        client one(server);
        one.write("GET / HT");
    }
    client silent(server);
    ASSERT_TRUE(server.wait_for_connections(2));
    ASSERT_TRUE(server.wait_until_closed());
    const auto problems = server.problems_text();
    EXPECT_NE(problems.find("connection 0, step 1 expect_request: the client closed with 8 bytes"),
              std::string::npos)
        << problems;
    EXPECT_NE(problems.find("timed out"), std::string::npos) << problems;
}

TEST(ScriptedServer, EndsAtOnceWhateverItsConnectionsDo) {
    const auto start = std::chrono::steady_clock::now();
    gate never;
    {
        scripted_server server({{stall()}, {wait_for(never)}, {pause(std::chrono::hours(1))}});
        client one(server);
        client two(server);
        client three(server);
        ASSERT_TRUE(server.wait_for_connections(3));
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST(ScriptedServer, DeafServerNeverAccepts) {
    const deaf_server deaf;
    asio::io_context context;
    tcp::socket socket(context);
    error_code result = asio::error::would_block;
    socket.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), deaf.port()),
                         [&](error_code error) { result = error; });
    context.run_for(short_time);
    EXPECT_EQ(result, asio::error::would_block);
}

// TLS

struct tls_client : client {
    tls_client(const scripted_server& server,
               const certificate_authority& trusted,
               const std::string& name = "localhost")
        : client(server) {
        stream.set_verify_mode(asio::ssl::verify_peer);
        tls.add_certificate_authority(asio::buffer(trusted.certificate_pem()));
        stream.set_verify_callback(asio::ssl::host_name_verification(name));
        SSL_set_tlsext_host_name(stream.native_handle(), name.c_str());
    }
    error_code handshake() {
        stream.handshake(asio::ssl::stream_base::client, error);
        return error;
    }
    std::string read_all() {
        std::string text;
        asio::read(stream, asio::dynamic_buffer(text), error);
        return text;
    }

    asio::ssl::context tls{asio::ssl::context::tls_client};
    asio::ssl::stream<tcp::socket&> stream{socket, tls};
};

TEST(ScriptedServer, SpeaksTlsAndNotesTheName) {
    const certificate_authority authority;
    scripted_server server({{expect_bytes(4), send("pong"), close()},
                            {send("cut"), close_without_notify()},
                            {send("x"), send_in_clear("garbage!"), stall()}},
                           scripted_server_options().tls(authority.issue(for_loopback())));
    EXPECT_EQ(server.origin().substr(0, 8), "https://");
    tls_client one(server, authority);
    ASSERT_FALSE(one.handshake()) << one.error.message();
    asio::write(one.stream, asio::buffer("ping", 4), one.error);
    EXPECT_EQ(one.read_all(), "pong");
    EXPECT_EQ(one.error, asio::error::eof);

    tls_client two(server, authority);
    ASSERT_FALSE(two.handshake());
    EXPECT_EQ(two.read_all(), "cut");
    EXPECT_EQ(two.error, asio::ssl::error::stream_truncated);

    tls_client three(server, authority);
    ASSERT_FALSE(three.handshake());
    EXPECT_EQ(three.read_all(), "x");
    EXPECT_TRUE(three.error);
    EXPECT_EQ(server.connections()[0].server_name, "localhost");
    EXPECT_EQ(server.connections()[0].received, "ping");
}

TEST(ScriptedServer, BreaksHandshakes) {
    const certificate_authority authority;
    const auto good = authority.issue(for_loopback());
    scripted_server server({{expect_client_hello(), close()},
                            {break_handshake(good), close()},
                            {expect_client_hello(), send("HTTP/1.1 400 Bad\r\n\r\n"), stall()},
                            {expect_client_hello(), start_tls(good), send("fine")}});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(tls_client(server, authority).handshake());
    tls_client last(server, authority);
    EXPECT_FALSE(last.handshake()) << last.error.message();
    EXPECT_EQ(last.read_all(), "fine");
}

TEST(ScriptedServer, AsksForAClientCertificate) {
    const certificate_authority authority;
    const certificate_authority clients("clients");
    scripted_server server(
        {{request_client_certificate(authority.issue(for_loopback()), clients.certificate_pem()),
          send("hello")}});
    tls_client one(server, authority);
    const auto me = clients.issue(certificate_request().common_name("me"));
    SSL* ssl = one.stream.native_handle();
    asio::ssl::context mine(asio::ssl::context::tls_client);
    mine.use_certificate_chain(asio::buffer(me.certificate_pem));
    mine.use_private_key(asio::buffer(me.key_pem), asio::ssl::context::pem);
    SSL_use_certificate(ssl, SSL_CTX_get0_certificate(mine.native_handle()));
    SSL_use_PrivateKey(ssl, SSL_CTX_get0_privatekey(mine.native_handle()));
    ASSERT_FALSE(one.handshake()) << one.error.message();
    EXPECT_EQ(one.read_all(), "hello") << server.problems_text();
    EXPECT_NE(server.connections()[0].client_certificate.find("CN=me"), std::string::npos);
}

struct bad_certificate {
    const char* name;
    identity (*make)(const certificate_authority&);
    long verify_result;  // Asio refuses a host name without giving OpenSSL a reason: unspecified

    friend void PrintTo(const bad_certificate& self, std::ostream* out) { *out << self.name; }
};

class Certificates : public ::testing::TestWithParam<bad_certificate> {};

TEST_P(Certificates, AreRefusedForTheirOwnReason) {
    const certificate_authority authority;
    scripted_server server({{stall()}}, scripted_server_options().tls(GetParam().make(authority)));
    tls_client one(server, authority);
    EXPECT_TRUE(one.handshake());
    EXPECT_EQ(SSL_get_verify_result(one.stream.native_handle()), GetParam().verify_result);
}

INSTANTIATE_TEST_SUITE_P(
    Bad,
    Certificates,
    ::testing::Values(
        bad_certificate{
            "Expired",
            [](const certificate_authority& a) { return a.issue(for_loopback().expired()); },
            X509_V_ERR_CERT_HAS_EXPIRED},
        bad_certificate{
            "NotYetValid",
            [](const certificate_authority& a) { return a.issue(for_loopback().not_yet_valid()); },
            X509_V_ERR_CERT_NOT_YET_VALID},
        bad_certificate{"WrongHost",
                        [](const certificate_authority& a) {
                            return a.issue(certificate_request().dns("other.example"));
                        },
                        X509_V_ERR_UNSPECIFIED},
        bad_certificate{"SelfSigned",
                        [](const certificate_authority&) { return self_signed(for_loopback()); },
                        X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT},
        bad_certificate{"UnknownAuthority",
                        [](const certificate_authority&) {
                            return certificate_authority("other").issue(for_loopback());
                        },
                        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY}),
    [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace asio_retry::test
