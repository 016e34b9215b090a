// The keys of a policy in a file: the one place that knows them all.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_POLICY_KEYS_HPP
#define ASIO_RETRY_SRC_HTTP_POLICY_KEYS_HPP

#include "http/json_keys.hpp"
#include <asio_retry/http/endpoint_policy.hpp>

#include <array>
#include <cstdint>
#include <optional>

namespace asio_retry::http::detail {

/// An endpoint_policy taken apart, so that its parts can be set one by one.
class policy_draft {
public:
    policy_draft() : policy_draft(endpoint_policy()) {}
    explicit policy_draft(const endpoint_policy& p);
    endpoint_policy finish() const;

    retry_policy retry;
    fetch_policy fetch;
    std::optional<budget_options> budget;
    std::optional<breaker_options> breaker;
    concurrency_options limit;
    bool has_limit;
};

/// The keys of `default` and of `policy`.
json_keys<policy_draft> policy_keys();

// Those of the objects in a policy.

class backoff_draft {
public:
    backoff_draft() : backoff_draft(fetch_policy().retry().backoff()) {}
    explicit backoff_draft(const backoff& b);
    explicit backoff_draft(backoff::kind k) noexcept : type(k) {}

    backoff::kind type;
    std::optional<std::chrono::nanoseconds> base;
    std::chrono::nanoseconds cap = backoff::default_cap;
    double factor = 2;
    asio_retry::jitter spread = asio_retry::jitter::full;
};
json_keys<backoff_draft> backoff_keys();
/// What the object says, on the ground of what it inherits.
backoff read_backoff(const json_place& at, const backoff& inherited);
json::object write_backoff(const backoff& b);

class kind_draft {
public:
    kind_draft() = default;
    explicit kind_draft(const kind_limits& l)
        : max_attempts(l.max_attempts()), schedule(l.backoff()) {}
    kind_limits finish() const;

    std::optional<unsigned> max_attempts;
    std::optional<backoff> schedule;
};
json_keys<kind_draft> kind_keys();
/// The kinds of failure that are retried.
inline constexpr std::array retried_kinds{failure_kind::connect,
                                          failure_kind::timeout,
                                          failure_kind::connection_lost,
                                          failure_kind::throttling,
                                          failure_kind::server};

json_keys<budget_options> budget_keys();
json_keys<breaker_options> breaker_keys();

class hedge_draft {
public:
    hedge_draft() : hedge_draft(hedge_options()) {}
    explicit hedge_draft(const hedge_options& o) : after(o.after()), max_extra(o.max_extra()) {
        if (after) after_p95 = o.observes();
    }
    hedge_options finish() const;

    std::optional<std::chrono::nanoseconds> after;
    std::optional<bool> after_p95;  // if not set, it follows from `after`
    unsigned max_extra;
};
json_keys<hedge_draft> hedge_keys();

}  // namespace asio_retry::http::detail

#endif
