// squid: whole URLs for http, tunnels for https, its 407, and what it says of servers that fail.
#include "peers/behind_proxy.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

namespace asio_retry::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* helper = "/usr/lib/squid/basic_ncsa_auth";

class Squid : public behind_proxy {
protected:
    void SetUp() override {
        ASIO_RETRY_NEEDS_PEER("squid");
        // Started by root it goes on, and its helper too, as a user of its own.
        std::filesystem::permissions(
            files_.path(),
            std::filesystem::perms::others_read | std::filesystem::perms::others_exec,
            std::filesystem::perm_options::add);
    }

    /// Killed, it leaves its shared memory behind.
    void TearDown() override {
        if (!proxy_) return;
        const std::string name = service(proxy_->port());
        proxy_.reset();
        for (const auto& each : std::filesystem::directory_iterator("/dev/shm")) {
            std::error_code ignored;
            if (each.path().filename().string().starts_with(name + "-")) {
                std::filesystem::remove(each.path(), ignored);
            }
        }
    }

    /// By which several run beside each other.
    static std::string service(std::uint16_t port) { return "peer" + std::to_string(port); }

    void start(const std::string& access = "http_access allow all\n") {
        proxy_.emplace([&](std::uint16_t port) {
            const auto path =
                files_.write("squid.conf",
                             "http_port 127.0.0.1:" + std::to_string(port) +
                                 "\npid_filename none\naccess_log none\ncache_log /dev/stderr\n"
                                 "cache deny all\ncache_mem 8 MB\npinger_enable off\n"
                                 "visible_hostname peer\n" +
                                 access);
            return std::vector<std::string>{
                find_program("squid"), "-N", "-n", service(port), "-f", path};
        });
    }

    /// Lets those through who say me:secret.
    void start_asking() {
        if (!std::filesystem::exists(helper)) GTEST_SKIP() << helper << " is not installed";
        const auto users = files_.write("users", "me:$apr1$NzSlED2l$w5JlX1RkhKyEQ/8sSP/G8/\n");
        start("auth_param basic program " + std::string(helper) + " " + users +
              "\nauth_param basic children 1 startup=1\n"
              "acl known proxy_auth REQUIRED\nhttp_access allow known\nhttp_access deny all\n");
    }
};

TEST_F(Squid, PassesOnWhatIsNotEncrypted) {
    start();
    scripted_server server({twice});
    fetcher f(by_way());
    const auto r = f.fetch(request("PUT", server.url("/a?b")).body("x"));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "one");
    EXPECT_THAT(std::string(r->headers()["Via"]), HasSubstr("squid"));
    const auto again = f.get(server.url("/a?b"));
    EXPECT_EQ(again->body(), "two");
    EXPECT_TRUE(again.report().history().at(0).reused);
    const auto seen = server.requests().at(0);
    EXPECT_EQ(seen.target, "/a?b");
    EXPECT_EQ(seen.body, "x");
    EXPECT_EQ(seen.field("Host"), "127.0.0.1:" + std::to_string(server.port()));
}

TEST_F(Squid, TunnelsWhatIsEncrypted) {
    start();
    scripted_server server({twice}, tls());
    fetcher f(by_way());
    EXPECT_EQ(f.get(secure(server))->body(), "one");
    const auto again = f.get(secure(server));
    EXPECT_EQ(again->body(), "two");
    EXPECT_EQ(again->headers().count("Via"), 0U);
    EXPECT_TRUE(again.report().history().at(0).reused);
    EXPECT_EQ(server.connections_accepted(), 1U);
}

TEST_F(Squid, CannotStandInForTheServer) {
    start();
    scripted_server server({once}, scripted_server_options().tls(self_signed(for_loopback())));
    fetcher f(by_way());
    const auto r = f.get(secure(server));
    EXPECT_THAT(r.error().message(), StartsWith("certificate refused"));
    EXPECT_EQ(r.report().attempts(), 1U);
}

TEST_F(Squid, AsksForCredentials) {
    start_asking();
    if (IsSkipped()) return;
    scripted_server server({once, once}, scripted_server_options().repeat_last());
    scripted_server encrypted({once, once}, tls().repeat_last());
    const auto fetched = [&](const std::string& credentials, const std::string& url) {
        return fetcher(by_way(credentials)).get(url);
    };
    EXPECT_TRUE(fetched("me:secret@", server.url()).ok());
    EXPECT_TRUE(fetched("me:secret@", secure(encrypted)).ok());
    for (const char* wrong : {"", "me:other@"}) {
        const auto plain = fetched(wrong, server.url());
        ASSERT_TRUE(plain.has_value()) << plain.report().summary();
        EXPECT_EQ(plain->status(), 407U);
        const auto tunnel = fetched(wrong, secure(encrypted));
        EXPECT_EQ(tunnel.error(), http::error::proxy_authentication);
        for (const auto* r : {&plain, &tunnel}) {
            EXPECT_EQ(r->reason(), reason::permanent_failure);
            EXPECT_EQ(r->report().attempts(), 1U);
        }
    }
    EXPECT_EQ(server.requests().size(), 1U);
    EXPECT_EQ(encrypted.requests().size(), 1U);
    EXPECT_EQ(server.requests().at(0).count("Proxy-Authorization"), 0U);
}

TEST_F(Squid, RefusesSomeTunnels) {
    start("acl tunnel method CONNECT\nhttp_access deny tunnel\nhttp_access allow all\n");
    expect_no_tunnel();
}

TEST_F(Squid, FindsNobodyThere) {
    start("connect_retries 0\nhttp_access allow all\n");
    scripted_server server({once}, scripted_server_options().refusing());
    scripted_server encrypted({once}, tls().refusing());
    fetcher f(by_way());
    EXPECT_EQ(attempts(f.get(server.url()).report()), "1:503 2:503 3:503 4:503");
    const auto r = f.get(secure(encrypted));
    EXPECT_EQ(r.error(), http::error::proxy_unavailable);
    EXPECT_EQ(r.reason(), reason::attempts_exhausted);
    EXPECT_EQ(r.report().attempts(), 4U);
}

TEST_F(Squid, PassesOnThatABodyWasCutShort) {
    start();
    scripted_server server(
        {{expect_request(), send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), close()},
         once});
    fetcher f(by_way());
    const auto r = f.get(server.url());
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r->body(), "one");
    EXPECT_EQ(r.report().attempts(), 2U);
}

}  // namespace
}  // namespace asio_retry::test
