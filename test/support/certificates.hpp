// Certificates made while the tests run: authorities, servers good and bad, all in memory.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::test {

/// A certificate, what a server sends along to prove it, and its private key, all PEM text.
struct identity {
    std::string certificate_pem;
    std::string key_pem;
};

/// What a certificate is to say; the setters chain.
/** By default it is valid from an hour ago until tomorrow, and names nothing. */
class certificate_request {
public:
    certificate_request() = default;

    /// Adds a DNS name, say "localhost"; the first name is the common name as well.
    certificate_request& dns(std::string name);
    /// Adds an IP address, say "127.0.0.1".
    certificate_request& ip(std::string address);
    /// The common name, where it is to differ from the first name.
    certificate_request& common_name(std::string name);
    /// The validity, seconds from now; negative is the past.
    certificate_request& valid(std::chrono::seconds from, std::chrono::seconds until);
    /// Valid until an hour ago.
    certificate_request& expired();
    /// Valid from tomorrow.
    certificate_request& not_yet_valid();
    /// Good for a client to show, and not for a server; otherwise it is good for both.
    certificate_request& for_clients();

private:
    friend class certificate_authority;
    friend class certificate_maker;

    std::vector<std::string> alternative_names_;  // "DNS:localhost", "IP:127.0.0.1"
    std::string common_name_;
    std::chrono::seconds from_{-3600};
    std::chrono::seconds until_{24 * 3600};
    std::string usage_ = "serverAuth,clientAuth";
};

/// An authority that a test trusts, or does not.
class certificate_authority {
public:
    explicit certificate_authority(const std::string& name = "asio-retry test authority");

    /// Makes a key and a certificate that this authority signs; with it come those of the
    /// authorities between this one and the root.
    identity issue(const certificate_request& request) const;
    /// An authority that this one vouches for, with OpenSSL's text of its basic constraints, which
    /// may say that it is none.
    certificate_authority below(const std::string& name,
                                const std::string& constraints = "critical,CA:TRUE") const;
    /// The certificate that a client has to trust.
    const std::string& certificate_pem() const { return pem_; }

private:
    struct keys;
    std::shared_ptr<const keys> keys_;
    std::string pem_;
    std::string sent_along_;
};

/// A certificate signed by its own key, trusted by nobody.
identity self_signed(const certificate_request& request);

/// Good for localhost, 127.0.0.1 and ::1.
certificate_request for_loopback();

/// A directory of its own, gone with the object.
class temporary_directory {
public:
    temporary_directory();
    ~temporary_directory();
    temporary_directory(const temporary_directory&) = delete;
    temporary_directory& operator=(const temporary_directory&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// Writes a file and returns its full path.
    std::string write(std::string_view name, std::string_view contents) const;

private:
    std::filesystem::path path_;
};

}  // namespace asio_retry::test
