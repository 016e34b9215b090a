// Listening sockets for the servers of the tests, by plain POSIX calls.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace asio_retry::test {

/// Throws std::system_error made from errno.
[[noreturn]] void fail(const char* what);

/// An IPv4 or IPv6 address, or a Unix domain socket's path, from its text; throws
/// std::invalid_argument.
sockaddr_storage to_address(const std::string& text, std::uint16_t port, socklen_t& length);

std::uint16_t port_of(const sockaddr_storage& address);
std::uint16_t local_port(int socket);

/// A socket bound, not yet listening: connecting to it is refused.
int bind_socket(const std::string& address, std::uint16_t port);

}  // namespace asio_retry::test
