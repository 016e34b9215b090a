// One accepted connection of a scripted server: blocking reads and writes, plain or TLS, that end
// when the server stops. Only steps need it.
#pragma once

#include "scripted_server.hpp"

#include <openssl/ssl.h>

#include <functional>
#include <stdexcept>

namespace asio_retry::test {

/// The script of a connection cannot go on; the text says why.
struct script_problem : std::runtime_error {
    using std::runtime_error::runtime_error;
};
/// The server is being destroyed.
struct script_stopped {};

/// What a connection tells its server.
class wire_listener {
public:
    virtual ~wire_listener() = default;
    virtual void on_head(received_request request) = 0;
    virtual void on_body(std::string_view body, bool whole) = 0;
    virtual void update(const std::function<void(connection_record&)>& change) = 0;
    virtual void refuse() = 0;
};

class wire {
public:
    /// Owns `socket`; `stop` becomes readable when everything is to end.
    wire(int socket, int stop, std::chrono::milliseconds patience, wire_listener& listener);
    ~wire();
    wire(const wire&) = delete;
    wire& operator=(const wire&) = delete;

    /// Reads more into the buffer; false at the client's end of stream or its reset.
    bool read_some();
    void write(std::string_view bytes);
    void write_raw(std::string_view bytes);  ///< Never encrypted.

    std::string& buffer() { return buffer_; }  ///< Read and not yet taken.
    /// Reads until the buffer holds so much; a problem when the client ends first.
    void need(std::size_t count, const char* what);
    void read_head();
    void read_body();

    void start_tls(const tls_server& server);
    void read_client_hello();
    void break_handshake(const tls_server& server);

    enum class notify { yes, no };
    void shut_down_writing(notify tls_notify);
    void close(notify tls_notify);
    void reset();
    /// Waits for the client to go, reading (and noting) or not.
    void wait_for_client_to_close();
    void wait_for_client_to_vanish();
    void wait_for(const gate& latch);
    void pause(std::chrono::milliseconds duration);

    wire_listener& listener() { return listener_; }
    bool closed() const { return socket_ < 0; }
    bool reset_seen() const { return reset_seen_; }
    bool end_seen() const { return end_seen_; }

private:
    struct free_ssl {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
    };

    std::size_t receive_raw(char* data, std::size_t size);
    void poll_for(short events, const char* what);
    void make_ssl(const tls_server& server);
    void flush_tls();
    bool feed_tls();
    void note(const char* data, std::size_t size);

    int socket_;
    const int stop_;
    const std::chrono::milliseconds patience_;
    wire_listener& listener_;
    std::string buffer_;
    std::string last_head_;
    std::unique_ptr<SSL, free_ssl> ssl_;
    bool encrypted_ = false;
    bool reset_seen_ = false;
    bool end_seen_ = false;
};

}  // namespace asio_retry::test
