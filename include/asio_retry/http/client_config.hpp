// What a client is made with: default policy, TLS, pool limits, and how servers are reached.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_CLIENT_CONFIG_HPP
#define ASIO_RETRY_HTTP_CLIENT_CONFIG_HPP

#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/http/proxy.hpp>
#include <asio_retry/version.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::http {

/// Whether a server's certificate and name are checked.
enum class verification : std::uint8_t { on, off };

/// Whether the authorities that the system trusts are trusted.
enum class system_trust : std::uint8_t {
    unless_told,  ///< where the options name no authority themselves
    always,       ///< beside those that the options name
    never
};

/// Whom a client trusts, and how it identifies itself. TLS 1.2 or later is spoken in any case.
/** Files are read, once, when the first https connection is made; what cannot be used then is
    `error::tls_options`, or OpenSSL's own error where there is one. Setters chain. */
class tls_options {
public:
    tls_options() = default;

    /// Default on. Off lets anybody in the middle read and change everything.
    tls_options& verify(verification v) noexcept {
        verification_ = v;
        return *this;
    }
    verification verify() const noexcept { return verification_; }

    /// A PEM file of authorities to trust. Default none.
    tls_options& ca_file(std::string path) {
        ca_file_ = std::move(path);
        return *this;
    }
    const std::string& ca_file() const noexcept { return ca_file_; }

    /// A directory of authorities, by hash (see `openssl rehash`), looked up as needed. Default
    /// none.
    tls_options& ca_directory(std::string path) {
        ca_directory_ = std::move(path);
        return *this;
    }
    const std::string& ca_directory() const noexcept { return ca_directory_; }

    /// Authorities to trust, as PEM text. Default none.
    tls_options& ca_pem(std::string text) {
        ca_pem_ = std::move(text);
        return *this;
    }
    const std::string& ca_pem() const noexcept { return ca_pem_; }

    /// Default `unless_told`. The system's are in OpenSSL's default directory; SSL_CERT_DIR and
    /// SSL_CERT_FILE name others.
    tls_options& trust_system(system_trust t) noexcept {
        system_trust_ = t;
        return *this;
    }
    system_trust trust_system() const noexcept { return system_trust_; }

    /// A certificate chain and its key, PEM files, for servers that ask for one. Default none.
    tls_options& client_certificate(std::string chain_file, std::string key_file) {
        certificate_file_ = std::move(chain_file);
        key_file_ = std::move(key_file);
        return *this;
    }
    const std::string& certificate_file() const noexcept { return certificate_file_; }
    const std::string& key_file() const noexcept { return key_file_; }

    friend bool operator==(const tls_options&, const tls_options&) = default;

private:
    std::string ca_file_;
    std::string ca_directory_;
    std::string ca_pem_;
    std::string certificate_file_;
    std::string key_file_;
    verification verification_ = verification::on;
    system_trust system_trust_ = system_trust::unless_told;
};

namespace detail {

inline std::chrono::nanoseconds not_negative(const char* what, std::chrono::nanoseconds d) {
    if (d.count() < 0) throw std::invalid_argument(std::string(what) + ": is negative");
    return d;
}

}  // namespace detail

/// How many connections a client keeps, and for how long.
/** A call that finds every place taken waits in order of arrival, within its timeouts. Idle
    connections are closed as later calls come by: no timer runs for them. Setters chain. */
class pool_limits {
public:
    pool_limits() = default;

    /// Open connections to one scheme, host and port. At least 1; default 64.
    pool_limits& per_origin(std::size_t n) {
        if (n == 0) throw std::invalid_argument("per_origin: must be at least 1");
        per_origin_ = n;
        return *this;
    }
    std::size_t per_origin() const noexcept { return per_origin_; }

    /// Open connections in all. At least 1; default 512.
    pool_limits& total(std::size_t n) {
        if (n == 0) throw std::invalid_argument("total: must be at least 1");
        total_ = n;
        return *this;
    }
    std::size_t total() const noexcept { return total_; }

    /// How long a connection may be idle and still be used. 0 or more; default 30 s; 0 keeps none.
    template <typename Rep, typename Period>
    pool_limits& idle_timeout(std::chrono::duration<Rep, Period> d) {
        idle_timeout_ =
            detail::not_negative("idle_timeout", asio_retry::detail::saturating_cast(d));
        return *this;
    }
    std::chrono::nanoseconds idle_timeout() const noexcept { return idle_timeout_; }

    /// How old a connection may be to serve another request. 0 or more; default 5 minutes.
    /** Servers behind one name change; old connections would never notice. */
    template <typename Rep, typename Period>
    pool_limits& lifetime(std::chrono::duration<Rep, Period> d) {
        lifetime_ = detail::not_negative("lifetime", asio_retry::detail::saturating_cast(d));
        return *this;
    }
    std::chrono::nanoseconds lifetime() const noexcept { return lifetime_; }

    friend bool operator==(const pool_limits&, const pool_limits&) = default;

private:
    std::size_t per_origin_ = 64;
    std::size_t total_ = 512;
    std::chrono::nanoseconds idle_timeout_ = std::chrono::seconds(30);
    std::chrono::nanoseconds lifetime_ = std::chrono::minutes(5);
};

/// An address that stands in for a lookup of a host and port.
class fixed_address {
public:
    fixed_address(std::string host, std::uint16_t port, std::string address)
        : host_(std::move(host)), address_(std::move(address)), port_(port) {}

    const std::string& host() const noexcept { return host_; }
    std::uint16_t port() const noexcept { return port_; }
    const std::string& address() const noexcept { return address_; }

    friend bool operator==(const fixed_address&, const fixed_address&) = default;

private:
    std::string host_;
    std::string address_;
    std::uint16_t port_;
};

/// A Unix domain socket that stands in for a host and port; for all of them if the host is empty.
class socket_path {
public:
    socket_path(std::string host, std::uint16_t port, std::string path)
        : host_(std::move(host)), path_(std::move(path)), port_(port) {}

    const std::string& host() const noexcept { return host_; }
    std::uint16_t port() const noexcept { return port_; }
    const std::string& path() const noexcept { return path_; }

    friend bool operator==(const socket_path&, const socket_path&) = default;

private:
    std::string host_;
    std::string path_;
    std::uint16_t port_;
};

/// Whether a redirect may lead from https to http, where everybody on the way can read and change
/// what is sent.
enum class insecure_redirects : std::uint8_t { refused, followed };

class endpoint_registry;

/// What a client is made with. A value; setters chain.
class client_config {
public:
    client_config() = default;

    /// For calls that are not given a policy of their own. Not used with `endpoints`.
    client_config& policy(fetch_policy p) {
        policy_ = std::move(p);
        return *this;
    }
    const fetch_policy& policy() const noexcept { return policy_; }

    /// Where calls look up their endpoint: its policy, and the guards that its calls share. Several
    /// clients may share one registry, which may be given a new table at any time.
    /** Default null: all requests then belong to one endpoint with `policy`, and with a retry
        budget of its default options for each origin. */
    client_config& endpoints(std::shared_ptr<endpoint_registry> r) {
        endpoints_ = std::move(r);
        return *this;
    }
    const std::shared_ptr<endpoint_registry>& endpoints() const noexcept { return endpoints_; }

    client_config& tls(tls_options o) {
        tls_ = std::move(o);
        return *this;
    }
    const tls_options& tls() const noexcept { return tls_; }

    client_config& pool(pool_limits l) noexcept {
        pool_ = l;
        return *this;
    }
    const pool_limits& pool() const noexcept { return pool_; }

    /// Connects to `address` where a URL says `host` and `port`, without a lookup.
    /** Name and certificate checks stay those of the host. Several addresses of one host are tried
        in order. `address` is numeric, IPv6 with or without brackets; host in lower case.
        @throws std::invalid_argument if the address is not numeric, or something is empty. */
    client_config& resolve(std::string host, std::uint16_t port, std::string address);
    const std::vector<fixed_address>& resolve() const noexcept { return addresses_; }

    /// How long the addresses that a lookup found are used. 0 or more; default 30 s; 0 has each new
    /// connection look its name up.
    /** Counted from the start of the lookup. At most 1024 names are kept. Failures are not, nor are
        addresses none of which could be connected to. Whatever is set here, an address where an
        attempt has failed is tried after the others of its name for 30 s. */
    template <typename Rep, typename Period>
    client_config& name_cache(std::chrono::duration<Rep, Period> d) {
        name_cache_ = detail::not_negative("name_cache", asio_retry::detail::saturating_cast(d));
        return *this;
    }
    std::chrono::nanoseconds name_cache() const noexcept { return name_cache_; }

    /// Reaches servers through a proxy. Default none; the environment is not looked at, but see
    /// `proxies_from_environment`.
    client_config& proxies(http::proxies p) {
        proxies_ = std::move(p);
        return *this;
    }
    /// The same one for http and for https URLs.
    client_config& proxy(const http::proxy& p) { return proxies(http::proxies(p)); }
    const http::proxies& proxies() const noexcept { return proxies_; }

    /// Connects to this Unix domain socket, whatever host and port a URL says.
    /** Neither a lookup nor a proxy is used then; Host field and certificate checks stay those of
        the URL. A path that leads nowhere is the system's error, of kind permanent; nobody
        listening there is connection_refused.
        @throws std::invalid_argument if it is empty, holds a NUL or is longer than 107 bytes. */
    client_config& unix_socket(std::string path) { return unix_socket({}, 0, std::move(path)); }
    /// Only where a URL says `host` and `port`; host in lower case. Comes before the one for all.
    client_config& unix_socket(std::string host, std::uint16_t port, std::string path);
    const std::vector<socket_path>& unix_socket() const noexcept { return socket_paths_; }

    /// Default refused: `error::insecure_redirect`. Only where redirects are followed at all
    /// (`fetch_policy::max_redirects`).
    client_config& insecure_redirects(http::insecure_redirects i) noexcept {
        insecure_redirects_ = i;
        return *this;
    }
    http::insecure_redirects insecure_redirects() const noexcept { return insecure_redirects_; }

    /// The User-Agent of requests that have none of their own; empty sends none.
    client_config& user_agent(std::string text) {
        user_agent_ = std::move(text);
        return *this;
    }
    const std::string& user_agent() const noexcept { return user_agent_; }

private:
    fetch_policy policy_;
    std::shared_ptr<endpoint_registry> endpoints_;
    tls_options tls_;
    pool_limits pool_;
    std::vector<fixed_address> addresses_;
    http::proxies proxies_;
    std::vector<socket_path> socket_paths_;
    http::insecure_redirects insecure_redirects_ = http::insecure_redirects::refused;
    std::chrono::nanoseconds name_cache_ = std::chrono::seconds(30);
    std::string user_agent_ = "asio-retry/" ASIO_RETRY_VERSION_STRING;
};

}  // namespace asio_retry::http

#endif
