// A request as bytes, and the check that makes it safe to turn it into them.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_WIRE_HPP
#define ASIO_RETRY_SRC_HTTP_WIRE_HPP

#include "http/target.hpp"
#include <asio_retry/error.hpp>
#include <asio_retry/http/request.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

/// A request ready to be written.
class wire_request {
public:
    wire_request() = default;

    /// The head, then the body.
    std::string bytes;
    /// How many of the bytes are the head, its empty line included.
    std::size_t head_size = 0;

    /// Puts this field at the end of the head, in the place of the one that was last put there.
    /** Moves the body along, which is cheaper than to keep the two apart on every write. */
    void last_field(std::string_view name, std::string_view value);

private:
    std::size_t last_field_size_ = 0;
};

/// token (RFC 9110 5.6.2): what a method and the name of a header field have to be.
bool is_token(std::string_view text) noexcept;

/// What a field value may hold (RFC 9110 5.5): no control characters but the tab, so no CR, LF,
/// NUL.
bool is_field_value(std::string_view text) noexcept;

/// Whether a field describes the connection or the message's own framing, in any case of letters.
bool is_forbidden(std::string_view name) noexcept;

/// What keeps a request from being sent, its URL apart; no error if nothing does.
/** `error::invalid_method` if the method is not a token, or CONNECT, which makes no request.
    `error::invalid_header` if a name is not a token or a value holds a control character, the
    idempotency key included. `error::forbidden_header` for what describes the connection or the
    message's own framing, which a caller could only get wrong (RFC 9112 6, RFC 9110 7.6.1):
    Connection, Content-Length, Host, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding,
    Upgrade. Another name to be reached under an address is the client's `resolve` option. */
error_code check_request(const request& r) noexcept;

/// What the head says of bodies: of one that is not among the bytes, and of the response's.
class body_notice {
public:
    body_notice() = default;

    /// Of a body that comes from a source; nothing if it is sent in chunks.
    std::optional<std::uint64_t> length;
    bool expects_continue = false;
    bool accepts_codings = false;
};

/// The bytes of a request that `check_request` found nothing wrong with.
/** User-Agent, Accept-Encoding, Idempotency-Key and the Authorization of the URL's credentials are
    added where they are not empty and the request has no such field of its own. Content-Length is
    there if there is a body, and is 0 for the methods that are expected to have one (RFC 9110 8.6).
    To a proxy the whole URL is sent, and its Proxy-Authorization; through a tunnel that field never
    is. Of a request with a source they are the head only. What `room` holds is lost, its
    memory used.
    Precondition: `is_field_value` of the user agent and the key. */
wire_request serialize(const request& r,
                       const target& to,
                       std::string_view user_agent,
                       std::string_view idempotency_key,
                       const body_notice& notice = body_notice(),
                       std::string room = std::string());

}  // namespace asio_retry::http::detail

#endif
