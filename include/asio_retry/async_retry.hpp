// async_retry() and async_try_retry(): repeat any asynchronous operation, for any completion token.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_ASYNC_RETRY_HPP
#define ASIO_RETRY_ASYNC_RETRY_HPP

#include <asio_retry/detail/closure_check.hpp>
#include <asio_retry/detail/completion.hpp>
#include <asio_retry/detail/completion_signature.hpp>
#include <asio_retry/detail/retry_op.hpp>
#include <asio_retry/operation.hpp>
#include <asio_retry/retry_policy.hpp>
#include <asio_retry/retry_result.hpp>

#include <boost/asio/async_result.hpp>

#include <type_traits>
#include <utility>

namespace asio_retry {

namespace detail {

template <template <typename, typename...> class Finish, typename Executor, typename F>
class retry_initiation {
    using operation_type = decltype(as_operation(std::declval<F>()));
    using function_type =
        std::remove_reference_t<decltype(std::declval<operation_type&>().function())>;
    using choice = finish_for<Finish, typename signature_of<function_type>::type>;

public:
    using signature = typename choice::type::signature;

    /// `timers` is the executor's timer service; null looks it up for each call.
    explicit retry_initiation(const Executor& ex, timer_service* timers = nullptr)
        : executor_(ex), timers_(timers) {}

    using executor_type = Executor;
    const executor_type& get_executor() const noexcept { return executor_; }

    template <typename Handler, typename Policy, typename Operation>
    void operator()(Handler&& handler, Policy&& policy, Operation&& op) {
        retry_op<choice, Executor, std::decay_t<Operation>, std::decay_t<Handler>>::start(
            std::forward<Handler>(handler),
            executor_,
            timers_ != nullptr ? *timers_ : timer_service::of(executor_),
            std::forward<Policy>(policy),
            std::forward<Operation>(op));
    }

private:
    Executor executor_;
    timer_service* timers_;
};

/// What async_retry and async_try_retry do.
template <template <typename, typename...> class Finish,
          typename Executor,
          typename Operation,
          typename CompletionToken>
auto start_retry(const Executor& ex,
                 timer_service* timers,
                 retry_policy policy,
                 Operation&& op,
                 CompletionToken&& token) {
    using initiation = retry_initiation<Finish, Executor, Operation>;
    using result = decltype(asio::async_initiate<CompletionToken, typename initiation::signature>(
        std::declval<initiation>(),
        token,
        std::move(policy),
        as_operation(std::forward<Operation>(op))));
    // With a plain handler, which gives no result, there is nothing to co_await.
    if constexpr (!std::is_void_v<result>) ASIO_RETRY_CHECK_TEMPORARY(Operation);
    return asio::async_initiate<CompletionToken, typename initiation::signature>(
        initiation(ex, timers),
        token,
        std::move(policy),
        as_operation(std::forward<Operation>(op)));
}

}  // namespace detail

/// Runs an asynchronous operation until it succeeds or the policy ends the call.
/** Composed of zero or more runs of `op` and of waits on the timer service of the executor's
    execution context.

    `op(token)` starts the operation with the completion token it is given and returns what that
    returns; or `op(attempt, token)`. It may be an `operation(f)` with a judgement of values and a
    reset. It is moved into the call.

    Completion signature: the operation's own. One without an error gets an error_code in front. An
    operation that completes with `(std::exception_ptr, T...)` completes with a `retry_error` in it.
    Values that go with an error are those of the last attempt.

    Errors:
    - the last attempt's, as the operation gave it
    - `error::attempt_timeout` if the last attempt ran out of time
    - `error::deadline_exceeded` if the deadline had passed before the first attempt, and
      `error::circuit_open` if a circuit breaker let none through; where the values cannot be
      default-constructed, one attempt is made and cancelled at once to have some
    - the code of what `op` threw when it was called, as an attempt's error; where there are no
      values to go with it, `async_retry` throws that itself
    - `boost::asio::error::operation_aborted` if the call was cancelled.
    A value that the judgement calls a failure is passed on without an error.

    Per-operation cancellation: terminal, partial and total, during an attempt (which receives all
    types at once) and during a delay. A timed-out or cancelled attempt is awaited.

    Executor: the handler's associated executor, by default `ex`; attempts, observers, classifiers
    and the handler run there, but for the first attempt, which is initiated by the caller's thread
    as the operation alone would be. Where several threads run it and attempts are cancelled (by a
    timeout, a deadline or the caller), it must be a strand, as with every composed operation in
    Asio. Allocation: from the handler's allocator (by default Asio's recycling one): one block for
    the call, and what the operation and posting take.
    Lifetimes: what `op` refers to must stay until completion. Thread safety: distinct calls safe.

        async_retry(executor, policy, connect, [](error_code ec) { ... }); */
template <typename Executor, typename Operation, typename CompletionToken>
auto async_retry(const Executor& ex, retry_policy policy, Operation&& op, CompletionToken&& token) {
    return detail::start_retry<detail::plain_finish>(ex,
                                                     nullptr,
                                                     std::move(policy),
                                                     std::forward<Operation>(op),
                                                     std::forward<CompletionToken>(token));
}

/// The same, but completes with `void(retry_result<T>)`, which carries the report.
/** T is what follows the error in the operation's signature: nothing, one value, or a tuple.
    As `async_retry` in all else. */
template <typename Executor, typename Operation, typename CompletionToken>
auto async_try_retry(const Executor& ex,
                     retry_policy policy,
                     Operation&& op,
                     CompletionToken&& token) {
    return detail::start_retry<detail::reporting_finish>(ex,
                                                         nullptr,
                                                         std::move(policy),
                                                         std::forward<Operation>(op),
                                                         std::forward<CompletionToken>(token));
}

}  // namespace asio_retry

#endif
