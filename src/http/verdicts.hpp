// What an attempt of a fetch amounts to: its kind of failure, and whether it may be repeated.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_VERDICTS_HPP
#define ASIO_RETRY_SRC_HTTP_VERDICTS_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/failure.hpp>
#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/http/request.hpp>

#include <chrono>
#include <optional>

namespace asio_retry::http::detail {

/// How far an attempt came.
class attempt_facts {
public:
    attempt_facts() = default;
    attempt_facts(send_state s,
                  bool on_reused_connection,
                  bool any_response_byte,
                  bool body_is_spent = false,
                  bool one_was_resent = false) noexcept
        : sent(s),
          reused(on_reused_connection),
          response_started(any_response_byte),
          body_spent(body_is_spent),
          has_resent(one_was_resent) {}

    send_state sent = send_state::none;
    bool reused = false;
    bool response_started = false;
    bool body_spent = false;  ///< it cannot be read again
    bool has_resent = false;  ///< the call, for a stale connection
};

/// What the head of a response says that was not whole.
class cut_response {
public:
    cut_response() = default;
    cut_response(unsigned s, std::optional<std::chrono::nanoseconds> wait) noexcept
        : status(s), retry_after(wait) {}

    unsigned status = 0;  ///< 0: not even its head has come
    std::optional<std::chrono::nanoseconds> retry_after;
};

/// The verdict on a whole response.
/** 408, 425, 429 and 503 with Retry-After are throttling, 421 is connection_lost, as long as the
    policy calls them worth a retry (421 always); its other statuses are server; of what is left, a
    status below 400 is success and any other permanent. */
verdict judge_response(const request& r,
                       const fetch_policy& policy,
                       unsigned status,
                       std::optional<std::chrono::nanoseconds> retry_after,
                       attempt_facts facts);

/// The verdict on an attempt without a whole response: the policy's own on the error, and besides
/// whether the request may be repeated, and whether the connection was a stale one.
/** Of a response that is worth a retry the head counts though the body was cut: its Retry-After,
    and that its status proves that the request was not processed. If the body was only too large,
    or could not be decoded, it is judged as if it were whole. */
verdict judge_error(const request& r,
                    const fetch_policy& policy,
                    const error_code& ec,
                    attempt_facts facts,
                    const cut_response& cut = {});

/// Whether the policy lists it; 421 always is.
bool is_worth_a_retry(const fetch_policy& policy, unsigned status) noexcept;

/// Whether a repeat does no harm even if the request was processed.
/** The request's own word comes first, then an Idempotency-Key, then the policy, then the
    method. */
bool may_repeat(const request& r, const fetch_policy& policy) noexcept;

/// Whether the client is to make up the Idempotency-Key: the policy says so, and the request needs
/// one and has none.
bool needs_key(const request& r, const fetch_policy& policy) noexcept;

}  // namespace asio_retry::http::detail

#endif
