// An endpoint: a named rule that requests are matched against, and how they are then treated.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_ENDPOINT_HPP
#define ASIO_RETRY_HTTP_ENDPOINT_HPP

#include <asio_retry/http/endpoint_match.hpp>
#include <asio_retry/http/endpoint_policy.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace asio_retry::http {

/// A name, the requests that it is for, and their policy. A value; setters chain.
/** With a policy that makes a key for each call to one part of one host:

        const auto charges = endpoint_match().origin("https://pay.example").path("/v1/charges");
        const auto keyed = fetch_policy().idempotency(idempotency::generate_key);
        auto e = endpoint("payments", charges).policy(endpoint_policy().fetch(keyed));

    Thread safety: distinct objects safe; a shared object safe to read. */
class endpoint {
public:
    /// The name of the endpoint that requests fall to which match no other.
    static constexpr std::string_view default_name = "default";

    /// The name shows in reports and states, and stands for the endpoint when a table is replaced.
    /** @throws std::invalid_argument if it is empty, longer than 200 characters, "default", or has
        control characters; or if the match matches every request, as the default endpoint does. */
    endpoint(std::string name, endpoint_match match, endpoint_policy policy = endpoint_policy());

    endpoint& policy(endpoint_policy p) {
        policy_ = std::move(p);
        return *this;
    }

    const std::string& name() const noexcept { return name_; }
    const endpoint_match& match() const noexcept { return match_; }
    const endpoint_policy& policy() const noexcept { return policy_; }

    friend bool operator==(const endpoint&, const endpoint&) = default;

private:
    std::string name_;
    endpoint_match match_;
    endpoint_policy policy_;
};

}  // namespace asio_retry::http

#endif
