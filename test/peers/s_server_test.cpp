// openssl s_server: protocol versions, certificates of either side, ciphers, sessions resumed.
#include "http/support/fetcher.hpp"
#include "peers/peer.hpp"

#include <gmock/gmock.h>
#include <openssl/x509_vfy.h>

#include <optional>
#include <string>
#include <vector>

namespace asio_retry::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using words = std::vector<std::string>;

class SServer : public testing::Test {
protected:
    void SetUp() override { ASIO_RETRY_NEEDS_PEER("openssl"); }

    /// Answers each request with a page on the connection.
    void start(const words& options = {}) { start_as(authority_.issue(for_loopback()), options); }

    void start_as(const identity& own, const words& options = {}) {
        const auto certificate = files_.write("own.pem", own.certificate_pem);
        const auto key = files_.write("own.key", own.key_pem);
        server_.emplace([&](std::uint16_t port) {
            words command = {find_program("openssl"), "s_server", "-www", "-accept"};
            command.push_back("127.0.0.1:" + std::to_string(port));
            for (const auto& each : {std::string("-cert"), certificate, std::string("-key"), key}) {
                command.push_back(each);
            }
            command.insert(command.end(), options.begin(), options.end());
            return command;
        });
    }

    http::tls_options trusting() const {
        return std::move(http::tls_options().ca_pem(authority_.certificate_pem()));
    }

    http::fetch_result get(const http::tls_options& options, const char* host = "localhost") const {
        fetcher f(http::client_config()
                      .policy(at_once())
                      .resolve("localhost", server_->port(), "127.0.0.1")
                      .tls(options));
        return f.get(server_->secure_url("/", host));
    }
    http::fetch_result get(const char* host = "localhost") const { return get(trusting(), host); }

    void expect_refused(int fault) const {
        const auto r = get();
        EXPECT_EQ(r.error(), error_code(fault, http::certificate_category()))
            << r.error().message();
        EXPECT_EQ(r.reason(), reason::permanent_failure);
        EXPECT_EQ(r.report().attempts(), 1U);
    }

    certificate_authority authority_;
    temporary_directory files_;
    std::optional<peer> server_;
};

TEST_F(SServer, SendsAPageUpToTheEndOfTheConnection) {
    start();
    const auto r = get();
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->version(), 10U);
    EXPECT_EQ(r->headers().count("Content-Length"), 0U);
    EXPECT_THAT(r->body(), HasSubstr("New, TLSv1.3"));
    EXPECT_THAT(r->body(), HasSubstr("</pre></BODY></HTML>"));
    EXPECT_TRUE(get("127.0.0.1").ok());
}

TEST_F(SServer, SpeaksTls12Alone) {
    start({"-tls1_2"});
    const auto r = get();
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_THAT(r->body(), HasSubstr("TLSv1.2"));
}

TEST_F(SServer, SpeaksTls11AndIsRefused) {
    start({"-tls1_1", "-cipher", "ALL@SECLEVEL=0"});
    const auto r = get();
    EXPECT_FALSE(r.has_value());
    EXPECT_THAT(r.error().message(), HasSubstr("protocol"));
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 1U);
}

TEST_F(SServer, HasNoCipherInCommon) {
    start({"-tls1_2", "-cipher", "NULL@SECLEVEL=0"});
    const auto r = get();
    EXPECT_THAT(r.error().message(), HasSubstr("handshake failure"));
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 1U);
}

TEST_F(SServer, ShowsAnExpiredCertificate) {
    start_as(authority_.issue(for_loopback().expired()));
    expect_refused(X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST_F(SServer, ShowsACertificateOfSomebodyElse) {
    start_as(authority_.issue(certificate_request().dns("example.com")));
    expect_refused(X509_V_ERR_HOSTNAME_MISMATCH);
}

TEST_F(SServer, ShowsACertificateOfItsOwnMaking) {
    start_as(self_signed(for_loopback()));
    expect_refused(X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

TEST_F(SServer, SendsAChainOrForgetsIt) {
    const auto between = authority_.below("between");
    const identity own = between.issue(for_loopback());
    start_as(own, {"-cert_chain", files_.write("chain.pem", between.certificate_pem())});
    EXPECT_TRUE(get().ok());
    server_.reset();
    start_as(own);
    expect_refused(X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY);
}

class ResumesASession : public SServer, public testing::WithParamInterface<const char*> {};

TEST_P(ResumesASession, OnEachConnectionAfterTheFirst) {
    start({GetParam()});
    fetcher f(http::client_config()
                  .policy(at_once())
                  .resolve("localhost", server_->port(), "127.0.0.1")
                  .tls(trusting()));
    const auto url = server_->secure_url("/");
    EXPECT_THAT(f.get(url)->body(), HasSubstr("New, TLSv1"));
    for (int i = 0; i < 3; ++i) {
        EXPECT_THAT(f.get(url)->body(), HasSubstr("Reused, TLSv1")) << i;
    }
    fetcher other(http::client_config()
                      .policy(at_once())
                      .resolve("localhost", server_->port(), "127.0.0.1")
                      .tls(trusting()));
    EXPECT_THAT(other.get(url)->body(), HasSubstr("New, TLSv1"));
}

INSTANTIATE_TEST_SUITE_P(Versions,
                         ResumesASession,
                         testing::Values("-tls1_2", "-tls1_3"),
                         [](const auto& each) { return "Tls1" + std::string(1, each.param[6]); });

class AsksForACertificate : public SServer, public testing::WithParamInterface<const char*> {};

TEST_P(AsksForACertificate, AndGetsOneOrEndsTheCall) {
    start({GetParam(),
           "-Verify",
           "1",
           "-verify_return_error",
           "-CAfile",
           files_.write("ca.pem", authority_.certificate_pem())});
    const auto show = [this](const identity& own) {
        return trusting().client_certificate(files_.write("client.pem", own.certificate_pem),
                                             files_.write("client.key", own.key_pem));
    };
    const auto client = certificate_request().common_name("a client").for_clients();
    const auto r = get(show(authority_.issue(client)));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_THAT(r->body(), ContainsRegex("CN ?= ?a client"));
    for (const auto& options : {trusting(), show(self_signed(client))}) {
        const auto refused = get(options);
        EXPECT_FALSE(refused.has_value());
        EXPECT_THAT(refused.error().message(), HasSubstr("alert")) << refused.report().summary();
        EXPECT_EQ(refused.reason(), reason::permanent_failure);
        EXPECT_EQ(refused.report().attempts(), 1U);
    }
}

INSTANTIATE_TEST_SUITE_P(Versions,
                         AsksForACertificate,
                         testing::Values("-tls1_2", "-tls1_3"),
                         [](const auto& each) { return "Tls1" + std::string(1, each.param[6]); });

}  // namespace
}  // namespace asio_retry::test
