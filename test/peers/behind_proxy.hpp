// A client that reaches scripted servers by way of a proxy, a peer.
#pragma once

#include "http/support/fetcher.hpp"
#include "peers/peer.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace asio_retry::test {

inline const connection_script twice = {expect_request(),
                                        send(response(200, "one")),
                                        expect_request(),
                                        send(response(200, "two")),
                                        stall()};
inline const connection_script once = {expect_request(), send(response(200, "one")), stall()};

class behind_proxy : public testing::Test {
protected:
    http::client_config by_way(const std::string& credentials = "") const {
        return std::move(http::client_config()
                             .policy(at_once())
                             .proxy(http::proxy("http://" + credentials +
                                                "127.0.0.1:" + std::to_string(proxy_->port())))
                             .tls(http::tls_options().ca_pem(authority_.certificate_pem())));
    }

    scripted_server_options tls() const {
        return scripted_server_options().tls(authority_.issue(for_loopback()));
    }

    static std::string secure(const scripted_server& server) {
        return "https://localhost:" + std::to_string(server.port()) + "/a?b";
    }

    /// Of a proxy that was told to refuse CONNECT.
    void expect_no_tunnel() {
        scripted_server server({once}, tls());
        fetcher f(by_way());
        const auto r = f.get(secure(server));
        EXPECT_EQ(r.error(), http::error::proxy_refused);
        EXPECT_EQ(r.reason(), reason::permanent_failure);
        EXPECT_EQ(r.report().attempts(), 1U);
        EXPECT_EQ(server.connections_accepted(), 0U);
    }

    certificate_authority authority_;
    temporary_directory files_;
    std::optional<peer> proxy_;
};

}  // namespace asio_retry::test
