// Which certificates are refused and for what, whom a certificate names, and how handshakes fail.
#include "http/support/fetcher.hpp"
#include <asio_retry/testing/manual_clock.hpp>

#include <gmock/gmock.h>
#include <openssl/x509_vfy.h>

#include <string>
#include <utility>
#include <vector>

namespace asio_retry::test {
namespace {

using ::testing::HasSubstr;

const certificate_authority& authority() {
    static const certificate_authority made;
    return made;
}

http::client_config trusting() {
    return std::move(http::client_config().policy(at_once()).tls(
        http::tls_options().ca_pem(authority().certificate_pem())));
}

const connection_script answering = {expect_request(), send(response(200, "ok")), stall()};

scripted_server_options with(const identity& server) {
    return scripted_server_options().tls(server);
}

std::string at(const std::string& host, const scripted_server& server) {
    return "https://" + host + ":" + std::to_string(server.port()) + "/";
}

/// What a server sends that forgets the authority between.
identity without_chain(identity i) {
    const std::string end = "-----END CERTIFICATE-----\n";
    i.certificate_pem.resize(i.certificate_pem.find(end) + end.size());
    return i;
}

identity with_root(identity i, const certificate_authority& root) {
    i.certificate_pem += root.certificate_pem();
    return i;
}

/// A certificate that is not good enough, and what is wrong with it.
class refused {
public:
    refused(std::string n, identity i, int e, std::string t, std::string h = "localhost")
        : name(std::move(n)),
          server(std::move(i)),
          error(e),
          text(std::move(t)),
          host(std::move(h)) {}

    std::string name;
    identity server;
    int error;
    std::string text;
    std::string host;
};

std::ostream& operator<<(std::ostream& out, const refused& r) { return out << r.name; }

std::vector<refused> refusals() {
    const certificate_authority stranger("a stranger");
    const certificate_authority between = authority().below("between");
    const certificate_authority last = authority().below("the last", "critical,CA:TRUE,pathlen:0");
    const certificate_authority no_authority = authority().below("a server", "critical,CA:FALSE");
    const identity cut = without_chain(between.issue(for_loopback()));
    return {{"Expired",
             authority().issue(for_loopback().expired()),
             X509_V_ERR_CERT_HAS_EXPIRED,
             "certificate has expired"},
            {"NotYetValid",
             authority().issue(for_loopback().not_yet_valid()),
             X509_V_ERR_CERT_NOT_YET_VALID,
             "certificate is not yet valid"},
            {"WrongHost",
             authority().issue(certificate_request().dns("example.com")),
             X509_V_ERR_HOSTNAME_MISMATCH,
             "hostname mismatch"},
            {"HostOnlyInTheSubject",
             authority().issue(certificate_request().dns("example.com").common_name("localhost")),
             X509_V_ERR_HOSTNAME_MISMATCH,
             "hostname mismatch"},
            {"HostOnlyInTheSubjectOfANamelessOne",
             authority().issue(certificate_request().common_name("localhost")),
             X509_V_ERR_HOSTNAME_MISMATCH,
             "hostname mismatch"},
            {"SelfSigned",
             self_signed(for_loopback()),
             X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
             "self-signed certificate"},
            {"UntrustedAuthority",
             stranger.issue(for_loopback()),
             X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
             "unable to get local issuer certificate"},
            {"UntrustedRoot",
             with_root(stranger.issue(for_loopback()), stranger),
             X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
             "self-signed certificate in certificate chain"},
            {"IncompleteChain",
             cut,
             X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
             "unable to get local issuer certificate"},
            {"IssuerThatIsNoAuthority",
             no_authority.issue(for_loopback()),
             X509_V_ERR_INVALID_CA,
             "invalid CA certificate"},
            {"PathTooLong",
             last.below("one more").issue(for_loopback()),
             X509_V_ERR_PATH_LENGTH_EXCEEDED,
             "path length constraint exceeded"},
            {"OfAClient",
             authority().issue(for_loopback().for_clients()),
             X509_V_ERR_INVALID_PURPOSE,
             "certificate purpose"},
            {"WrongAddress",
             authority().issue(certificate_request().dns("localhost").ip("127.0.0.9")),
             X509_V_ERR_IP_ADDRESS_MISMATCH,
             "IP address mismatch",
             "127.0.0.1"},
            {"AddressAsAName",
             authority().issue(certificate_request().dns("127.0.0.1")),
             X509_V_ERR_IP_ADDRESS_MISMATCH,
             "IP address mismatch",
             "127.0.0.1"},
            {"AddressOnlyInTheSubject",
             authority().issue(certificate_request().common_name("127.0.0.1")),
             X509_V_ERR_IP_ADDRESS_MISMATCH,
             "IP address mismatch",
             "127.0.0.1"}};
}

class RefusedCertificate : public ::testing::TestWithParam<refused> {};

TEST_P(RefusedCertificate, EndsTheCallAndSaysWhy) {
    scripted_server server({{expect_request()}}, with(GetParam().server));
    fetcher f(trusting().resolve("localhost", server.port(), "127.0.0.1"));
    const auto r = f.fetch(request("POST", at(GetParam().host, server)).body("secret"));
    EXPECT_EQ(r.error(), error_code(GetParam().error, http::certificate_category()));
    EXPECT_THAT(r.error().message(), HasSubstr("certificate refused: "));
    EXPECT_THAT(r.error().message(), HasSubstr(GetParam().text));
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().attempts(), 1U);
    EXPECT_EQ(r.report().history().at(0).sent, send_state::none);
    EXPECT_EQ(server.connections_accepted(), 1U);
    EXPECT_TRUE(server.requests().empty());
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

INSTANTIATE_TEST_SUITE_P(Certificates,
                         RefusedCertificate,
                         ::testing::ValuesIn(refusals()),
                         [](const auto& each) { return each.param.name; });

TEST(Certificates, AreTakenByWayOfAuthoritiesBetween) {
    const auto between = authority().below("between").below("and between");
    scripted_server server({answering}, with(between.issue(for_loopback())));
    fetcher f(trusting());
    EXPECT_TRUE(f.get(at("127.0.0.1", server)).ok());
}

/// Whether a certificate with this name is taken for this host.
bool names(const certificate_request& named, const std::string& host) {
    scripted_server server({answering}, with(authority().issue(named)));
    auto config = trusting();
    for (const char* each : {"a.example", "b.a.example", "c.b.a.example", "b.b.example"}) {
        config.resolve(each, server.port(), "127.0.0.1");
    }
    fetcher f(config);
    const auto r = f.get(at(host, server));
    if (!r.ok()) {
        EXPECT_EQ(r.error(), error_code(X509_V_ERR_HOSTNAME_MISMATCH, http::certificate_category()))
            << r.error().message();
    }
    return r.ok();
}

// RFC 9525 6.3: an asterisk is all of the leftmost label, and stands for exactly one.
TEST(Certificates, NameHostsWithAnAsteriskForOneLabel) {
    const auto any = certificate_request().dns("*.a.example");
    EXPECT_TRUE(names(any, "b.a.example"));
    EXPECT_TRUE(names(any, "B.A.Example"));
    EXPECT_TRUE(names(certificate_request().dns("B.a.EXAMPLE"), "b.A.example"));
    EXPECT_FALSE(names(any, "a.example"));
    EXPECT_FALSE(names(any, "c.b.a.example"));
    EXPECT_FALSE(names(any, "b.b.example"));
    for (const char* name : {"b*.a.example",
                             "*b.a.example",
                             "b.*.example",
                             "*.*.example",
                             "*.example",
                             "*",
                             "a.example"}) {
        const std::string host = std::string(name) == "*.example" ? "a.example" : "b.a.example";
        EXPECT_FALSE(names(certificate_request().dns(name), host)) << name;
    }
}

TEST(Certificates, NameAddressesOfBothVersions) {
    const identity both =
        authority().issue(certificate_request().dns("x").ip("127.0.0.1").ip("::1"));
    const identity other =
        authority().issue(certificate_request().dns("::1").ip("127.0.0.1").ip("::2"));
    const auto over_ipv6 = [](const identity& i) {
        return scripted_server_options().address("::1").tls(i);
    };
    scripted_server v4({answering}, with(both));
    scripted_server v6({answering}, over_ipv6(both));
    scripted_server wrong({answering}, over_ipv6(other));
    EXPECT_TRUE(fetcher(trusting()).get(at("127.0.0.1", v4)).ok());
    EXPECT_TRUE(fetcher(trusting()).get(at("[0:0:0:0:0:0:0:1]", v6)).ok());
    EXPECT_EQ(v6.connections().at(0).server_name, "");
    EXPECT_EQ(fetcher(trusting()).get(at("[::1]", wrong)).error(),
              error_code(X509_V_ERR_IP_ADDRESS_MISMATCH, http::certificate_category()));
}

/// A handshake that does not come to its end.
class broken {
public:
    broken(std::string n, connection_script s, failure_kind k, std::string t = "")
        : name(std::move(n)), script(std::move(s)), kind(k), text(std::move(t)) {}

    std::string name;
    connection_script script;
    failure_kind kind;
    std::string text;
};

std::ostream& operator<<(std::ostream& out, const broken& b) { return out << b.name; }

/// RFC 8446 6: level 1 is a warning, 2 is fatal.
broken alert(std::string name, char description, std::string text, char level = 2) {
    const std::string record{'\x15', '\x03', '\x03', '\0', '\2', level, description};
    return broken(std::move(name),
                  {expect_client_hello(), send_in_clear(record), close()},
                  failure_kind::permanent,
                  std::move(text));
}

std::vector<broken> broken_handshakes() {
    const step hello = expect_client_hello();
    const step flight = break_handshake(authority().issue(for_loopback()));
    const step plain = send_in_clear("HTTP/1.1 400 Bad Request\r\n\r\n");
    const auto lost = failure_kind::connection_lost;
    return {broken("ClosesAtOnce", {close()}, lost),
            broken("ClosesAfterTheHello", {hello, close()}, lost),
            broken("ClosesAfterHalfAFlight", {hello, flight, close()}, lost),
            broken("ClosesWithANotify", alert("", 0, "", 1).script, lost),
            broken("Resets", {hello, reset()}, lost),
            broken("ResetsAfterHalfAFlight", {hello, flight, reset()}, lost),
            broken("IsSilent", {hello, stall()}, failure_kind::timeout),
            broken("FallsSilentInHalfAFlight", {hello, flight, stall()}, failure_kind::timeout),
            broken("SpeaksPlainText", {hello, plain, close()}, failure_kind::permanent),
            broken("SpeaksFirst",
                   {send_in_clear("SSH-2.0-x\r\n"), hello, close()},
                   failure_kind::permanent),
            alert("AlertHandshakeFailure", 40, "handshake failure"),
            alert("AlertBadCertificate", 42, "bad certificate"),
            alert("AlertProtocolVersion", 70, "protocol version"),
            alert("AlertInternalError", 80, "internal error"),
            alert("AlertAccessDenied", 49, "access denied"),
            alert("AlertUnrecognizedName", 112, "unrecognized name")};
}

class BrokenHandshake : public ::testing::TestWithParam<broken> {};

TEST_P(BrokenHandshake, IsAFailureOfItsKind) {
    scripted_server server({GetParam().script,
                            {start_tls(authority().issue(for_loopback())),
                             expect_request(),
                             send(response(200)),
                             stall()}});
    fetcher f(trusting());
    testing::manual_clock clock(f.context);
    const auto call = f.start(request("POST", at("127.0.0.1", server)).body("x"), at_once());
    if (GetParam().kind == failure_kind::timeout) {
        f.run_until([&] { return server.connections_accepted() == 1; });
        clock.advance(at_once().connect_timeout());
    }
    f.run_until(call);
    const auto& r = **call;
    const auto& first = r.report().history().at(0);
    EXPECT_EQ(first.kind, GetParam().kind) << first.error.message();
    EXPECT_THAT(first.error.message(), HasSubstr(GetParam().text));
    EXPECT_EQ(first.sent, send_state::none);
    const bool repeats = GetParam().kind != failure_kind::permanent;
    EXPECT_EQ(r.ok(), repeats) << r.report().summary();
    EXPECT_EQ(r.report().attempts(), repeats ? 2U : 1U);
    if (!repeats) {
        EXPECT_EQ(r.reason(), reason::permanent_failure);
    }
}

INSTANTIATE_TEST_SUITE_P(Servers,
                         BrokenHandshake,
                         ::testing::ValuesIn(broken_handshakes()),
                         [](const auto& each) { return each.param.name; });

}  // namespace
}  // namespace asio_retry::test
