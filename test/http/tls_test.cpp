// TLS: what a client says of itself, whom it trusts, and how it ends.
#include "http/support/fetcher.hpp"

#include <gmock/gmock.h>

namespace asio_retry::test {
namespace {

using testing::HasSubstr;

const certificate_authority& authority() {
    static const certificate_authority made;
    return made;
}

http::client_config trusting(const certificate_authority& a = authority()) {
    return std::move(http::client_config().policy(at_once()).tls(
        http::tls_options().ca_pem(a.certificate_pem())));
}

const connection_script answering = {expect_request(), send(response(200, "ok")), stall()};

scripted_server_options with(const identity& server) {
    return scripted_server_options().tls(server);
}

std::string at(const std::string& host, const scripted_server& server) {
    return "https://" + host + ":" + std::to_string(server.port()) + "/";
}

TEST(Tls, FetchesAndReusesTheConnection) {
    scripted_server server({{expect_request(),
                             send(response(503)),
                             expect_request(),
                             send(response(200, "one")),
                             expect_request(),
                             send(response(200, std::string(500'000, 'x'))),
                             stall()}},
                           with(authority().issue(for_loopback())));
    fetcher f(trusting());
    const auto r = f.get(at("127.0.0.1", server));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(attempts(r.report()), "1:503 2:200");
    EXPECT_EQ(r->body(), "one");
    const auto again = f.get(at("127.0.0.1", server));
    EXPECT_EQ(again->body().size(), 500'000U);
    EXPECT_TRUE(again.report().history().at(0).reused);
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST(Tls, NamesTheHostButNotTheAddress) {
    scripted_server server({answering, answering}, with(authority().issue(for_loopback())));
    fetcher f(trusting().resolve("localhost", server.port(), "127.0.0.1"));
    EXPECT_TRUE(f.get(at("localhost", server)).ok());
    EXPECT_TRUE(f.get(at("127.0.0.1", server)).ok());
    EXPECT_EQ(server.connections().at(0).server_name, "localhost");
    EXPECT_EQ(server.connections().at(1).server_name, "");
}

TEST(Tls, TakesAnyCertificateWhereToldTo) {
    scripted_server server({answering},
                           with(self_signed(certificate_request().dns("x").expired())));
    fetcher f(http::client_config().tls(http::tls_options().verify(http::verification::off)));
    EXPECT_TRUE(f.get(at("127.0.0.1", server)).ok());
}

TEST(Tls, TakesAuthoritiesFromFilesAndTheEnvironmentsDefault) {
    temporary_directory files;
    const auto path = files.write("ca.pem", authority().certificate_pem());
    const identity good = authority().issue(for_loopback());
    {
        scripted_server server({answering}, with(good));
        fetcher f(http::client_config().tls(http::tls_options().ca_file(path)));
        EXPECT_TRUE(f.get(at("127.0.0.1", server)).ok());
    }
    ASSERT_EQ(setenv("SSL_CERT_FILE", path.c_str(), 1), 0);
    {
        scripted_server server({answering}, with(good));
        fetcher f;
        EXPECT_TRUE(f.get(at("127.0.0.1", server)).ok());
    }
    {
        scripted_server server({answering}, with(good));
        fetcher f(trusting(certificate_authority("another")));
        EXPECT_FALSE(f.get(at("127.0.0.1", server)).ok());
    }
    {
        const certificate_authority another("another");
        scripted_server server({answering}, with(good));
        fetcher f(http::client_config().tls(http::tls_options()
                                                .ca_pem(another.certificate_pem())
                                                .trust_system(http::system_trust::always)));
        EXPECT_TRUE(f.get(at("127.0.0.1", server)).ok());
    }
    unsetenv("SSL_CERT_FILE");
}

TEST(Tls, SaysThatItsOptionsAreOfNoUse) {
    scripted_server server({answering}, with(authority().issue(for_loopback())));
    fetcher f(http::client_config().tls(http::tls_options().ca_file("/nonexistent/ca.pem")));
    const auto r = f.get(at("127.0.0.1", server));
    EXPECT_TRUE(r.error());
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 1U);
}

TEST(Tls, TriesItsOptionsBeforeAnythingIsFetched) {
    boost::asio::io_context context;
    const auto client_of = [&](const http::tls_options& tls) {
        return http::client(context.get_executor(), http::client_config().tls(tls));
    };
    EXPECT_TRUE(client_of(http::tls_options().ca_file("/nonexistent/ca.pem")).prepare_tls());
    EXPECT_TRUE(
        client_of(http::tls_options().client_certificate("/dev/null", "/dev/null")).prepare_tls());
    auto good = client_of(http::tls_options().ca_pem(authority().certificate_pem()));
    EXPECT_FALSE(good.prepare_tls());
    EXPECT_FALSE(good.prepare_tls());
}

TEST(Tls, ShowsItsCertificate) {
    temporary_directory files;
    const identity client = authority().issue(certificate_request().common_name("a client"));
    http::tls_options options;
    options.ca_pem(authority().certificate_pem())
        .client_certificate(files.write("client.pem", client.certificate_pem),
                            files.write("client.key", client.key_pem));
    const identity server_side = authority().issue(for_loopback());
    const step ask = request_client_certificate(server_side, authority().certificate_pem());
    scripted_server server({{ask, expect_request(), send(response(200)), stall()},
                            {ask, expect_request(), send(response(200)), stall()}});
    fetcher f(http::client_config().tls(options));
    EXPECT_TRUE(f.get(at("127.0.0.1", server)).ok());
    EXPECT_THAT(server.connections().at(0).client_certificate, HasSubstr("a client"));
    fetcher without(trusting());
    EXPECT_FALSE(without.get(at("127.0.0.1", server)).has_value());
}

TEST(Tls, ABodyUpToTheEndNeedsACloseNotify) {
    const std::string endless = "HTTP/1.1 200 OK\r\n\r\nall of it?";
    scripted_server server({{expect_request(), send(endless), close()},
                            {expect_request(), send(endless), close_without_notify()}},
                           with(authority().issue(for_loopback())));
    fetcher f(trusting().policy(only_once()));
    EXPECT_EQ(f.get(at("127.0.0.1", server))->body(), "all of it?");
    const auto cut = f.get(at("127.0.0.1", server));
    EXPECT_FALSE(cut.has_value());
    EXPECT_EQ(cut.report().history().at(0).kind, failure_kind::connection_lost);
}

TEST(Tls, FindsAConnectionThatTheServerClosed) {
    for (const step& end : {close(), close_without_notify(), reset()}) {
        scripted_server server({{expect_request(), send(response(200)), end}, answering},
                               with(authority().issue(for_loopback())));
        fetcher f(trusting());
        EXPECT_TRUE(f.get(at("127.0.0.1", server)).ok());
        ASSERT_TRUE(server.wait_until_closed());
        const auto r = f.fetch(request("POST", at("127.0.0.1", server)).body("x"));
        EXPECT_TRUE(r.ok()) << end.name() << " " << r.report().summary();
        EXPECT_EQ(attempts(r.report()), "1:200");
    }
}

TEST(Tls, TakesAnEarlyResponseToALargeBody) {
    scripted_server server({{expect_head(), send(last_response(413, "too large")), close()}},
                           with(authority().issue(for_loopback())));
    fetcher f(trusting());
    const auto r = f.fetch(
        request("PUT", at("127.0.0.1", server)).body(std::string(30'000'000, 'x')), only_once());
    EXPECT_TRUE(!r.has_value() || r->status() == 413U);
    EXPECT_LT(r.report().elapsed(), 5s);
}

}  // namespace
}  // namespace asio_retry::test
