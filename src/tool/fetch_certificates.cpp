// SPDX-License-Identifier: BSL-1.0
#include <http/tls.hpp>
#include <tool/fetch_certificates.hpp>
#include <tool/usage_error.hpp>

#include <string>

namespace asio_retry::tool {

namespace {

bool is_usable(const http::tls_options& tls) {
    error_code error;
    return http::detail::tls_context(tls).get(error) != nullptr;
}

}  // namespace

void check_certificates(http::client& client, const fetch_options& options) {
    const auto& authorities = options.ca_file;
    const auto& certificate = options.certificate_file;
    if (authorities.empty() && certificate.empty()) return;
    const error_code error = client.prepare_tls();
    if (!error) return;
    const bool has_authorities =
        authorities.empty() || is_usable(http::tls_options().ca_file(authorities));
    throw usage_error((has_authorities ? "--cert: '" + certificate : "--cacert: '" + authorities) +
                      "' cannot be used: " + error.message());
}

}  // namespace asio_retry::tool
