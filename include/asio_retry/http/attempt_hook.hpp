// Changes a request before each of its attempts: a signature with the time in it, a fresh token.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_ATTEMPT_HOOK_HPP
#define ASIO_RETRY_HTTP_ATTEMPT_HOOK_HPP

#include <asio_retry/http/request.hpp>
#include <asio_retry/http/response.hpp>

#include <boost/asio/awaitable.hpp>

namespace asio_retry::http {

/// Derive from it, and hand it to `fetch_policy::hook`.
/** Hooks run on the executor of the call, within the attempt. Cancelling the call reaches what they
    await; timeouts are looked at when they have ended. What they throw ends the call, with the code
    of a `system_error` or else `asio_retry::error::operation_threw`, and is not retried. A hook
    that several calls share is called from several threads at once. */
class attempt_hook {
public:
    virtual ~attempt_hook() = default;

    /// An attempt is about to be made; `number` is 1 for the first. `r` is the caller's request,
    /// fresh for each attempt: its header fields may be changed, nothing else is looked at.
    /** A resend on a fresh connection goes through here too. The Idempotency-Key stays what it
        was. */
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): awaited at once
    virtual boost::asio::awaitable<void> before_attempt(request& r, unsigned number) {
        (void)r, (void)number;
        co_return;
    }

    /// A 401 has come, the first of the call. True if `before_attempt` will now do better: the
    /// request is then sent again at once, as the next attempt, if its body can be. Default false.
    /** The repeat begins the policy's limits on attempts anew; the deadline stays. */
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): awaited at once
    virtual boost::asio::awaitable<bool> refused(const response& unauthorized) {
        (void)unauthorized;
        co_return false;
    }

protected:
    attempt_hook() = default;
    attempt_hook(const attempt_hook&) = default;
    attempt_hook& operator=(const attempt_hook&) = default;
};

}  // namespace asio_retry::http

#endif
