// SPDX-License-Identifier: BSL-1.0
#include "http/policy_check.hpp"

#include "http/idempotency.hpp"
#include <asio_retry/detail/duration_text.hpp>
#include <asio_retry/detail/saturate.hpp>

#include <algorithm>

namespace asio_retry::http::detail {

namespace {

using std::chrono::nanoseconds;

std::string text_of(nanoseconds d) { return asio_retry::detail::format_duration(d); }

/// How long an attempt may take.
nanoseconds attempt_bound(const endpoint_policy& p) {
    const retry_policy& retry = p.fetch().retry();
    return std::min(retry.attempt_timeout(), retry.total_timeout());
}

void check_window(const endpoint_policy& p, std::vector<policy_conflict>& found) {
    const nanoseconds bound = attempt_bound(p);
    if (!p.circuit_breaker() || bound == retry_policy::unlimited) return;
    const nanoseconds window = p.circuit_breaker()->window();
    const nanoseconds least = asio_retry::detail::saturating_add(bound, bound);
    if (window >= least) return;
    found.emplace_back(
        std::vector<std::string_view>{
            "circuit_breaker.window", "attempt_timeout", "total_timeout", "circuit_breaker"},
        "the circuit breaker's window of " + text_of(window) +
            " is less than twice the attempt timeout of " + text_of(bound) + "; must be " +
            text_of(least) + " or more");
}

void check_hedge(const endpoint_policy& p,
                 const std::vector<std::string>& methods,
                 std::vector<policy_conflict>& found) {
    const auto& hedge = p.fetch().hedge();
    if (!hedge) return;
    const nanoseconds bound = attempt_bound(p);
    if (hedge->after() && *hedge->after() >= bound) {
        found.emplace_back(
            std::vector<std::string_view>{
                "hedge.after", "attempt_timeout", "total_timeout", "hedge"},
            "hedging after " + text_of(*hedge->after()) + " never happens: an attempt ends after " +
                text_of(bound) + "; must be a shorter time");
    }
    const auto is_idempotent = [](const std::string& m) { return is_idempotent_method(m); };
    if (p.fetch().idempotency() == idempotency::by_method && !methods.empty() &&
        std::none_of(methods.begin(), methods.end(), is_idempotent)) {
        found.emplace_back(
            std::vector<std::string_view>{"hedge"},
            methods.front() +
                " may not be sent twice, so that nothing would be hedged; set idempotency to "
                "\"always\" or \"generate_key\", or hedge to null");
    }
}

void check_concurrency(const endpoint_policy& p, std::vector<policy_conflict>& found) {
    if (!p.concurrency()) {
        for (const std::string_view key : {"queue", "min_concurrency", "adaptive_latency"}) {
            found.emplace_back(std::vector<std::string_view>{key},
                               "means nothing without \"max_concurrency\"; set that too");
        }
    } else if (p.concurrency()->min_concurrency() > p.concurrency()->max_concurrency()) {
        found.emplace_back(std::vector<std::string_view>{"min_concurrency", "max_concurrency"},
                           "min_concurrency " + std::to_string(p.concurrency()->min_concurrency()) +
                               " is above max_concurrency " +
                               std::to_string(p.concurrency()->max_concurrency()) +
                               "; must not be more");
    }
}

}  // namespace

std::vector<policy_conflict> conflicts_of(const endpoint_policy& policy,
                                          const std::vector<std::string>& methods) {
    std::vector<policy_conflict> found;
    check_window(policy, found);
    check_hedge(policy, methods, found);
    check_concurrency(policy, found);
    return found;
}

}  // namespace asio_retry::http::detail
