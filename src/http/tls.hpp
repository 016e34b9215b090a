// The TLS context of a client, and what a connection takes from it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_TLS_HPP
#define ASIO_RETRY_SRC_HTTP_TLS_HPP

#include "http/connection.hpp"
#include "http/target.hpp"
#include "http/tls_sessions.hpp"
#include <asio_retry/error.hpp>
#include <asio_retry/http/client_config.hpp>

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <mutex>
#include <optional>

namespace asio_retry::http::detail {

/// Made at its first use, as most of its cost is of no use to a client of plain HTTP. Thread-safe.
class tls_context {
public:
    explicit tls_context(const tls_options& options) : options_(options) {}

    /// Null if the options cannot be used; `ec` says why.
    asio::ssl::context* get(error_code& ec);

    const std::shared_ptr<tls_sessions>& sessions() const noexcept { return sessions_; }

private:
    error_code set_up(asio::ssl::context& context) const;

    const tls_options& options_;
    std::mutex mutex_;
    std::optional<asio::ssl::context> context_;
    const std::shared_ptr<tls_sessions> sessions_ = std::make_shared<tls_sessions>();
};

/// Tells a new stream whom it is to talk to, what to check, and which session to resume.
error_code expect_peer(connection::tls_stream& stream,
                       const target& to,
                       verification v,
                       const std::shared_ptr<tls_sessions>& sessions);

/// After a handshake: refuses a server that chose what it was not offered.
error_code check_protocol(connection::tls_stream& stream);

/// The error of a failed handshake; of a refused certificate, in what it was wanting, and of a
/// server that knows no protocol that was offered, that it was this.
error_code handshake_error(connection::tls_stream& stream, const error_code& ec);

}  // namespace asio_retry::http::detail

#endif
