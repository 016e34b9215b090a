// A time limit round any asynchronous operation.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TIMEOUT_HPP
#define ASIO_RETRY_TIMEOUT_HPP

#include <asio_retry/async_retry.hpp>
#include <asio_retry/retry_policy.hpp>

#include <chrono>
#include <utility>

namespace asio_retry {

/// Runs `op(token)` once and cancels it after `limit`: an `async_retry` with a single attempt.
/** Completes with `error::attempt_timeout` if the time ran out and the operation then ended with
    `operation_aborted`; a success that raced the timeout stays a success, and another error stays
    that error. In all else as `async_retry`. @throws std::invalid_argument if the limit is not
    above zero.

        async_with_timeout(executor, 2s, read_line, use_awaitable)  */
template <typename Executor,
          typename Rep,
          typename Period,
          typename Operation,
          typename CompletionToken>
auto async_with_timeout(const Executor& ex,
                        std::chrono::duration<Rep, Period> limit,
                        Operation&& op,
                        CompletionToken&& token) {
    retry_policy once;
    once.max_attempts(1).attempt_timeout(limit);
    return async_retry(
        ex, std::move(once), std::forward<Operation>(op), std::forward<CompletionToken>(token));
}

}  // namespace asio_retry

#endif
