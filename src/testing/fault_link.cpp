// SPDX-License-Identifier: BSL-1.0
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <testing/fault_link.hpp>

#include <array>
#include <tuple>
#include <utility>

namespace asio_retry::testing::detail {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {
constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
}

fault_link::fault_link(asio::ip::tcp::socket socket, asio::ssl::context* tls)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      pause_(socket_.get_executor()) {
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    if (tls != nullptr) tls_.emplace(socket_, *tls);
}

asio::awaitable<error_code> fault_link::handshake() {
    if (!tls_) co_return error_code();
    const auto result = co_await tls_->async_handshake(asio::ssl::stream_base::server, as_result);
    co_return std::get<0>(result);
}

asio::awaitable<link_result> fault_link::read_some(asio::mutable_buffer into) {
    link_result result;
    if (tls_) {
        const auto [error, bytes] = co_await tls_->async_read_some(into, as_result);
        result.error = error;
        result.bytes = bytes;
    } else {
        const auto [error, bytes] = co_await socket_.async_read_some(into, as_result);
        result.error = error;
        result.bytes = bytes;
    }
    co_return result;
}

asio::awaitable<error_code> fault_link::write(std::string_view bytes) {
    const asio::const_buffer buffer(bytes.data(), bytes.size());
    if (tls_) {
        const auto result = co_await asio::async_write(*tls_, buffer, as_result);
        co_return std::get<0>(result);
    }
    const auto result = co_await asio::async_write(socket_, buffer, as_result);
    co_return std::get<0>(result);
}

asio::awaitable<void> fault_link::pause(std::chrono::nanoseconds duration) {
    if (duration.count() <= 0) co_return;
    expect_within({});
    pause_.expires_after(duration);
    co_await pause_.async_wait(as_result);
}

asio::awaitable<void> fault_link::finish() {
    constexpr std::chrono::seconds goodbye{1};
    expect_within(goodbye);
    if (tls_) {
        // Sends close_notify and waits for the client's, or for the deadline.
        co_await tls_->async_shutdown(as_result);
    }
    error_code ignored;
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    std::array<char, 4096> rest;
    for (error_code ended; !ended;) {
        const auto result = co_await socket_.async_read_some(asio::buffer(rest), as_result);
        ended = std::get<0>(result);
    }
    deadline_.cancel();
    socket_.close(ignored);
}

void fault_link::reset() {
    deadline_.cancel();
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
}

void fault_link::expect_within(std::chrono::nanoseconds limit) {
    if (limit.count() <= 0) {
        deadline_.cancel();
        return;
    }
    deadline_.expires_after(limit);
    deadline_.async_wait([link = weak_from_this()](error_code cancelled) {
        const auto self = link.lock();
        if (cancelled || self == nullptr) return;
        // A wait that was re-armed after this handler had been queued is not over.
        if (self->deadline_.expiry() > std::chrono::steady_clock::now()) return;
        error_code ignored;
        self->socket_.close(ignored);
    });
}

}  // namespace asio_retry::testing::detail
