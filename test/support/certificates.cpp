// Certificates by OpenSSL's X.509 API: P-256 keys, so that each takes well under a millisecond.
#include "certificates.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace asio_retry::test {
namespace {

template <auto Free>
struct free_with {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};
using key_ptr = std::unique_ptr<EVP_PKEY, free_with<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, free_with<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, free_with<BIO_free_all>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, free_with<X509_EXTENSION_free>>;

void require(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("certificates: cannot ") + what);
}

key_ptr make_key() {
    key_ptr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
    require(key != nullptr, "make a key");
    return key;
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<std::size_t>(size));
}

std::string to_pem(X509* certificate) {
    bio_ptr bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(bio.get(), certificate) == 1, "write a certificate");
    return text_of(bio.get());
}

std::string to_pem(EVP_PKEY* key) {
    bio_ptr bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
            "write a key");
    return text_of(bio.get());
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    extension_ptr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    require(extension != nullptr, "make an extension");
    require(X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension");
}

certificate_ptr make_certificate(EVP_PKEY* key,
                                 const std::string& common_name,
                                 std::chrono::seconds from,
                                 std::chrono::seconds until) {
    certificate_ptr certificate(X509_new());
    require(certificate != nullptr, "make a certificate");
    X509_set_version(certificate.get(), X509_VERSION_3);
    std::uint32_t serial = 0;
    require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "draw");
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), std::uint64_t{serial} + 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), static_cast<long>(from.count()));
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(until.count()));
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()),
                               "CN",
                               MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.c_str()),
                               -1,
                               -1,
                               0);
    require(X509_set_pubkey(certificate.get(), key) == 1, "set a key");
    return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    require(X509_sign(certificate, key, EVP_sha256()) != 0, "sign a certificate");
}

}  // namespace

struct certificate_authority::keys {
    key_ptr key;
    certificate_ptr certificate;
};

/// Turns a request into a certificate that still has to be signed.
class certificate_maker {
public:
    explicit certificate_maker(const certificate_request& request)
        : request_(request),
          made_(make_certificate(key_.get(), subject(), request.from_, request.until_)) {}

    /// Null for issuer: it signs itself.
    identity sign_with(X509* issuer, EVP_PKEY* key) {
        X509* const signer = issuer == nullptr ? made_.get() : issuer;
        add_extension(made_.get(), signer, NID_basic_constraints, "critical,CA:FALSE");
        add_extension(made_.get(), signer, NID_ext_key_usage, request_.usage_);
        std::string names;
        for (const auto& name : request_.alternative_names_) {
            names += (names.empty() ? "" : ",") + name;
        }
        if (!names.empty()) add_extension(made_.get(), signer, NID_subject_alt_name, names);
        sign(made_.get(), signer, key == nullptr ? key_.get() : key);
        return identity{to_pem(made_.get()), to_pem(key_.get())};
    }

private:
    std::string subject() const {
        if (!request_.common_name_.empty()) return request_.common_name_;
        if (request_.alternative_names_.empty()) return "nameless";
        const std::string& first = request_.alternative_names_.front();
        return first.substr(first.find(':') + 1);
    }

    const certificate_request& request_;
    key_ptr key_ = make_key();
    certificate_ptr made_;
};

certificate_request& certificate_request::dns(std::string name) {
    alternative_names_.push_back("DNS:" + std::move(name));
    return *this;
}

certificate_request& certificate_request::ip(std::string address) {
    alternative_names_.push_back("IP:" + std::move(address));
    return *this;
}

certificate_request& certificate_request::common_name(std::string name) {
    common_name_ = std::move(name);
    return *this;
}

certificate_request& certificate_request::valid(std::chrono::seconds from,
                                                std::chrono::seconds until) {
    from_ = from;
    until_ = until;
    return *this;
}

certificate_request& certificate_request::expired() {
    return valid(std::chrono::hours(-48), std::chrono::hours(-1));
}

certificate_request& certificate_request::not_yet_valid() {
    return valid(std::chrono::hours(24), std::chrono::hours(48));
}

certificate_request& certificate_request::for_clients() {
    usage_ = "clientAuth";
    return *this;
}

namespace {

/// Older than any certificate of ours, so that expiry is always the server's own.
certificate_ptr make_authority(EVP_PKEY* key, const std::string& name) {
    return make_certificate(key, name, std::chrono::hours(-24 * 365), std::chrono::hours(24 * 365));
}

void sign_authority(X509* made, X509* issuer, EVP_PKEY* key, const std::string& constraints) {
    add_extension(made, issuer, NID_basic_constraints, constraints);
    add_extension(made, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(made, issuer, NID_subject_key_identifier, "hash");
    sign(made, issuer, key);
}

}  // namespace

certificate_authority::certificate_authority(const std::string& name) {
    auto made = std::make_shared<keys>();
    made->key = make_key();
    made->certificate = make_authority(made->key.get(), name);
    auto* const self = made->certificate.get();
    sign_authority(self, self, made->key.get(), "critical,CA:TRUE");
    pem_ = to_pem(self);
    keys_ = std::move(made);
}

certificate_authority certificate_authority::below(const std::string& name,
                                                   const std::string& constraints) const {
    certificate_authority result = *this;
    auto made = std::make_shared<keys>();
    made->key = make_key();
    made->certificate = make_authority(made->key.get(), name);
    auto* const self = made->certificate.get();
    sign_authority(self, keys_->certificate.get(), keys_->key.get(), constraints);
    result.pem_ = to_pem(self);
    result.sent_along_ = result.pem_ + sent_along_;
    result.keys_ = std::move(made);
    return result;
}

identity certificate_authority::issue(const certificate_request& request) const {
    certificate_maker maker(request);
    identity made = maker.sign_with(keys_->certificate.get(), keys_->key.get());
    made.certificate_pem += sent_along_;
    return made;
}

identity self_signed(const certificate_request& request) {
    return certificate_maker(request).sign_with(nullptr, nullptr);
}

certificate_request for_loopback() {
    certificate_request request;
    request.dns("localhost").ip("127.0.0.1").ip("::1");
    return request;
}

temporary_directory::temporary_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "asio_retry_XXXXXX").string();
    require(::mkdtemp(pattern.data()) != nullptr, "make a temporary directory");
    path_ = pattern;
}

temporary_directory::~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string temporary_directory::write(std::string_view name, std::string_view contents) const {
    const auto file = path_ / name;
    std::ofstream out(file, std::ios::binary);
    out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
    out.close();
    require(out.good(), "write a file");
    return file.string();
}

}  // namespace asio_retry::test
