// fetch over TLS: whom it trusts, and what it shows of itself.
#include "support/certificates.hpp"
#include "support/scripted_server.hpp"
#include "tool/fetch_fixture.hpp"

#include <gmock/gmock.h>

#include <string>

#ifdef ASIO_RETRY_TOOL

namespace asio_retry::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(Fetch, TrustsTheAuthorityItIsGiven) {
    const certificate_authority authority;
    const auto ca = directory_.write("ca.pem", authority.certificate_pem());
    const auto server_options =
        scripted_server_options().tls(authority.issue(for_loopback())).repeat_last();
    const scripted_server server({{expect_request(), send(last_response(200, "secret")), close()}},
                                 server_options);
    const auto url = "https://localhost:" + std::to_string(server.port()) + "/";
    auto result = fetch(quick + words{"--cacert", ca, url});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "secret");
    result = fetch(quick + words{url});
    EXPECT_EQ(result.status, 3);
    EXPECT_THAT(
        result.err,
        AllOf(HasSubstr("certificate"), HasSubstr("after 1 attempt"), HasSubstr("--cacert")));
    result = fetch(quick + words{"-k", url});
    EXPECT_EQ(result.status, 0) << result.err;
}

TEST_F(Fetch, ShowsItsCertificate) {
    const certificate_authority authority;
    const auto ca = directory_.write("ca.pem", authority.certificate_pem());
    const auto mine = authority.issue(certificate_request().dns("me.example"));
    const auto certificate = directory_.write("cert.pem", mine.certificate_pem);
    const auto key = directory_.write("key.pem", mine.key_pem);
    const auto both = directory_.write("both.pem", mine.certificate_pem + mine.key_pem);
    for (const auto& arguments :
         {words{"--cert", certificate, "--key", key}, words{"--cert", both}}) {
        const scripted_server server({{request_client_certificate(authority.issue(for_loopback()),
                                                                  authority.certificate_pem()),
                                       expect_request(),
                                       send(last_response(200, "known")),
                                       close()}});
        const auto result = fetch(
            arguments +
            words{"--cacert", ca, "https://localhost:" + std::to_string(server.port()) + "/"});
        EXPECT_EQ(result.out, "known") << result.err << server.problems_text();
        EXPECT_THAT(server.connections().at(0).client_certificate, HasSubstr("me.example"));
    }
}

TEST_F(Fetch, NamesTheCertificateThatCannotBeUsed) {
    const auto ca = directory_.write("ca.pem", certificate_authority().certificate_pem());
    const auto wrong = directory_.write("wrong.pem", "no certificate");
    const auto refused = [&](const words& arguments) {
        const auto result = fetch(arguments + words{"https://localhost:1/"});
        EXPECT_EQ(result.status, 2) << result.err;
        return result.err;
    };
    EXPECT_THAT(refused({"--cacert", wrong}), HasSubstr("--cacert: '" + wrong + "' cannot be"));
    EXPECT_THAT(refused({"--cert", wrong}), HasSubstr("--cert: '" + wrong + "' cannot be"));
    EXPECT_THAT(refused({"--cert", wrong, "--cacert", ca}), HasSubstr("--cert: '" + wrong));
    EXPECT_THAT(refused({"--cert", wrong, "--cacert", wrong}), HasSubstr("--cacert: '" + wrong));
    EXPECT_THAT(refused({"--cert", wrong, "-k"}), HasSubstr("--cert: '" + wrong));
}

}  // namespace
}  // namespace asio_retry::test

#endif
