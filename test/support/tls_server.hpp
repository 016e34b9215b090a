// How a server shakes hands: its certificate, the versions and protocols it knows, its tickets.
#pragma once

#include "certificates.hpp"

#include <openssl/types.h>

#include <memory>
#include <string>

namespace asio_retry::test {

/// Copies share what they were made of, so that a session of one is resumed by the other.
class tls_server {
public:
    /// With anything that OpenSSL takes by default, and no protocol chosen.
    tls_server(const identity& server);

    /// Demands a certificate of this authority from the client.
    tls_server& client_authority(const std::string& pem);
    /// Speaks this version and no other: TLS1_2_VERSION, say.
    tls_server& only(int version);
    /// Chooses this protocol, whatever was offered (ALPN).
    tls_server& protocol(std::string name);

    SSL_CTX* context() const { return context_.get(); }

private:
    std::shared_ptr<SSL_CTX> context_;
    std::shared_ptr<const std::string> protocol_;
};

}  // namespace asio_retry::test
