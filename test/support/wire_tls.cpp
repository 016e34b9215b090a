// The TLS half of a scripted connection: OpenSSL over memory, so that the script owns every byte
// on the wire and no write raises SIGPIPE.
#include "wire.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <array>

namespace asio_retry::test {
namespace {

std::string last_tls_error() {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    return text.data();
}

std::string client_subject(const SSL* ssl) {
    auto* certificate = SSL_get1_peer_certificate(ssl);
    if (certificate == nullptr) return {};
    std::array<char, 256> text{};
    X509_NAME_oneline(X509_get_subject_name(certificate), text.data(), text.size());
    X509_free(certificate);
    return text.data();
}

}  // namespace

void wire::make_ssl(const tls_server& server) {
    ERR_clear_error();
    ssl_.reset(SSL_new(server.context()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(ssl_.get());
    // What an earlier step has read of the handshake belongs to OpenSSL now.
    BIO_write(SSL_get_rbio(ssl_.get()), buffer_.data(), static_cast<int>(buffer_.size()));
    buffer_.clear();
}

void wire::flush_tls() {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
    const std::string bytes(data, static_cast<std::size_t>(size));
    BIO_reset(SSL_get_wbio(ssl_.get()));
    write_raw(bytes);
}

void wire::start_tls(const tls_server& server) {
    make_ssl(server);
    for (;;) {
        const int result = SSL_do_handshake(ssl_.get());
        const int error = SSL_get_error(ssl_.get(), result);
        const auto why = result == 1 ? std::string() : last_tls_error();
        flush_tls();
        if (result == 1) break;
        if (error != SSL_ERROR_WANT_READ) throw script_problem("TLS handshake: " + why);
        std::array<char, 16 * 1024> data;
        const auto count = receive_raw(data.data(), data.size());
        if (count == 0) throw script_problem("the client closed during the TLS handshake");
        BIO_write(SSL_get_rbio(ssl_.get()), data.data(), static_cast<int>(count));
    }
    encrypted_ = true;
    const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    listener_.update([&](connection_record& record) {
        record.encrypted = true;
        record.server_name = name == nullptr ? "" : name;
        record.client_certificate = client_subject(ssl_.get());
        record.resumed = SSL_session_reused(ssl_.get()) == 1;
        record.version = SSL_get_version(ssl_.get());
    });
}

bool wire::feed_tls() {
    std::array<char, 16 * 1024> data;
    for (;;) {
        ERR_clear_error();
        const int plain = SSL_read(ssl_.get(), data.data(), static_cast<int>(data.size()));
        if (plain > 0) {
            note(data.data(), static_cast<std::size_t>(plain));
            return true;
        }
        const int error = SSL_get_error(ssl_.get(), plain);
        if (error == SSL_ERROR_ZERO_RETURN) {
            end_seen_ = true;
            listener_.update([](connection_record& record) { record.notified = true; });
            return false;
        }
        if (error != SSL_ERROR_WANT_READ) throw script_problem("TLS: " + last_tls_error());
        const auto count = receive_raw(data.data(), data.size());
        if (count == 0) return false;
        BIO_write(SSL_get_rbio(ssl_.get()), data.data(), static_cast<int>(count));
    }
}

void wire::write(std::string_view bytes) {
    listener_.update([&](connection_record& record) { record.sent += bytes.size(); });
    if (!encrypted_) return write_raw(bytes);
    if (bytes.empty()) return;
    std::size_t written = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) {
        throw script_problem("TLS: " + last_tls_error());
    }
    flush_tls();
}

void wire::shut_down_writing(notify tls_notify) {
    if (socket_ < 0) return;
    if (encrypted_ && tls_notify == notify::yes) {
        SSL_shutdown(ssl_.get());
        flush_tls();
    }
    ::shutdown(socket_, SHUT_WR);
}

void wire::read_client_hello() {
    constexpr std::size_t record_header = 5;
    need(record_header, "a TLS record");
    const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(buffer_[at]); };
    if (byte(0) != SSL3_RT_HANDSHAKE) throw script_problem("the client does not speak TLS");
    need(record_header + byte(3) * 256U + byte(4), "a TLS client hello");
}

void wire::break_handshake(const tls_server& server) {
    read_client_hello();
    make_ssl(server);
    SSL_do_handshake(ssl_.get());
    char* data = nullptr;
    const auto size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
    write_raw(std::string_view(data, static_cast<std::size_t>(size) / 2));
}

}  // namespace asio_retry::test
