// Which endpoint a request belongs to, under which policy, and when it will be tried: in words.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_EXPLAIN_TEXT_HPP
#define ASIO_RETRY_TOOL_EXPLAIN_TEXT_HPP

#include "http/policy_document.hpp"

#include <string>

namespace asio_retry::tool {

/// The text, and the endpoint's name and policy for the picture.
class explanation {
public:
    std::string text;
    std::string title;
    http::endpoint_policy policy;
};

/// Throws std::invalid_argument for a URL or method that cannot be fetched.
explanation explain(const http::detail::policy_document& document,
                    const std::string& method,
                    const std::string& url);

}  // namespace asio_retry::tool

#endif
