// Retry-After and the three forms of an HTTP date (RFC 9110 5.6.7 and 10.2.3).
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_RETRY_AFTER_HPP
#define ASIO_RETRY_HTTP_RETRY_AFTER_HPP

#include <boost/beast/http/fields.hpp>

#include <chrono>
#include <optional>
#include <string_view>

namespace asio_retry::http {

/// How long the peer asks to wait, counted from `now`; nothing if it does not ask.
/** Of several Retry-After fields the longest counts. What is malformed or negative is ignored,
    a date in the past is zero, and what exceeds the range is its end. */
std::optional<std::chrono::nanoseconds> retry_after(const boost::beast::http::fields& fields,
                                                    std::chrono::system_clock::time_point now);

/// The same of one field value: delay-seconds or a date.
std::optional<std::chrono::nanoseconds> parse_retry_after(
    std::string_view value, std::chrono::system_clock::time_point now) noexcept;

/// The time of an HTTP date, in exactly one of the forms that RFC 9110 5.6.7 allows; GMT only.
/**     Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate
        Sunday, 06-Nov-94 08:49:37 GMT    RFC 850: a year that would be more than 50 years after
                                          `now` is the latest past one with the same two digits
        Sun Nov  6 08:49:37 1994          asctime

    The day of the week must be a name, and need not be the right one. A leap second, 23:59:60
    and no other, is the second after it. A date beyond the clock's range is its nearest end. */
std::optional<std::chrono::system_clock::time_point> parse_http_date(
    std::string_view text, std::chrono::system_clock::time_point now) noexcept;

}  // namespace asio_retry::http

#endif
