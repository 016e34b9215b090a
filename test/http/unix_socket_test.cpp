// Through Unix domain sockets.
#include "http/support/fetcher.hpp"
#include "support/sockets.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace asio_retry::test {
namespace {

/// A path for a socket.
class UnixSocket : public ::testing::Test {
protected:
    temporary_directory directory;
    const std::string path = (directory.path() / "socket").string();
};

error_code no_lookup(const std::string& host, http::detail::addresses&) {
    ADD_FAILURE() << host;
    return asio::error::host_not_found;
}

TEST_F(UnixSocket, StandsInForEveryHost) {
    scripted_server server({{expect_request(),
                             send(response(200, "one")),
                             expect_request(),
                             send(response(200, "two")),
                             stall()},
                            {expect_request(), send(response(200, "three")), stall()}},
                           scripted_server_options().address(path));
    fetcher f(http::client_config().unix_socket(path).proxy(http::proxy("unused.test:1")),
              no_lookup);
    const auto r = f.get("http://any.test/a");
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r.report().history().at(0).remote, "unix:" + path);
    EXPECT_EQ(f.get("http://any.test/")->body(), "two");
    EXPECT_EQ(f.get("http://other.test/")->body(), "three");
    EXPECT_EQ(server.requests().at(0).field("Host"), "any.test");
    EXPECT_EQ(server.requests().at(0).target, "/a");
}

TEST_F(UnixSocket, StandsInForTheHostItIsMeantFor) {
    scripted_server local({{expect_request(), send(response(200, "local")), stall()}},
                          scripted_server_options().address(path));
    scripted_server remote({{expect_request(), send(response(200, "remote")), stall()}});
    fetcher f(http::client_config().unix_socket("any.test", 80, path), no_lookup);
    EXPECT_EQ(f.get("http://any.test/")->body(), "local");
    EXPECT_EQ(f.get(remote.url())->body(), "remote");
}

TEST_F(UnixSocket, CarriesTls) {
    const certificate_authority authority;
    scripted_server server(
        {{expect_request(), send(response(200, "ok")), stall()}},
        scripted_server_options().address(path).tls(authority.issue(for_loopback())));
    fetcher f(http::client_config().unix_socket(path).tls(
                  http::tls_options().ca_pem(authority.certificate_pem())),
              no_lookup);
    EXPECT_TRUE(f.get("https://localhost/").ok());
    EXPECT_EQ(server.connections().at(0).server_name, "localhost");
}

TEST_F(UnixSocket, CarriesALargeBody) {
    scripted_server server({{expect_request(), send(response(200, "ok")), stall()}},
                           scripted_server_options().address(path));
    fetcher f(http::client_config().unix_socket(path), no_lookup);
    const std::string body(3'000'000, 'x');
    EXPECT_TRUE(f.fetch(request("PUT", "http://any.test/").body(body)).ok());
    EXPECT_EQ(server.requests().at(0).body, body);
}

TEST_F(UnixSocket, SaysWhyItCannotBeReached) {
    fetcher f(http::client_config().policy(at_once()).unix_socket(path), no_lookup);
    const auto nowhere = f.get("http://any.test/");
    EXPECT_EQ(nowhere.error(), boost::system::errc::no_such_file_or_directory);
    EXPECT_EQ(nowhere.report().attempts(), 1U);

    const int bound = bind_socket(path, 0);
    const auto unattended = f.get("http://any.test/");
    EXPECT_EQ(unattended.error(), asio::error::connection_refused);
    EXPECT_EQ(unattended.report().attempts(), 4U);
    ::close(bound);
}

TEST_F(UnixSocket, TakesAFullQueueForARefusal) {
    const int listener = bind_socket(path, 0);
    ASSERT_EQ(::listen(listener, 0), 0);
    fetcher f(http::client_config().policy(only_once()).unix_socket(path), no_lookup);
    std::vector<std::shared_ptr<pending_fetch>> calls;
    const auto refused = [&] {
        return std::any_of(calls.begin(), calls.end(), [](const auto& c) { return c->done(); });
    };
    for (int i = 0; i < 10; ++i) calls.push_back(f.start(request("GET", "http://any.test/")));
    f.run_until(refused);
    for (const auto& c : calls) {
        if (c->done()) {
            EXPECT_EQ((*c)->error(), asio::error::connection_refused);
        }
    }
    ::close(listener);  // resets those that were in the queue
    for (const auto& c : calls) f.run_until(c);
    f.run_out();
}

}  // namespace
}  // namespace asio_retry::test
