// SPDX-License-Identifier: BSL-1.0
#include "http/tls.hpp"

#include <asio_retry/http/error.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

namespace {

constexpr std::string_view spoken = "http/1.1";

error_code last_openssl_error() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return error::tls_options;
    return {static_cast<int>(code), asio::error::get_ssl_category()};
}

/// OpenSSL's default directory is looked into when a certificate needs it; its default file would
/// be read at once, which takes tens of milliseconds where a system's whole bundle is behind it.
bool trust_system(SSL_CTX* context) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): never set here
    const char* file = std::getenv(X509_get_default_cert_file_env());
    if (file != nullptr && SSL_CTX_load_verify_file(context, file) != 1) return false;
    return SSL_CTX_set_default_verify_dir(context) == 1;
}

/// ALPN (RFC 7301).
bool offer_protocol(SSL_CTX* context) {
    std::array<unsigned char, 1 + spoken.size()> list{spoken.size()};
    std::copy(spoken.begin(), spoken.end(), list.begin() + 1);
    return SSL_CTX_set_alpn_protos(context, list.data(), list.size()) == 0;
}

bool names_authority(const tls_options& options) {
    return !options.ca_file().empty() || !options.ca_directory().empty() ||
           !options.ca_pem().empty();
}

}  // namespace

asio::ssl::context* tls_context::get(error_code& ec) {
    const std::lock_guard lock(mutex_);
    if (!context_) {
        asio::ssl::context fresh(asio::ssl::context::tls_client);
        ec = set_up(fresh);
        if (ec) return nullptr;
        context_.emplace(std::move(fresh));
    }
    return &*context_;
}

error_code tls_context::set_up(asio::ssl::context& context) const {
    SSL_CTX* const native = context.native_handle();
    ERR_clear_error();
    if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1) return last_openssl_error();
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    if (!offer_protocol(native)) return last_openssl_error();
    tls_sessions::collect(native);

    const bool wants_system =
        options_.trust_system() == system_trust::always ||
        (options_.trust_system() == system_trust::unless_told && !names_authority(options_));
    const bool verifies = options_.verify() == verification::on;
    if (verifies && wants_system && !trust_system(native)) return last_openssl_error();
    error_code ec;
    if (!options_.ca_file().empty()) context.load_verify_file(options_.ca_file(), ec);
    if (!ec && !options_.ca_directory().empty())
        context.add_verify_path(options_.ca_directory(), ec);
    if (!ec && !options_.ca_pem().empty()) {
        context.add_certificate_authority(asio::buffer(options_.ca_pem()), ec);
    }
    if (!ec && !options_.certificate_file().empty()) {
        context.use_certificate_chain_file(options_.certificate_file(), ec);
        if (!ec) context.use_private_key_file(options_.key_file(), asio::ssl::context::pem, ec);
    }
    ERR_clear_error();
    return ec;
}

error_code expect_peer(connection::tls_stream& stream,
                       const target& to,
                       verification v,
                       const std::shared_ptr<tls_sessions>& sessions) {
    const std::string& host = to.host;
    SSL* const ssl = stream.native_handle();
    tls_sessions::attach(sessions, ssl, server_of(to));
    error_code no_address;
    asio::ip::make_address(host, no_address);
    const bool is_name = static_cast<bool>(no_address);
    // SNI names hosts only (RFC 6066 3).
    if (is_name && SSL_set_tlsext_host_name(ssl, host.c_str()) != 1) return last_openssl_error();
    if (v == verification::off) {
        SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
        return {};
    }
    SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
    // The common name counts for nothing, and * stands for a whole label (RFC 9525 6.3, 6.5).
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const int set = is_name ? SSL_set1_host(ssl, host.c_str())
                            : X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
    return set == 1 ? error_code() : last_openssl_error();
}

error_code check_protocol(connection::tls_stream& stream) {
    const unsigned char* chosen = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(stream.native_handle(), &chosen, &size);
    if (size == 0) return {};
    // Later releases of OpenSSL have refused it themselves by now, as a bad extension.
    const bool offered = std::equal(chosen, chosen + size, spoken.begin(), spoken.end());
    return offered ? error_code() : error_code(error::unexpected_protocol);
}

error_code handshake_error(connection::tls_stream& stream, const error_code& ec) {
    if (ec.category() != asio::error::get_ssl_category()) return ec;
    const auto reason = ERR_GET_REASON(static_cast<unsigned long>(ec.value()));
    if (reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL) return error::unexpected_protocol;
    const long result = SSL_get_verify_result(stream.native_handle());
    if (result == X509_V_OK || reason != SSL_R_CERTIFICATE_VERIFY_FAILED) return ec;
    return {static_cast<int>(result), certificate_category()};
}

}  // namespace asio_retry::http::detail
