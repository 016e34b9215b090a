// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/http/error.hpp>

#include <openssl/x509_vfy.h>

namespace asio_retry::http {

namespace {

class certificate_category_type final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "asio_retry.certificate"; }

    std::string message(int value) const override {
        return std::string("certificate refused: ") + X509_verify_cert_error_string(value);
    }
};

}  // namespace

const boost::system::error_category& certificate_category() noexcept {
    static const certificate_category_type instance;
    return instance;
}

}  // namespace asio_retry::http
