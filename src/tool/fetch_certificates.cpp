// SPDX-License-Identifier: BSL-1.0
#include <http/tls.hpp>
#include <tool/fetch_certificates.hpp>
#include <tool/usage_error.hpp>

#include <string>

namespace asio_retry::tool {

namespace {

void check(const std::string& option, const std::string& file, const http::tls_options& tls) {
    error_code error;
    http::detail::tls_context context(tls);
    if (context.get(error) == nullptr) {
        throw usage_error(option + ": '" + file + "' cannot be used: " + error.message());
    }
}

}  // namespace

void check_certificates(const fetch_options& options) {
    if (!options.ca_file.empty()) {
        check("--cacert", options.ca_file, http::tls_options().ca_file(options.ca_file));
    }
    if (!options.certificate_file.empty()) {
        check("--cert",
              options.certificate_file,
              http::tls_options().client_certificate(options.certificate_file, options.key_file));
    }
}

}  // namespace asio_retry::tool
