// Decodes the body of a response that was read into memory.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_DECODE_BODY_HPP
#define ASIO_RETRY_SRC_HTTP_DECODE_BODY_HPP

#include "http/content_decoder.hpp"
#include <asio_retry/error.hpp>
#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/http/response.hpp>

#include <string>

namespace asio_retry::http::detail {

/// What the client can decode, as the value of Accept-Encoding.
inline constexpr const char* known_codings = "gzip, deflate, br";

/// The value of Content-Encoding, of several fields as one.
std::string content_encoding(const response::fields& headers);

/// Puts the plain body in the place of an encoded one, and drops the fields that were about the latter.
/** Errors: those of `content_decoder`; `r` is as it was then. */
error_code decode_body(response& r, const fetch_policy& policy);

}  // namespace asio_retry::http::detail

#endif
