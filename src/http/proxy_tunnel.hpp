// Has a proxy open a tunnel to a server (CONNECT, RFC 9110 9.3.6).
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_PROXY_TUNNEL_HPP
#define ASIO_RETRY_SRC_HTTP_PROXY_TUNNEL_HPP

#include "http/connection.hpp"
#include "http/target.hpp"
#include <asio_retry/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace asio_retry::http::detail {

/// The request for a tunnel to `to`, which is reached through `to.via`.
std::string connect_request(const target& to, const std::string& user_agent);

/// Reads a proxy's response to CONNECT, of which the header is all that counts. Without I/O.
class tunnel_reply {
public:
    /// 1xx responses included, each.
    static constexpr std::size_t longest = std::size_t{16} * 1024;

    tunnel_reply() { restart(); }

    /// Takes what has come. No error as long as the tunnel may still come to be, and once it
    /// stands.
    error_code take(read_buffer& input);
    /// Whether the tunnel stands.
    bool done() const noexcept { return done_; }
    /// How long a proxy that is unavailable asks to wait.
    std::optional<nanoseconds> retry_after() const noexcept { return retry_after_; }

private:
    void restart();

    std::optional<boost::beast::http::response_parser<boost::beast::http::empty_body>> parser_;
    std::optional<nanoseconds> retry_after_;
    unsigned informational_ = 0;
    bool done_ = false;
};

/// Asks for the tunnel on a new connection to the proxy, and waits for it.
/** Errors: `connect_timeout` at `deadline`, those of proxies, and what the socket says.
    Precondition: the awaiting coroutine does not throw when it is cancelled; then the answer has no
    meaning. All must outlive the call. */
asio::awaitable<error_code> open_tunnel(connection* c,
                                        const target* to,
                                        const std::string* user_agent,
                                        tunnel_reply* reply,
                                        steady_time deadline);

}  // namespace asio_retry::http::detail

#endif
