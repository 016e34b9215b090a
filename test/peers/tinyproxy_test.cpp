// tinyproxy: whole URLs for http, tunnels for https, credentials, and the tunnels that it refuses.
#include "peers/behind_proxy.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace asio_retry::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class Tinyproxy : public behind_proxy {
protected:
    void SetUp() override { ASIO_RETRY_NEEDS_PEER("tinyproxy"); }

    void start(const std::string& lines = "") {
        proxy_.emplace([this, lines](std::uint16_t port) {
            const auto path = files_.write("tinyproxy.conf",
                                           "Port " + std::to_string(port) +
                                               "\nListen 127.0.0.1\nAllow 127.0.0.1\n"
                                               "Timeout 60\nMaxClients 20\n" +
                                               lines);
            return std::vector<std::string>{find_program("tinyproxy"), "-d", "-c", path};
        });
    }
};

TEST_F(Tinyproxy, PassesOnWhatIsNotEncrypted) {
    start();
    scripted_server server({once, once}, scripted_server_options().repeat_last());
    fetcher f(by_way());
    const auto r = f.fetch(request("PUT", server.url("/a?b")).body("x"));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "one");
    EXPECT_THAT(std::string(r->headers()["Via"]), HasSubstr("tinyproxy"));
    const auto seen = server.requests().at(0);
    EXPECT_EQ(seen.target, "/a?b");
    EXPECT_EQ(seen.body, "x");
    EXPECT_EQ(seen.field("Host"), "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_EQ(seen.count("Proxy-Authorization"), 0U);
}

TEST_F(Tinyproxy, TunnelsWhatIsEncrypted) {
    start();
    scripted_server server({twice}, tls());
    fetcher f(by_way());
    EXPECT_EQ(f.get(secure(server))->body(), "one");
    const auto again = f.get(secure(server));
    EXPECT_EQ(again->body(), "two");
    EXPECT_EQ(again->headers().count("Via"), 0U);
    EXPECT_TRUE(again.report().history().at(0).reused);
    EXPECT_EQ(server.connections().at(0).server_name, "localhost");
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST_F(Tinyproxy, CannotStandInForTheServer) {
    start();
    scripted_server server({once}, scripted_server_options().tls(self_signed(for_loopback())));
    fetcher f(by_way());
    const auto r = f.get(secure(server));
    EXPECT_THAT(r.error().message(), StartsWith("certificate refused"));
    EXPECT_EQ(r.report().attempts(), 1U);
}

TEST_F(Tinyproxy, AsksForCredentials) {
    start("BasicAuth me secret\n");
    scripted_server server({once, once}, scripted_server_options().repeat_last());
    scripted_server encrypted({once, once}, tls().repeat_last());
    const auto fetched = [&](const std::string& credentials, const std::string& url) {
        return fetcher(by_way(credentials)).get(url);
    };
    EXPECT_TRUE(fetched("me:secret@", server.url()).ok());
    EXPECT_TRUE(fetched("me:secret@", secure(encrypted)).ok());
    EXPECT_EQ(fetched("", secure(encrypted)).error(), http::error::proxy_authentication);
    // This one says 401, not 407, to those that are wrong.
    EXPECT_EQ(fetched("me:other@", secure(encrypted)).error(), http::error::proxy_refused);
    for (const char* wrong : {"", "me:other@"}) {
        for (const auto& url : {server.url(), secure(encrypted)}) {
            const auto r = fetched(wrong, url);
            EXPECT_EQ(r.reason(), reason::permanent_failure);
            EXPECT_EQ(r.report().attempts(), 1U);
        }
    }
    EXPECT_EQ(server.requests().size(), 1U);
    EXPECT_EQ(encrypted.requests().size(), 1U);
    EXPECT_EQ(server.requests().at(0).count("Proxy-Authorization"), 0U);
}

TEST_F(Tinyproxy, RefusesSomeTunnels) {
    start("ConnectPort 1\n");
    expect_no_tunnel();
}

TEST_F(Tinyproxy, FindsNobodyThere) {
    start();
    scripted_server server({once}, tls().refusing());
    fetcher f(by_way());
    const auto r = f.get(secure(server));
    EXPECT_EQ(r.error(), http::error::proxy_unavailable);
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(r.report().attempts(), 4U);
}

}  // namespace
}  // namespace asio_retry::test
