// A raw-socket server that does exactly what its script says, byte by byte, and notes what it saw.
//
//     scripted_server server({
//         {expect_request(), send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), close()},
//         {expect_request(), send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), stall()},
//     });
//     ... ask server.url("/path") ...
//     EXPECT_EQ(server.requests().size(), 2);
//     EXPECT_TRUE(server.problems().empty()) << server.problems_text();
//
// The n-th accepted connection plays the n-th script; each has a thread of its own. A connection
// whose script is over is closed. No step waits for ever: the destructor ends them all at once, and
// a step that outlives `patience` becomes a problem.
#pragma once

#include "tls_server.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio_retry::test {

class wire;

/// A request as it came.
struct received_request {
    std::size_t connection = 0;
    std::string method, target, version;
    std::string head;  ///< Every byte up to and with the blank line.
    std::string body;  ///< Chunks joined.
    bool body_whole = false;
    std::vector<std::pair<std::string, std::string>> fields;

    /// The value of the first field of this name (any case), or "".
    std::string field(std::string_view name) const;
    std::size_t count(std::string_view name) const;
};

/// How a connection came to its end, as the server saw it.
enum class connection_end { open, by_script, by_client, reset_by_client, by_stop };

struct connection_record {
    std::string received;  ///< Every byte read, decrypted.
    std::size_t sent = 0;  ///< Bytes written, before encryption.
    connection_end end = connection_end::open;
    bool encrypted = false;
    std::string server_name;         ///< SNI.
    std::string client_certificate;  ///< The subject of the client's certificate.
    std::string version;             ///< "TLSv1.3"
    bool resumed = false;            ///< A TLS session of an earlier connection.
    bool notified = false;           ///< The client ended with a close_notify.
    std::uint16_t client_port = 0;
};

/// A latch between a test and a script; copies share it.
class gate {
public:
    gate();
    void open();
    bool is_open() const;
    /// Waits; false when `limit` passed first.
    bool wait(std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

private:
    struct state;
    std::shared_ptr<state> state_;
};

/// One thing that a connection does; own steps are lambdas over `wire` (see wire.hpp).
class step {
public:
    step(std::string name, std::function<void(wire&)> action)
        : name_(std::move(name)), action_(std::move(action)) {}
    const std::string& name() const { return name_; }
    void run(wire& connection) const { action_(connection); }

private:
    std::string name_;
    std::function<void(wire&)> action_;
};

using connection_script = std::vector<step>;

// What a script is made of.

step expect_request();                 ///< Reads one head and its body (Content-Length or chunked).
step expect_head();                    ///< Reads one head and leaves the body unread.
step expect_body();                    ///< Reads the body of the last head.
step expect_bytes(std::size_t count);  ///< Reads so many bytes more, of whatever.
step send(std::string bytes);
/// Sends `chunk` bytes at a time, each in a packet of its own, with a pause between.
step send_slowly(std::string bytes, std::chrono::milliseconds pause = {}, std::size_t chunk = 1);
step send_in_clear(std::string bytes);  ///< Past the encryption: garbage to a TLS client.
step close();                           ///< FIN; on TLS a close_notify first.
step close_without_notify();            ///< FIN alone: a truncated TLS stream.
step reset();                           ///< RST.
step half_close();                      ///< FIN, and still reading (on TLS close_notify first).
step stall();                           ///< Silence until the client closes; what it sends is read.
step stop_reading();                    ///< Silence, and nothing read, until the client is gone.
step pause(std::chrono::milliseconds duration);
step wait_for(gate latch);          ///< Silence until the test opens the gate.
step open_gate(gate latch);         ///< Tells the test that the script came so far.
step refuse_further();              ///< Connections from now on are refused.
step start_tls(tls_server server);  ///< A TLS handshake; from here everything is encrypted.
step request_client_certificate(identity server, std::string client_authority_pem);
step expect_client_hello();               ///< Reads what the client says first.
step break_handshake(tls_server server);  ///< Sends half of the server's first flight.

/// Whole answers, for scripts in which the bytes are not the point.
std::string response(int status, std::string_view body = "", std::string_view extra_fields = "");
/// The same with "Connection: close", for scripts that then close: a client that reused the
/// connection would race that close, and find it dead at one time and not at another.
std::string last_response(int status,
                          std::string_view body = "",
                          std::string_view extra_fields = "");

class scripted_server_options {
public:
    /// Every connection begins with a TLS handshake.
    scripted_server_options& tls(tls_server server);
    /// "127.0.0.1" by default; "::1" or "127.0.0.2" serve tests of several addresses, and the path
    /// of a Unix domain socket those of such.
    scripted_server_options& address(std::string address);
    /// 0 by default: any free one.
    scripted_server_options& port(std::uint16_t port);
    /// Binds only: connections are refused until `listen()`.
    scripted_server_options& refusing();
    /// The last script plays for every further connection; otherwise those are reset, and counted.
    scripted_server_options& repeat_last();
    /// The bound on each step, 10 s by default.
    scripted_server_options& patience(std::chrono::milliseconds patience);

private:
    friend class scripted_server;
    std::shared_ptr<const tls_server> tls_;
    std::string address_ = "127.0.0.1";
    std::uint16_t port_ = 0;
    bool refusing_ = false;
    bool repeat_last_ = false;
    std::chrono::milliseconds patience_{10'000};
};

class scripted_server {
public:
    explicit scripted_server(std::vector<connection_script> connections,
                             scripted_server_options options = {});
    /// Ends every connection and joins every thread, wherever they are.
    ~scripted_server();
    scripted_server(const scripted_server&) = delete;
    scripted_server& operator=(const scripted_server&) = delete;

    std::uint16_t port() const;
    std::string host() const;                              ///< "127.0.0.1", "[::1]"
    std::string origin() const;                            ///< "http://127.0.0.1:40123"
    std::string url(std::string_view target = "/") const;  ///< origin() + target

    void refuse();  ///< Connections are refused from now on.
    void listen();  ///< Takes them (again).

    // What was seen so far; safe at any time.
    std::vector<received_request> requests() const;
    std::vector<connection_record> connections() const;
    std::size_t connections_accepted() const;
    std::size_t unscripted_connections() const;
    /// Steps that could not be done: "connection 0, step 2 expect_request: the client closed".
    std::vector<std::string> problems() const;
    std::string problems_text() const;

    // Waits, each true once it came to be and false when `limit` passed first.
    bool wait_for_requests(std::size_t count,
                           std::chrono::milliseconds limit = std::chrono::seconds(10)) const;
    bool wait_for_connections(std::size_t count,
                              std::chrono::milliseconds limit = std::chrono::seconds(10)) const;
    /// Until every accepted connection has come to its end.
    bool wait_until_closed(std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

/// A listener whose backlog is full: connecting to it hangs, as behind a firewall that drops.
class deaf_server {
public:
    deaf_server();
    ~deaf_server();
    deaf_server(const deaf_server&) = delete;
    deaf_server& operator=(const deaf_server&) = delete;
    std::uint16_t port() const { return port_; }
    std::string url(std::string_view target = "/") const;

private:
    std::vector<int> sockets_;
    std::uint16_t port_ = 0;
};

}  // namespace asio_retry::test
