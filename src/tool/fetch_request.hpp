// The client's requests, policy and configuration, from fetch's options.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_REQUEST_HPP
#define ASIO_RETRY_TOOL_FETCH_REQUEST_HPP

#include <asio_retry/http/client_config.hpp>
#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/http/request.hpp>

#include <tool/fetch_options.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::tool {

/// One request a URL. Throws usage_error for a URL or a header that cannot be sent.
std::vector<http::request> make_requests(const fetch_options& options);

/// The library's defaults, where the options say nothing else.
http::fetch_policy make_policy(const fetch_options& options);

http::client_config make_config(const fetch_options& options);

/// The URL without user name and password.
std::string without_credentials(std::string_view url);

}  // namespace asio_retry::tool

#endif
