// What a response says of the coding of its body.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CONTENT_ENCODING_HPP
#define ASIO_RETRY_SRC_HTTP_CONTENT_ENCODING_HPP

#include <asio_retry/http/response.hpp>

#include <string>

namespace asio_retry::http::detail {

/// What the client can decode, as the value of Accept-Encoding.
inline constexpr const char* known_codings = "gzip, deflate, br";

/// The value of Content-Encoding, of several fields as one.
std::string content_encoding(const response::fields& headers);

/// The response with the plain body in the place of the encoded one, and without the fields that
/// were about the latter.
response with_plain_body(response r, std::string plain);

}  // namespace asio_retry::http::detail

#endif
