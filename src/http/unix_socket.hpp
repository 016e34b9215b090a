// Connects to a Unix domain socket.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_UNIX_SOCKET_HPP
#define ASIO_RETRY_SRC_HTTP_UNIX_SOCKET_HPP

#include "http/connection.hpp"
#include <asio_retry/error.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <optional>
#include <string>

namespace asio_retry::http::detail {

/// At once, or not at all: a listener whose queue is full counts as one that refuses.
std::optional<stream_socket> connect_to_path(const asio::any_io_executor& ex,
                                             const std::string& path,
                                             error_code& ec);

}  // namespace asio_retry::http::detail

#endif
