// SPDX-License-Identifier: BSL-1.0
#include "http/unix_socket.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace asio_retry::http::detail {

// Not by `async_connect`: a connect that would block fails with EAGAIN here and is not under way,
// where Asio waits for it and then reports a success.
std::optional<stream_socket> connect_to_path(const asio::any_io_executor& ex,
                                             const std::string& path,
                                             error_code& ec) {
    using local = asio::local::stream_protocol;
    const local::endpoint to(path);
    local::socket socket(ex);
    socket.open(local(), ec);
    if (!ec) socket.native_non_blocking(true, ec);
    if (ec) return std::nullopt;
    if (::connect(socket.native_handle(), to.data(), static_cast<socklen_t>(to.size())) != 0) {
        ec = errno == EAGAIN ? error_code(asio::error::connection_refused)
                             : error_code(errno, boost::system::system_category());
        return std::nullopt;
    }
    return stream_socket(std::move(socket));
}

}  // namespace asio_retry::http::detail
