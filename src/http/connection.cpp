// SPDX-License-Identifier: BSL-1.0
#include "http/connection.hpp"

#include <boost/asio/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>

namespace asio_retry::http::detail {

namespace {

/// Looks for what is left between the socket and OpenSSL: a close_notify, say, that came in one
/// packet with the response.
bool is_quiet_inside(SSL* ssl) noexcept {
    if (SSL_has_pending(ssl) == 0 && BIO_ctrl_pending(SSL_get_rbio(ssl)) == 0) return true;
    char byte = 0;
    const int n = SSL_peek(ssl, &byte, 1);
    const bool wants_more = n <= 0 && SSL_get_error(ssl, n) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return wants_more;
}

/// The result of a system call that does not block.
std::size_t count(ssize_t result, error_code& ec) {
    ec = {};
    if (result >= 0) return static_cast<std::size_t>(result);
    ec = errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK
             ? error_code(asio::error::would_block)
             : error_code(errno, boost::system::system_category());
    return 0;
}

/// On a write BIO of its own, as that of the stream can only be emptied through its operations. If
/// the socket takes nothing, nobody waits for a peer that does not read.
void send_close_notify(SSL* ssl, int socket) noexcept {
    BIO* const out = BIO_new(BIO_s_mem());
    if (out != nullptr) {
        SSL_set0_wbio(ssl, out);
        SSL_shutdown(ssl);
        char* bytes = nullptr;
        const long size = BIO_get_mem_data(out, &bytes);
        if (size > 0) {
            [[maybe_unused]] const auto sent =
                ::send(socket, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
    ERR_clear_error();
}

}  // namespace

connection::~connection() {
    if (tls_ && at_rest_) send_close_notify(tls_->native_handle(), socket_.native_handle());
}

std::size_t connection::write_now(const asio::const_buffer& bytes, error_code& ec) {
    return count(
        ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT),
        ec);
}

std::size_t connection::read_now(const asio::mutable_buffer& room, error_code& ec) {
    const std::size_t n =
        count(::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT), ec);
    if (!ec && n == 0) ec = asio::error::eof;
    return n;
}

bool connection::is_readable() noexcept {
    char byte = 0;
    const ssize_t n = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

bool connection::is_quiet() noexcept {
    if (is_readable()) return false;
    return !tls_ || is_quiet_inside(tls_->native_handle());
}

}  // namespace asio_retry::http::detail
