// retry() and try_retry(): awaitable calls that repeat what fails.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_RETRY_HPP
#define ASIO_RETRY_RETRY_HPP

#include <asio_retry/detail/closure_check.hpp>
#include <asio_retry/detail/retry_loop.hpp>
#include <asio_retry/operation.hpp>
#include <asio_retry/retry_error.hpp>
#include <asio_retry/retry_policy.hpp>
#include <asio_retry/retry_result.hpp>

#include <boost/asio/awaitable.hpp>

#include <type_traits>
#include <utility>

namespace asio_retry {

/// Runs `f(args...)` until it succeeds or the policy ends the call; answers the last value.
/** Composed of zero or more calls of `f` and waits on the timer service of the awaiting coroutine's
    execution context.

    `f` is called anew for each attempt, as `f(args...)` or, if it takes one more parameter in
    front, `f(attempt, args...)`; the arguments are kept in the call and passed as lvalues. It
    answers an `awaitable<T, Executor>`; what takes a completion token goes through `async_retry`.
    It may be an `operation(f)` with a judgement of values and a reset. Values that carry an
    `error_code` (`awaitable<error_code>`, `as_tuple`) are classified by it, and cost no exception.

    Result: `T`, of the last attempt, also where the judgement calls it a failure.

    Errors: throws `retry_error`, once, with
    - the last attempt's error, as the operation gave it
    - `error::attempt_timeout` if the last attempt ran out of time
    - `error::deadline_exceeded` if the deadline had passed before the first attempt
    - `error::operation_threw` and the `cause()` if it threw something else than a `system_error`
    - `boost::asio::error::operation_aborted` if the call was cancelled.
    Values that carry an error_code are returned with these codes in place and not thrown, unless
    there is no value to return. std::bad_alloc may be thrown at any point.

    Per-operation cancellation: what the awaiting coroutine lets through (by default terminal only).
    During an attempt it goes to the operation, with an attempt timeout or deadline in force as all
    types at once; during a delay every type ends the call at once.
    An attempt's end is awaited after its timeout: an operation that ignores cancellation holds the
    call.

    Executor: attempts, observers and classifiers run on the coroutine's executor. An awaitable with
    a timeout or deadline runs in a coroutine thread of its own; if the executor is an
    `any_io_executor` that is not a strand, on a strand of its own, so that cancelling is safe in a
    pool of threads. With other executors several threads need a strand, as cancellation in Asio
    does.

    Lifetimes: policy, function and arguments are copied or moved into the call.
    Thread safety: distinct calls safe. g++ before 13: see ASIO_RETRY_ALLOW_TEMPORARY_CLOSURES.

        tcp::socket socket = co_await retry(policy, connect_to, endpoint); */
template <typename Function, typename... Args>
auto retry(retry_policy policy, Function&& f, Args&&... args) {
    ASIO_RETRY_CHECK_TEMPORARY(Function);
    (..., []() { ASIO_RETRY_CHECK_TEMPORARY(Args); }());
    using call = detail::retry_types<std::decay_t<Function>, std::decay_t<Args>...>;
    return detail::retry_loop<detail::throwing<typename call::value>, typename call::executor>(
        std::move(policy),
        detail::as_operation(std::forward<Function>(f)),
        std::decay_t<Args>(std::forward<Args>(args))...);
}

/// The same, but never throws for a failed call: answers a `retry_result<T>` with the report.
/** As `retry` in all else. */
template <typename Function, typename... Args>
auto try_retry(retry_policy policy, Function&& f, Args&&... args) {
    ASIO_RETRY_CHECK_TEMPORARY(Function);
    (..., []() { ASIO_RETRY_CHECK_TEMPORARY(Args); }());
    using call = detail::retry_types<std::decay_t<Function>, std::decay_t<Args>...>;
    return detail::retry_loop<detail::reporting<typename call::value>, typename call::executor>(
        std::move(policy),
        detail::as_operation(std::forward<Function>(f)),
        std::decay_t<Args>(std::forward<Args>(args))...);
}

}  // namespace asio_retry

#endif
