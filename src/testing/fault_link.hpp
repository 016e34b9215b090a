// One accepted connection, plain or TLS, with one deadline for whatever it waits for.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_TESTING_FAULT_LINK_HPP
#define ASIO_RETRY_SRC_TESTING_FAULT_LINK_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace asio_retry::testing::detail {

/// How much is read at once.
inline constexpr std::size_t read_size = 16 * 1024;

struct link_result {
    boost::system::error_code error;
    std::size_t bytes = 0;
};

/// Held by shared_ptr: the deadline outlives no connection, and no coroutine frame is needed for
/// it.
class fault_link : public std::enable_shared_from_this<fault_link> {
public:
    /// Plain where `tls` is null.
    fault_link(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls);

    boost::asio::awaitable<boost::system::error_code> handshake();
    boost::asio::awaitable<link_result> read_some(boost::asio::mutable_buffer into);
    boost::asio::awaitable<boost::system::error_code> write(std::string_view bytes);
    boost::asio::awaitable<void> pause(std::chrono::nanoseconds duration);
    /// Says goodbye, then reads what still comes for a second at most, so that the kernel does not
    /// answer it with a RST that would take the last response with it.
    boost::asio::awaitable<void> finish();
    void reset();

    /// From now, whatever waits longer than this finds the socket closed; zero is no limit.
    void expect_within(std::chrono::nanoseconds limit);

private:
    boost::asio::ip::tcp::socket socket_;
    std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
    boost::asio::steady_timer deadline_;
    boost::asio::steady_timer pause_;
};

}  // namespace asio_retry::testing::detail

#endif
