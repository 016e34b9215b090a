// The strong validator of a representation: what a resumed download is conditional on.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_VALIDATOR_HPP
#define ASIO_RETRY_SRC_HTTP_VALIDATOR_HPP

#include <boost/beast/http/fields.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

/// The value for If-Range: the entity tag, or the Last-Modified; empty if neither is strong.
/** By RFC 9110 13.1.5. A weak entity tag is none, and rules out the date as well; so does one that
    is malformed or there twice. A date is strong (8.8.2.2) if it lies at least a minute before
    Date: the second that suffices on a single clock says little where several servers answer.
    `now` is only for dates with a year of two digits. */
std::string strong_validator(const boost::beast::http::fields& fields,
                             std::chrono::system_clock::time_point now);

/// Whether a response is of the representation that `validator`, a result of `strong_validator`, is
/// of.
/** It is only if it says so (15.3.7.3): without the field that the validator came from, it is not,
    whatever If-Range was sent. */
bool has_validator(const boost::beast::http::fields& fields, std::string_view validator) noexcept;

}  // namespace asio_retry::http::detail

#endif
