// The errors of HTTP: what is wrong with a request, a response or a connection.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_ERROR_HPP
#define ASIO_RETRY_HTTP_ERROR_HPP

#include <asio_retry/error.hpp>

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <string>
#include <type_traits>

namespace asio_retry::http {

/// What HTTP adds to the errors of sockets, name lookups and TLS, which are passed on as they come.
enum class error {
    // Of the request; nothing has been sent.
    invalid_url = 1,      ///< not an absolute URL, or its host, port or path is malformed
    unsupported_scheme,   ///< neither http nor https
    invalid_method,       ///< the method is not a token
    invalid_header,       ///< a header that no request can carry: CR, LF or NUL in it, say
    forbidden_header,     ///< a header that is the client's own business (Content-Length, ...)
    body_length,          ///< the body ended before the length that was given for it
    body_not_replayable,  ///< the body cannot be read again, to follow a redirect say

    // Of the connection.
    connect_timeout,  ///< `fetch_policy::connect_timeout` passed. Equivalent to `timed_out`.
    no_response,      ///< it ended before a byte of the response. Equivalent to `connection_reset`.
    incomplete_response,  ///< it ended inside the response. Equivalent to `connection_reset`.
    tls_options,          ///< a file or a text of `tls_options` could not be used
    unexpected_protocol,  ///< the server does not take http/1.1 (ALPN)

    // Of a proxy, on the way to an https URL; nothing has been sent to the server.
    proxy_authentication,  ///< 407: it wants credentials, or others
    proxy_refused,         ///< it will not open this tunnel, and says so by another status
    proxy_unavailable,     ///< 429 or 5xx: it cannot just now. Equivalent to `host_unreachable`.
    proxy_closed,          ///< it closed before it had answered. Equivalent to `connection_reset`.
    malformed_proxy_response,  ///< not HTTP/1.x, too long, or more than its header

    // Of the response.
    malformed_response,      ///< not HTTP/1.x, or ambiguous as to where it ends
    header_too_large,        ///< above `fetch_policy::max_header_size`
    body_too_large,          ///< above `fetch_policy::max_body_size`
    too_many_informational,  ///< more 1xx responses than anybody needs
    unexpected_upgrade,      ///< 101, which nobody asked for

    // Of redirects.
    too_many_redirects,  ///< more than `fetch_policy::max_redirects` in a row
    insecure_redirect,   ///< from https to http
    invalid_redirect,    ///< Location is malformed, or neither http nor https

    // Of a response's coding.
    unsupported_encoding,  ///< Content-Encoding names a coding that is not known, or too many
    malformed_encoding,    ///< the body is not what Content-Encoding says
    incomplete_encoding,   ///< the body ends before its coding does
    excessive_expansion,   ///< the body unpacks to far more than was sent

    // Of a download.
    target_busy,      ///< another download writes to the same file
    wrong_range,      ///< it was not the rest that was asked for. Equivalent to `connection_reset`.
    unasked_range,    ///< a part came, or is wanted, where the whole is to come
    digest_mismatch,  ///< the bytes are not those that the server gave the digest of
    no_digest         ///< a digest is required, and none that is known was sent
};

namespace detail {

class error_category_type final : public boost::system::error_category {
public:
    constexpr error_category_type() noexcept : error_category(0x8c1f3d0a77e2b945ULL) {}

    const char* name() const noexcept override { return "asio_retry.http"; }

    std::string message(int value) const override { return text(value); }

    const char* message(int value, char*, std::size_t) const noexcept override {
        return text(value);
    }

    boost::system::error_condition default_error_condition(int value) const noexcept override {
        namespace errc = boost::system::errc;
        switch (static_cast<error>(value)) {
            case error::connect_timeout: return errc::make_error_condition(errc::timed_out);
            case error::proxy_unavailable:
                return errc::make_error_condition(errc::host_unreachable);
            case error::no_response:
            case error::incomplete_response:
            case error::wrong_range:
            case error::proxy_closed: return errc::make_error_condition(errc::connection_reset);
            default: return {value, *this};
        }
    }

private:
    static const char* text(int value) noexcept {
        switch (static_cast<error>(value)) {
            case error::invalid_url: return "the URL is malformed";
            case error::unsupported_scheme: return "the URL is neither http nor https";
            case error::invalid_method: return "the request method is not a token";
            case error::invalid_header:
                return "a request header is malformed (a control character in it?)";
            case error::forbidden_header:
                return "a request header is one that the client itself has to set";
            case error::body_length: return "the request body ended before its length";
            case error::body_not_replayable:
                return "the request body has been read and cannot be read again";
            case error::connect_timeout: return "connecting took longer than the connect timeout";
            case error::no_response: return "the connection ended before a response came";
            case error::incomplete_response:
                return "the connection ended before the response was whole";
            case error::tls_options: return "a certificate or key of the TLS options is unusable";
            case error::unexpected_protocol: return "the server does not speak HTTP/1.1";
            case error::proxy_authentication: return "the proxy asks for credentials (407)";
            case error::proxy_refused: return "the proxy refuses to open a tunnel";
            case error::proxy_unavailable: return "the proxy cannot open a tunnel now (429 or 5xx)";
            case error::proxy_closed: return "the proxy closed the connection without an answer";
            case error::malformed_proxy_response: return "the response of the proxy is malformed";
            case error::malformed_response: return "the response is malformed";
            case error::header_too_large: return "the response header is larger than allowed";
            case error::body_too_large: return "the response body is larger than allowed";
            case error::too_many_informational: return "too many informational responses";
            case error::unexpected_upgrade: return "the server switched protocols unasked";
            case error::too_many_redirects: return "too many redirects";
            case error::insecure_redirect: return "redirected from https to http";
            case error::invalid_redirect: return "redirected to an invalid URL";
            case error::unsupported_encoding:
                return "the response body is in a coding that is not known";
            case error::malformed_encoding: return "the coding of the response body is malformed";
            case error::incomplete_encoding: return "the coded response body is cut short";
            case error::excessive_expansion:
                return "the response body unpacks to far more than was sent";
            case error::target_busy: return "another download writes to the same file";
            case error::wrong_range: return "the response is not the rest that was asked for";
            case error::unasked_range:
                return "a part of the file came or was asked for, not the whole";
            case error::digest_mismatch:
                return "the body does not have the digest that came with it";
            case error::no_digest: return "the response has no digest that is known";
        }
        return "unknown asio_retry.http error";
    }
};

inline constexpr error_category_type error_category_instance{};

}  // namespace detail

/// The category of `http::error`.
inline const boost::system::error_category& error_category() noexcept {
    return detail::error_category_instance;
}

inline error_code make_error_code(error e) noexcept {
    return {static_cast<int>(e), error_category()};
}

/// The category of refused certificates; its values are OpenSSL's `X509_V_ERR_...`.
/** A handshake that fails over the peer's certificate completes with one of these, so that the
    message says which of its faults it was: "certificate refused: certificate has expired".

    By default a handshake that fails is, nothing of the request having been sent,
    - permanent, when the certificate is refused (an error of this category);
    - permanent, when the peer sends a fatal alert, whichever it is, or something that is not TLS
      (an error of OpenSSL's, say "tlsv1 alert protocol version"): it will again;
    - connection_lost, when the peer closes or resets the connection, at whatever point;
    - timeout, when nothing comes before `fetch_policy::connect_timeout` (`error::connect_timeout`)
      or before the attempt's timeout. */
const boost::system::error_category& certificate_category() noexcept;

}  // namespace asio_retry::http

template <>
struct boost::system::is_error_code_enum<asio_retry::http::error> : std::true_type {};

#endif
