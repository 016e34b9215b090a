// A server of somebody else's, from a Debian package: started on a free port for one test, and
// ended with it.
#pragma once

#include "support/certificates.hpp"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::test {

/// Where a program is, "" where it is not installed.
std::string find_program(std::string_view name);

/// What to start: the program and its arguments, given the port that it is to listen on.
using peer_command = std::function<std::vector<std::string>(std::uint16_t port)>;

class peer {
public:
    /// Starts it and waits until it takes connections, on another port if it could not have the
    /// first.
    /** Throws std::runtime_error with what it wrote, where it never does. */
    explicit peer(const peer_command& command);
    /// Ends it with all its processes.
    ~peer();
    peer(const peer&) = delete;
    peer& operator=(const peer&) = delete;

    /// Ends it in the middle of whatever it does, and starts it anew on its port.
    void restart();

    std::uint16_t port() const { return port_; }
    /// "http://127.0.0.1:23456/path"
    std::string url(std::string_view path) const;
    /// The same with https, and a host by name.
    std::string secure_url(std::string_view path, std::string_view host = "localhost") const;
    /// What it has written on standard output and standard error.
    std::string written() const;

private:
    /// Whether it came to listen.
    bool start();
    void end();
    void release_port();
    bool is_running();

    temporary_directory directory_;
    std::vector<std::string> words_;
    std::uint16_t port_ = 0;
    int reserved_ = -1;
    pid_t pid_ = -1;
};

/// Skips the test where a program is not installed.
#define ASIO_RETRY_NEEDS_PEER(name)                                                    \
    if (::asio_retry::test::find_program(name).empty()) {                              \
        GTEST_SKIP() << name << " is not installed: cmake/install-dependencies peers"; \
    }

}  // namespace asio_retry::test
