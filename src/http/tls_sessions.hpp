// TLS sessions that servers gave, for later connections to resume.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_TLS_SESSIONS_HPP
#define ASIO_RETRY_SRC_HTTP_TLS_SESSIONS_HPP

#include <openssl/ssl.h>

#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace asio_retry::http::detail {

/// Of one TLS context, so that a session is never resumed under other options than it was made
/// with.
/** What it holds belongs to no connection: OpenSSL spoils the session of a connection that ends
    without a close_notify, and does so for all who share it. Thread-safe. */
class tls_sessions {
public:
    class free_session {
    public:
        void operator()(SSL_SESSION* s) const noexcept { SSL_SESSION_free(s); }
    };
    using session = std::unique_ptr<SSL_SESSION, free_session>;

    /// Servers give two at a time, and connections are often opened several at a time.
    static constexpr std::size_t most_of_one_server = 4;
    static constexpr std::size_t most_servers = 256;

    tls_sessions() = default;

    /// Keeps a session; the oldest of this server, or of the server heard from least lately, goes
    /// if there are too many.
    void put(const std::string& server, session s);

    /// The newest session that is still good; null if there is none. One of TLS 1.3 is given once
    /// (RFC 8446 C.4).
    session take(const std::string& server);

    /// To be told that a server made nothing of its session.
    void forget(const std::string& server);

    std::size_t servers() const;

    /// Has the sessions of a context reach the store of their connection.
    static void collect(SSL_CTX* context);

    /// Before a handshake: resumes a session with this server if there is one, and keeps those that
    /// the connection is given in its time.
    static void attach(const std::shared_ptr<tls_sessions>& store,
                       SSL* connection,
                       const std::string& server);

private:
    using entry = std::pair<std::string, std::deque<session>>;

    mutable std::mutex mutex_;
    std::list<entry> by_age_;  // the one heard from least lately first
    std::unordered_map<std::string, std::list<entry>::iterator> by_server_;
};

}  // namespace asio_retry::http::detail

#endif
