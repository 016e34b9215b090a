// Listening sockets, and the one that never answers.
#include "sockets.hpp"

#include "scripted_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace asio_retry::test {

[[noreturn]] void fail(const char* what) {
    throw std::system_error(
        errno, std::generic_category(), std::string("scripted_server: ") + what);
}

sockaddr_storage to_address(const std::string& text, std::uint16_t port, socklen_t& length) {
    sockaddr_storage storage{};
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    auto* local = reinterpret_cast<sockaddr_un*>(&storage);
    if (::inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        length = sizeof *v4;
    } else if (::inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        length = sizeof *v6;
    } else if (text.starts_with('/') && text.size() < sizeof local->sun_path) {
        local->sun_family = AF_UNIX;
        text.copy(local->sun_path, text.size());
        length = sizeof *local;
    } else {
        throw std::invalid_argument("scripted_server: not an address: " + text);
    }
    return storage;
}

std::uint16_t port_of(const sockaddr_storage& storage) {
    if (storage.ss_family == AF_UNIX) return 0;
    return ntohs(storage.ss_family == AF_INET
                     ? reinterpret_cast<const sockaddr_in*>(&storage)->sin_port
                     : reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
}

std::uint16_t local_port(int socket) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    ::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &length);
    return port_of(storage);
}

namespace {

int bind_to(const std::string& address, std::uint16_t port) {
    socklen_t length = 0;
    const auto target = to_address(address, port, length);
    const int socket = ::socket(target.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) fail("socket");
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&target), length) != 0) {
        const int error = errno;
        ::close(socket);
        errno = error;
        fail("bind");
    }
    return socket;
}

}  // namespace

int bind_socket(const std::string& address, std::uint16_t port) {
    if (port != 0 || address.starts_with('/')) return bind_to(address, port);
    // Linux forgets a port that it chose itself when listening ends; one that was asked for stays.
    const int chosen = bind_to(address, 0);
    const int socket = bind_to(address, local_port(chosen));
    ::close(chosen);
    return socket;
}

deaf_server::deaf_server() {
    const int listener = bind_socket("127.0.0.1", 0);
    sockets_.push_back(listener);
    port_ = local_port(listener);
    if (::listen(listener, 0) != 0) fail("listen");
    socklen_t length = 0;
    const auto target = to_address("127.0.0.1", port_, length);
    // A backlog of 0 holds one connection on Linux; a second one makes sure.
    for (int i = 0; i < 2; ++i) {
        const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (socket < 0) fail("socket");
        sockets_.push_back(socket);
        ::connect(socket, reinterpret_cast<const sockaddr*>(&target), length);
    }
}

deaf_server::~deaf_server() {
    for (const int socket : sockets_) ::close(socket);
}

std::string deaf_server::url(std::string_view target) const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(target);
}

}  // namespace asio_retry::test
