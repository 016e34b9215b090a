// SPDX-License-Identifier: BSL-1.0
#include "http/verdicts.hpp"

#include "http/idempotency.hpp"
#include <asio_retry/http/error.hpp>

#include <algorithm>

namespace asio_retry::http::detail {

namespace {

constexpr unsigned request_timeout = 408;
constexpr unsigned misdirected_request = 421;
constexpr unsigned too_early = 425;
constexpr unsigned too_many_requests = 429;
constexpr unsigned service_unavailable = 503;

/// Statuses that say that the request was turned away (RFC 9110 15.5.9 and 15.5.20, RFC 8470 5.2,
/// RFC 6585 4).
bool proves_not_processed(unsigned status) noexcept {
    return status == request_timeout || status == misdirected_request || status == too_early ||
           status == too_many_requests;
}

/// The head of the response holds all the same.
bool is_of_body(const error_code& ec) noexcept {
    return ec == error::body_too_large || ec == error::unsupported_encoding ||
           ec == error::malformed_encoding || ec == error::incomplete_encoding ||
           ec == error::excessive_expansion;
}

failure_kind kind_of(unsigned status, bool asks_to_wait) noexcept {
    switch (status) {
        case request_timeout:
        case too_early:
        case too_many_requests: return failure_kind::throttling;
        case misdirected_request: return failure_kind::connection_lost;
        case service_unavailable:
            return asks_to_wait ? failure_kind::throttling : failure_kind::server;
        default: return failure_kind::server;
    }
}

}  // namespace

bool is_worth_a_retry(const fetch_policy& policy, unsigned status) noexcept {
    const auto& listed = policy.retry_status();
    return status == misdirected_request ||
           std::binary_search(listed.begin(), listed.end(), status);
}

bool may_repeat(const request& r, const fetch_policy& policy) noexcept {
    if (r.repeatable() != repeat::by_method) return r.repeatable() == repeat::allowed;
    return policy.idempotency() != idempotency::by_method || is_idempotent_method(r.method()) ||
           !r.idempotency_key().empty() || r.headers().count("Idempotency-Key") != 0;
}

bool needs_key(const request& r, const fetch_policy& policy) noexcept {
    return policy.idempotency() == idempotency::generate_key && !is_idempotent_method(r.method()) &&
           r.idempotency_key().empty() && r.headers().count("Idempotency-Key") == 0;
}

verdict judge_response(const request& r,
                       const fetch_policy& policy,
                       unsigned status,
                       std::optional<std::chrono::nanoseconds> retry_after,
                       attempt_facts facts) {
    if (!is_worth_a_retry(policy, status)) {
        return status < 400 ? verdict::success() : verdict(failure_kind::permanent);
    }
    verdict result = kind_of(status, retry_after.has_value());
    if (retry_after) result.retry_after(*retry_after);
    if (facts.sent != send_state::none && !proves_not_processed(status) && !may_repeat(r, policy)) {
        result.forbid_retry(reason::not_idempotent);
    } else if (facts.body_spent) {
        result.forbid_retry(reason::body_not_replayable);
    }
    return result;
}

verdict judge_error(const request& r,
                    const fetch_policy& policy,
                    const error_code& ec,
                    attempt_facts facts,
                    const cut_response& cut) {
    verdict result = policy.retry().classify(ec);
    if (!result.is_failure() || result.veto() != reason::success) return result;
    const bool refused = is_worth_a_retry(policy, cut.status);
    if (refused && is_of_body(ec) && result.kind() == failure_kind::permanent) {
        return judge_response(r, policy, cut.status, cut.retry_after, facts);
    }
    if (refused && cut.retry_after && !result.retry_after()) result.retry_after(*cut.retry_after);
    const bool turned_away = refused && proves_not_processed(cut.status);
    if (facts.sent != send_state::none && !turned_away && !may_repeat(r, policy)) {
        result.forbid_retry(reason::not_idempotent);
    } else if (facts.body_spent) {
        result.forbid_retry(reason::body_not_replayable);
    } else if (facts.reused && !facts.response_started && !facts.has_resent &&
               result.kind() == failure_kind::connection_lost) {
        result.stale_connection();
    }
    return result;
}

}  // namespace asio_retry::http::detail
