// What follows a redirection: the next request, or why there is none.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_REDIRECT_HPP
#define ASIO_RETRY_SRC_HTTP_REDIRECT_HPP

#include "http/target.hpp"
#include <asio_retry/error.hpp>
#include <asio_retry/http/client_config.hpp>
#include <asio_retry/http/request.hpp>

#include <optional>
#include <utility>

namespace asio_retry::http::detail {

/// Where a response leads.
class hop {
public:
    /// Nowhere: the response is the final one.
    hop() = default;
    /// Where this client does not go.
    explicit hop(error_code why) noexcept : error(why) {}
    /// To another request.
    explicit hop(request r) : next(std::move(r)) {}

    std::optional<request> next;
    error_code error;
};

/// The hop that follows the response to `current`, which was sent to `at` (RFC 9110 15.4).
/** Only 301, 302, 303, 307 and 308 with a Location lead anywhere. 303 turns every method but HEAD
    into GET, 301 and 302 turn POST into GET; the body goes then, and with it the fields that
    describe it and the idempotency key. Credentials do not follow to another origin, and none are
    taken from Location. The next URL has no fragment.
    Errors: `invalid_redirect` if Location is malformed, there several times, or neither http nor
    https; `insecure_redirect` from https to http, unless that is to be followed. */
hop next_hop(const request& current,
             const target& at,
             unsigned status,
             const request::fields& headers,
             insecure_redirects insecure = insecure_redirects::refused);

}  // namespace asio_retry::http::detail

#endif
