// What a server tells of its rate limit before it says no: RateLimit and X-RateLimit fields.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_RATE_LIMIT_HPP
#define ASIO_RETRY_HTTP_RATE_LIMIT_HPP

#include <asio_retry/pacer.hpp>

#include <boost/beast/http/fields.hpp>

#include <chrono>
#include <optional>

namespace asio_retry::http {

/// The quota that binds most, of those that a response tells of; nothing if it tells of none.
/** Of three families of fields the first that can be read counts:

        RateLimit: "default";r=50;t=30              draft-ietf-httpapi-ratelimit-headers-08 and
        later, RateLimit-Policy: "default";q=100;w=60      with the window where `t` is missing
        RateLimit: limit=100, remaining=50, reset=30                  -07
        RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset         -06 and before
        X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset   common use

    X-RateLimit-Reset is a number of seconds from now or, from 1,000,000,000 on, seconds since 1970,
    or, from 1,000,000,000,000 on, milliseconds since then; it may have decimals. `now` is the time
    of the response. A field that is malformed, negative or incomplete is ignored as a whole; a
    quota whose reset has passed says nothing. */
std::optional<quota_signal> rate_limit(const boost::beast::http::fields& fields,
                                       std::chrono::system_clock::time_point now);

}  // namespace asio_retry::http

#endif
