// An HTTP server that fails as told and counts what it saw: for tests of code that retries.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TESTING_FAULT_SERVER_HPP
#define ASIO_RETRY_TESTING_FAULT_SERVER_HPP

#include <asio_retry/testing/fault_script.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::testing {

/// What was seen of one method and path.
struct path_counts {
    std::string method;
    std::string path;                             ///< Without the query.
    std::uint64_t requests = 0;                   ///< Heads read.
    std::uint64_t received = 0;                   ///< Requests read to the end, body included.
    std::uint64_t succeeded = 0;                  ///< 2xx responses written to the end.
    std::map<std::string, std::uint64_t> faults;  ///< By name: "503", "reset".
};

/// What a server has seen since its start, or since its counts were cleared.
struct server_counts {
    std::uint64_t connections = 0;
    std::uint64_t malformed = 0;  ///< What was no HTTP request, or beyond the limits.
    std::vector<path_counts> paths;

    /// The counts of one method and path; zeros where it was never asked.
    path_counts of(std::string_view method, std::string_view path) const;
    /// The sums over all paths.
    path_counts total() const;
};

/// Where and how a fault_server listens; the setters chain.
class fault_server_options {
public:
    fault_server_options() = default;

    /// The port on 127.0.0.1. Default: 0, any free one; fault_server::port() says which.
    fault_server_options& port(std::uint16_t number);
    /// HTTPS, with these PEM files: the certificate chain and its key. Default: HTTP.
    fault_server_options& tls(std::string certificate_file, std::string key_file);
    /// How long a connection may be idle, a head or a piece of a body may take to come, a piece of
    /// a response to be taken. Default: 30 s. More than 0. Does not end a stall.
    fault_server_options& idle_timeout(std::chrono::nanoseconds limit);
    /// The largest request body; larger ones get a 413 before they are read. Default: 64 MiB.
    fault_server_options& body_limit(std::uint64_t bytes);
    /// Called with one line a request, on the server's thread; must not throw. Default: none.
    fault_server_options& log(std::function<void(std::string_view)> sink);

private:
    friend class fault_server;

    std::uint16_t port_ = 0;
    std::string certificate_file_;
    std::string key_file_;
    std::chrono::nanoseconds idle_timeout_{std::chrono::seconds(30)};
    std::uint64_t body_limit_ = 64 * 1024 * 1024;
    std::function<void(std::string_view)> log_;
};

/// A HTTP/1.1 server on 127.0.0.1, with a thread of its own, that fails as its script says.
/** It keeps connections alive and answers any method on any path. Two paths are its own:

        GET /.stats      the counts as JSON; DELETE zeroes them. Never faulted, never counted.
        any /.echo...    the request as JSON: method, target, headers, size and SHA-256 of the body,
                         and its text up to 64 KiB. Faulted and counted as any other path.

    A request with `Expect: 100-continue` that is to be answered with a 4xx or 5xx gets that answer
    before its body is sent.

    Example:

        fault_script script;
        script.seed(7).defaults().rate(503, 0.2).rate(fault(fault_kind::reset), 0.1);
        fault_server server(script);
        // ... fetch server.url("/a") ...
        EXPECT_EQ(server.counts().of("POST", "/pay").received, 1);

    Thread safety: distinct objects safe; on a shared object every const member, and clear_counts,
    is safe. */
class fault_server {
public:
    /// Listens once this returns.
    /** Throws std::invalid_argument (the script), std::system_error (the port is taken, the PEM
        files cannot be used). */
    explicit fault_server(const fault_script& script = {}, fault_server_options options = {});
    /// Stops at once, whatever its clients do, and joins the thread.
    ~fault_server();
    fault_server(const fault_server&) = delete;
    fault_server& operator=(const fault_server&) = delete;

    std::uint16_t port() const;
    /// "http://127.0.0.1:40123"
    std::string origin() const;
    /// origin() and a target: "/a?b=1"
    std::string url(std::string_view target = "/") const;

    server_counts counts() const;
    /// Zeroes the counts, and with them the number of times that each path was asked.
    void clear_counts();

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace asio_retry::testing

#endif
