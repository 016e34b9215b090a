// SPDX-License-Identifier: BSL-1.0
#include "http/proxy_tunnel.hpp"

#include "http/io_deadline.hpp"
#include "http/server_word.hpp"
#include <asio_retry/http/error.hpp>
#include <asio_retry/http/proxy.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <tuple>

namespace asio_retry::http::detail {

namespace {

constexpr auto as_result = asio::as_tuple(asio::deferred);
constexpr unsigned most_informational = 8;

error_code judge(unsigned status) {
    constexpr unsigned authentication_required = 407;
    constexpr unsigned too_many_requests = 429;
    if (status / 100 == 2) return {};
    if (status == authentication_required) return error::proxy_authentication;
    if (status == too_many_requests || status / 100 == 5) return error::proxy_unavailable;
    return error::proxy_refused;
}

/// As far as it has come. What greets its clients in another protocol may never send an empty line.
bool begins_like_http(const read_buffer& input) {
    constexpr std::string_view beginning = "HTTP/1.";
    const asio::const_buffer bytes = input.data();
    const std::string_view come(static_cast<const char*>(bytes.data()),
                                std::min(bytes.size(), beginning.size()));
    return beginning.starts_with(come);
}

}  // namespace

std::string connect_request(const target& to, const std::string& user_agent) {
    const std::string server = server_of(to);
    std::string text = "CONNECT " + server + " HTTP/1.1\r\nHost: " + server + "\r\n";
    if (!user_agent.empty()) text.append("User-Agent: ").append(user_agent).append("\r\n");
    const std::string& authorization = to.via->authorization();
    if (!authorization.empty()) {
        text.append("Proxy-Authorization: ").append(authorization).append("\r\n");
    }
    return text.append("\r\n");
}

void tunnel_reply::restart() {
    parser_.emplace();
    parser_->header_limit(longest);
    parser_->body_limit(boost::none);
    parser_->skip(true);
}

error_code tunnel_reply::take(read_buffer& input) {
    while (!done_ && input.size() != 0) {
        if (!begins_like_http(input)) return error::malformed_proxy_response;
        error_code ec;
        input.consume(parser_->put(asio::buffer(input.data()), ec));
        if (ec == boost::beast::http::error::need_more) {
            return input.size() < longest ? error_code() : error::malformed_proxy_response;
        }
        if (ec || !parser_->is_header_done()) return error::malformed_proxy_response;
        const unsigned status = parser_->get().result_int();
        if (status / 100 == 1 && ++informational_ <= most_informational) {
            restart();
            continue;
        }
        if (const error_code refusal = judge(status)) {
            if (refusal == error::proxy_unavailable) {
                const auto now = std::chrono::system_clock::now();
                retry_after_ = server_word_of(parser_->get(), now).wait;
            }
            return refusal;
        }
        done_ = true;
    }
    // The server speaks TLS, in which the first word is the client's.
    if (done_ && input.size() != 0) return error::malformed_proxy_response;
    return {};
}

asio::awaitable<error_code> open_tunnel(connection* c,
                                        const target* to,
                                        const std::string* user_agent,
                                        tunnel_reply* reply,
                                        steady_time deadline) {
    const std::string request = connect_request(*to, *user_agent);
    io_deadline limit(timer_service::of(co_await asio::this_coro::executor));
    limit.arm(deadline, c->native_handle());
    error_code ec;
    bool cancelled = false;
    for (asio::const_buffer unsent = asio::buffer(request);
         unsent.size() != 0 && !ec && !cancelled;) {
        const auto sent = co_await c->async_write_some(unsent, as_result);
        ec = std::get<0>(sent);
        unsent += std::get<1>(sent);
        cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
    }
    while (!reply->done() && !ec && !cancelled) {
        const auto got = co_await c->async_read_some(c->input().prepare(1), as_result);
        ec = std::get<0>(got);
        c->input().commit(std::get<1>(got));
        if (!ec) ec = reply->take(c->input());
        if (ec == asio::error::eof) ec = error::proxy_closed;
        cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
    }
    while (!limit.disarmed()) limit.joined(co_await limit.fired());
    co_return limit.expired() ? error_code(error::connect_timeout) : ec;
}

}  // namespace asio_retry::http::detail
