// Options that are right each alone and cannot be meant together.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_POLICY_CHECK_HPP
#define ASIO_RETRY_SRC_HTTP_POLICY_CHECK_HPP

#include <asio_retry/http/endpoint_policy.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::http::detail {

/// What is wrong, and the keys of a file that it is about: the first of them that is there is to
/// blame.
class policy_conflict {
public:
    policy_conflict(std::vector<std::string_view> k, std::string t)
        : keys(std::move(k)), text(std::move(t)) {}

    std::vector<std::string_view> keys;  // as in "circuit_breaker.window"
    std::string text;
};

/// The conflicts of a policy for requests with these methods; none for any method.
std::vector<policy_conflict> conflicts_of(const endpoint_policy& policy,
                                          const std::vector<std::string>& methods);

}  // namespace asio_retry::http::detail

#endif
