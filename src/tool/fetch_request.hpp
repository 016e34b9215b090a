// The client's requests, policy and configuration, from fetch's options.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_REQUEST_HPP
#define ASIO_RETRY_TOOL_FETCH_REQUEST_HPP

#include <asio_retry/http/client_config.hpp>
#include <asio_retry/http/endpoint_registry.hpp>
#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/http/request.hpp>

#include <tool/fetch_options.hpp>

#include <memory>
#include <string>
#include <vector>

namespace asio_retry::tool {

/// One request a URL. Throws usage_error for a URL or a header that cannot be sent.
std::vector<http::request> make_requests(const fetch_options& options);

/// What holds of a fetch where neither a policy file nor an option says something else.
http::endpoint_policy base_policy();

/// A policy with what the options say put in its place.
http::fetch_policy with_flags(http::fetch_policy policy, const fetch_options& options);

/// The library's defaults, where the options say nothing else.
http::fetch_policy make_policy(const fetch_options& options);

/// The endpoints of the policy file, each with what the options say; without a file the default one
/// alone, which has no retry budget. Throws usage_error for a file that cannot be used.
std::shared_ptr<http::endpoint_registry> make_endpoints(const fetch_options& options);

http::client_config make_config(const fetch_options& options);

}  // namespace asio_retry::tool

#endif
