// hedge(): a delayed duplicate of an operation that is slow; the first success wins.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HEDGE_HPP
#define ASIO_RETRY_HEDGE_HPP

#include <asio_retry/detail/closure_check.hpp>
#include <asio_retry/detail/hedge_contest.hpp>
#include <asio_retry/detail/hedge_race.hpp>
#include <asio_retry/detail/invoke_attempt.hpp>
#include <asio_retry/detail/latency_window.hpp>
#include <asio_retry/detail/timer_service.hpp>
#include <asio_retry/hedge_options.hpp>
#include <asio_retry/operation.hpp>
#include <asio_retry/retry_budget.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace asio_retry {

/// Options of hedging, and what the calls to one upstream share: their latencies and a budget.
/** A value; copies share. Thread safety: distinct objects safe; a shared object safe to read, and
    to use by several calls at once. */
class hedging {
public:
    /// With a budget each extra attempt is paid from it, and is not made where it is spent.
    explicit hedging(hedge_options o, std::shared_ptr<retry_budget> budget = nullptr)
        : options_(o),
          budget_(std::move(budget)),
          latency_(std::make_shared<detail::latency_window>()) {}

    const hedge_options& options() const noexcept { return options_; }
    const std::shared_ptr<retry_budget>& budget() const noexcept { return budget_; }
    const std::shared_ptr<detail::latency_window>& latency() const noexcept { return latency_; }

private:
    hedge_options options_;
    std::shared_ptr<retry_budget> budget_;
    std::shared_ptr<detail::latency_window> latency_;
};

namespace detail {

template <typename Executor, typename Operation, typename... Args>
asio::awaitable<typename retry_types<Operation, Args...>::value, Executor> hedge_call(
    hedging shared, Operation op, Args... args) {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    hedge_contest<hedging, Operation, Args...> contest(std::move(shared), timers, op, args...);
    auto race = run_race_apart<Executor>(&contest, &timers);
    co_await std::move(race);
    co_return contest.finish();
}

}  // namespace detail

/// Runs `f(args...)`, and if that is slow once more beside it; answers what succeeds first.
/** Composed of one call of `f`, up to `max_extra` more, each after the delay of the options, and
    waits on the timer service of the awaiting coroutine's execution context. For operations that
    may run twice: reads, say. Round retries or inside them it stands as any other operation does.

    `f` answers an awaitable. It is called as `f(args...)` or, if it takes one more parameter in
    front, `f(attempt, args...)`: attempts are numbered in the order of their start. It may be an
    `operation` with a judgement of values: a value that is called a failure does not win. Calls may
    overlap; all of them are given the same arguments, as lvalues.

    Result: the value of the first attempt that succeeds. The others are cancelled, and have ended
    before the call returns. If an attempt fails, the others go on; if all fail, the result is that
    of the first.
    Errors: what `f` throws in the first attempt, or `boost::asio::error::operation_aborted` if the
    call was cancelled while an attempt ran.

    Per-operation cancellation: what the awaiting coroutine lets through (by default terminal only);
    it reaches all attempts as all types at once. An attempt that ignores it holds the call.

    Executor: attempts run on the coroutine's executor; if that is an `any_io_executor` that is not
    a strand, on a strand of their own. With other executors several threads need a strand.
    Lifetimes: function and arguments are copied or moved into the call.
    Thread safety: distinct calls safe. g++ before 13: see ASIO_RETRY_ALLOW_TEMPORARY_CLOSURES.

        const hedging reads(hedge_options().after(20ms), budget);
        auto row = co_await hedge(reads, read_row, key);  */
template <typename Function, typename... Args>
auto hedge(hedging shared, Function&& f, Args&&... args) {
    ASIO_RETRY_CHECK_TEMPORARY(Function);
    (..., []() { ASIO_RETRY_CHECK_TEMPORARY(Args); }());
    using call = detail::retry_types<std::decay_t<Function>, std::decay_t<Args>...>;
    return detail::hedge_call<typename call::executor>(
        std::move(shared),
        detail::as_operation(std::forward<Function>(f)),
        std::decay_t<Args>(std::forward<Args>(args))...);
}

/// The same for a call that shares nothing. @throws std::invalid_argument without
/// `options.after()`: nobody observes latencies.
template <typename Function, typename... Args>
auto hedge(const hedge_options& options, Function&& f, Args&&... args) {
    if (!options.after()) {
        throw std::invalid_argument("hedge: needs a fixed delay: hedge_options().after(20ms), say");
    }
    return hedge(hedging(options), std::forward<Function>(f), std::forward<Args>(args)...);
}

}  // namespace asio_retry

#endif
