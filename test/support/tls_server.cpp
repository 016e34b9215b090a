// The TLS contexts of scripted servers.
#include "tls_server.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace asio_retry::test {
namespace {

struct free_bio {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using bio_ptr = std::unique_ptr<BIO, free_bio>;

bio_ptr over(const std::string& pem) {
    return bio_ptr(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

[[noreturn]] void refuse(const char* what) {
    std::array<char, 256> text{};
    ERR_error_string_n(ERR_get_error(), text.data(), text.size());
    throw std::runtime_error(std::string(what) + ": " + text.data());
}

X509* read_certificate(const std::string& pem) {
    auto* certificate = PEM_read_bio_X509(over(pem).get(), nullptr, nullptr, nullptr);
    if (certificate == nullptr) refuse("not a certificate");
    return certificate;
}

void use(SSL_CTX* context, const identity& server) {
    const auto chain = over(server.certificate_pem);
    auto* certificate = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr);
    if (certificate == nullptr) refuse("not a certificate");
    SSL_CTX_use_certificate(context, certificate);
    X509_free(certificate);
    while (auto* further = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
        SSL_CTX_add_extra_chain_cert(context, further);
    }
    ERR_clear_error();
    auto* key = PEM_read_bio_PrivateKey(over(server.key_pem).get(), nullptr, nullptr, nullptr);
    if (key == nullptr) refuse("not a private key");
    SSL_CTX_use_PrivateKey(context, key);
    EVP_PKEY_free(key);
}

int choose(SSL*,
           const unsigned char** chosen,
           unsigned char* size,
           const unsigned char*,
           unsigned int,
           void* name) {
    const auto* protocol = static_cast<const std::string*>(name);
    *chosen = reinterpret_cast<const unsigned char*>(protocol->data());
    *size = static_cast<unsigned char>(protocol->size());
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

tls_server::tls_server(const identity& server)
    : context_(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free) {
    ERR_clear_error();
    use(context_.get(), server);
    constexpr unsigned char name[] = "scripted";
    SSL_CTX_set_session_id_context(context_.get(), name, sizeof name - 1);
}

tls_server& tls_server::client_authority(const std::string& pem) {
    auto* authority = read_certificate(pem);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority);
    SSL_CTX_add_client_CA(context_.get(), authority);
    X509_free(authority);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return *this;
}

tls_server& tls_server::only(int version) {
    // Versions below 1.2 are not to be had at a higher level of security.
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    return *this;
}

tls_server& tls_server::protocol(std::string name) {
    protocol_ = std::make_shared<const std::string>(std::move(name));
    SSL_CTX_set_alpn_select_cb(context_.get(), &choose, const_cast<std::string*>(protocol_.get()));
    return *this;
}

}  // namespace asio_retry::test
