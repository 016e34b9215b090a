// The heads of requests and responses as text: for -i and -I, and for -v without secrets.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_HEAD_HPP
#define ASIO_RETRY_TOOL_FETCH_HEAD_HPP

#include <asio_retry/http/request.hpp>
#include <asio_retry/http/response.hpp>

#include <string>
#include <string_view>

namespace asio_retry::tool {

/// Status line and fields as they came, and the blank line.
std::string head_of(const http::response& response);

/// "> GET http://host/a" and the fields, credentials left out.
std::string quoted_request(const http::request& request);

/// "< HTTP/1.1 200 OK" and the fields of a head, cookies left out.
std::string quoted_response(std::string_view head);

}  // namespace asio_retry::tool

#endif
