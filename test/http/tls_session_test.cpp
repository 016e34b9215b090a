// TLS beyond certificates: versions, protocols, sessions that are resumed, and good-byes.
#include "http/support/fetcher.hpp"
#include "http/tls_sessions.hpp"
#include "support/wire.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include <ctime>

namespace asio_retry::test {
namespace {

using http::detail::tls_sessions;
using ::testing::HasSubstr;

const certificate_authority& authority() {
    static const certificate_authority made;
    return made;
}

tls_server good() { return tls_server(authority().issue(for_loopback())); }

http::client_config trusting() {
    return std::move(http::client_config().policy(at_once()).tls(
        http::tls_options().ca_pem(authority().certificate_pem())));
}

scripted_server_options with(tls_server server) {
    return scripted_server_options().tls(std::move(server)).repeat_last();
}

/// Each request on a connection of its own.
const connection_script answering_once = {
    expect_request(), send(last_response(200, "ok")), stall()};

TEST(TlsVersion, IsOneDotTwoAtLeast) {
    for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
        scripted_server server({answering_once}, with(good().only(version)));
        fetcher f(trusting());
        const auto r = f.get(server.url());
        EXPECT_FALSE(r.has_value());
        EXPECT_EQ(r.reason(), reason::permanent_failure);
        EXPECT_EQ(r.report().attempts(), 1U);
        EXPECT_TRUE(server.requests().empty());
    }
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        scripted_server server({answering_once}, with(good().only(version)));
        fetcher f(trusting());
        EXPECT_TRUE(f.get(server.url()).ok());
    }
}

TEST(TlsProtocol, IsOfferedAndTaken) {
    scripted_server server({answering_once}, with(good().protocol("http/1.1")));
    fetcher f(trusting());
    EXPECT_TRUE(f.get(server.url()).ok());
}

TEST(TlsProtocol, IsOfferedAlone) {
    std::string hello;
    const step read_hello("read the hello", [&hello](wire& connection) {
        connection.read_client_hello();
        hello = connection.buffer();
    });
    scripted_server server({{read_hello, close()}});
    fetcher f(trusting().policy(only_once()));
    f.get("https://127.0.0.1:" + std::to_string(server.port()) + "/");
    ASSERT_TRUE(server.wait_until_closed());
    // The extension, its length, the list's, and the one name in it (RFC 7301 3.1).
    const std::string extension("\x00\x10\x00\x0b\x00\x09\x08http/1.1", 15);
    EXPECT_NE(hello.find(extension), std::string::npos);
}

TEST(TlsProtocol, EndsTheCallIfTheServerChoosesAnother) {
    scripted_server server({answering_once}, with(good().protocol("h2")));
    fetcher f(trusting());
    const auto r = f.get(server.url());
    EXPECT_TRUE(r.error());
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 1U);
    EXPECT_TRUE(server.requests().empty());
}

TEST(TlsProtocol, EndsTheCallIfTheServerKnowsNoneOfThem) {
    const std::string alert("\x15\x03\x03\x00\x02\x02\x78", 7);  // no_application_protocol
    scripted_server server({{expect_client_hello(), send_in_clear(alert), close()}});
    fetcher f(trusting());
    const auto r = f.get("https://127.0.0.1:" + std::to_string(server.port()) + "/");
    EXPECT_EQ(r.error(), http::error::unexpected_protocol);
    EXPECT_EQ(r.report().attempts(), 1U);
}

/// Which of a server's connections resumed a session: "no yes yes".
std::string resumed(const scripted_server& server) {
    std::string text;
    for (const auto& each : server.connections()) {
        text += (text.empty() ? "" : " ") + std::string(each.resumed ? "yes" : "no");
    }
    return text;
}

class TlsResumption : public ::testing::TestWithParam<int> {};

TEST_P(TlsResumption, FollowsAFullHandshake) {
    scripted_server server({answering_once}, with(good().only(GetParam())));
    fetcher f(trusting());
    for (int i = 0; i < 6; ++i) EXPECT_TRUE(f.get(server.url()).ok());
    EXPECT_EQ(resumed(server), "no yes yes yes yes yes");
}

TEST_P(TlsResumption, SurvivesAConnectionThatWasCut) {
    scripted_server server({{expect_request(), send(response(200)), close_without_notify()},
                            {expect_request(), reset()},
                            answering_once},
                           with(good().only(GetParam())));
    fetcher f(trusting());
    EXPECT_TRUE(f.get(server.url()).ok());
    EXPECT_TRUE(f.get(server.url()).ok());
    EXPECT_EQ(resumed(server), "no yes yes");
}

TEST_P(TlsResumption, IsNotSharedBetweenHostsOrClients) {
    scripted_server server({answering_once}, with(good().only(GetParam())));
    const std::string by_name = "https://localhost:" + std::to_string(server.port()) + "/";
    fetcher f(trusting().resolve("localhost", server.port(), "127.0.0.1"));
    EXPECT_TRUE(f.get(server.url()).ok());
    EXPECT_TRUE(f.get(by_name).ok());
    fetcher careless(
        http::client_config().tls(http::tls_options().verify(http::verification::off)));
    EXPECT_TRUE(careless.get(server.url()).ok());
    fetcher strict(http::client_config().policy(only_once()));
    EXPECT_FALSE(strict.get(server.url()).ok());
    EXPECT_EQ(resumed(server).substr(0, 8), "no no no");
    EXPECT_EQ(f.state->tls.sessions()->servers(), 2U);
}

TEST_P(TlsResumption, GoesWithTheServersMemory) {
    const auto at_port = [&](std::uint16_t port) {
        return std::make_unique<scripted_server>(std::vector<connection_script>{answering_once},
                                                 with(good().only(GetParam())).port(port));
    };
    auto server = at_port(0);
    fetcher f(trusting());
    EXPECT_TRUE(f.get(server->url()).ok());
    const auto port = server->port();
    server.reset();
    server = at_port(port);  // with other ticket keys
    EXPECT_TRUE(f.get(server->url()).ok());
    EXPECT_TRUE(f.get(server->url()).ok());
    EXPECT_EQ(resumed(*server), "no yes");
}

INSTANTIATE_TEST_SUITE_P(Versions,
                         TlsResumption,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& each) {
                             return each.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

// The store by itself.

tls_sessions::session made(int version) {
    tls_sessions::session s(SSL_SESSION_new());
    SSL_SESSION_set_protocol_version(s.get(), version);
    const unsigned char id[] = {1, 2, 3};
    SSL_SESSION_set1_id(s.get(), id, sizeof id);
    SSL_SESSION_set_timeout(s.get(), 3600);
    return s;
}

TEST(TlsSessions, GivesOneOfTls13Once) {
    tls_sessions store;
    store.put("a:443", made(TLS1_3_VERSION));
    EXPECT_EQ(store.take("b:443"), nullptr);
    EXPECT_NE(store.take("a:443"), nullptr);
    EXPECT_EQ(store.take("a:443"), nullptr);
}

TEST(TlsSessions, GivesOneOfTls12AsACopyEachTime) {
    tls_sessions store;
    store.put("a:443", made(TLS1_2_VERSION));
    const auto first = store.take("a:443");
    const auto second = store.take("a:443");
    ASSERT_NE(first, nullptr);
    ASSERT_NE(second, nullptr);
    EXPECT_NE(first, second);
    store.forget("a:443");
    EXPECT_EQ(store.take("a:443"), nullptr);
}

TEST(TlsSessions, DropsWhatIsTooOld) {
    tls_sessions store;
    auto old = made(TLS1_3_VERSION);
    SSL_SESSION_set_time(old.get(), static_cast<long>(std::time(nullptr)) - 3601);
    store.put("a:443", std::move(old));
    EXPECT_EQ(store.take("a:443"), nullptr);
}

TEST(TlsSessions, AreBounded) {
    tls_sessions store;
    for (std::size_t i = 0; i < 10; ++i) store.put("a:443", made(TLS1_3_VERSION));
    for (std::size_t i = 0; i < tls_sessions::most_of_one_server; ++i) {
        EXPECT_NE(store.take("a:443"), nullptr);
    }
    EXPECT_EQ(store.take("a:443"), nullptr);
    for (std::size_t i = 0; i < tls_sessions::most_servers + 5; ++i) {
        store.put(std::to_string(i), made(TLS1_3_VERSION));
        if (i == 3) store.put("0", made(TLS1_3_VERSION));
    }
    EXPECT_EQ(store.servers(), tls_sessions::most_servers);
    EXPECT_EQ(store.take("1"), nullptr);
    EXPECT_EQ(store.take("4"), nullptr);
    EXPECT_NE(store.take("6"), nullptr);
}

// Good-byes.

TEST(TlsGoodBye, IsSaidWhenTheConnectionIsNoLongerNeeded) {
    scripted_server server({{expect_request(), send(response(200)), stall()}}, with(good()));
    {
        fetcher f(trusting());
        EXPECT_TRUE(f.get(server.url()).ok());
        EXPECT_FALSE(server.connections().at(0).notified);
    }
    ASSERT_TRUE(server.wait_until_closed());
    EXPECT_TRUE(server.connections().at(0).notified);
}

TEST(TlsGoodBye, IsSaidAfterTheLastResponse) {
    scripted_server server({answering_once}, with(good()));
    fetcher f(trusting());
    EXPECT_TRUE(f.get(server.url()).ok());
    ASSERT_TRUE(server.wait_until_closed());
    EXPECT_TRUE(server.connections().at(0).notified);
}

TEST(TlsGoodBye, IsNotSaidInMidExchange) {
    scripted_server server({{expect_request(), stall()}}, with(good()));
    fetcher f(trusting());
    f.fetch(request("GET", server.url()), at_once(no_wait().max_attempts(1).attempt_timeout(50ms)));
    ASSERT_TRUE(server.wait_until_closed());
    EXPECT_FALSE(server.connections().at(0).notified);
}

TEST(TlsGoodBye, WaitsForNobody) {
    scripted_server server({{expect_request(), send(response(200)), stop_reading()}}, with(good()));
    const auto begin = std::chrono::steady_clock::now();
    {
        fetcher f(trusting());
        EXPECT_TRUE(f.get(server.url()).ok());
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
}

}  // namespace
}  // namespace asio_retry::test
