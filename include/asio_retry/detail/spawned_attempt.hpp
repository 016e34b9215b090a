// An awaitable attempt that can be cancelled alone: it runs in a coroutine thread of its own.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_SPAWNED_ATTEMPT_HPP
#define ASIO_RETRY_DETAIL_SPAWNED_ATTEMPT_HPP

#include <asio_retry/detail/call_timer.hpp>
#include <asio_retry/detail/invoke_attempt.hpp>
#include <asio_retry/detail/outcome.hpp>
#include <asio_retry/detail/timed_wait.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

/// The executor to run an attempt on whose cancellation comes from outside it: the call's own, or a
/// strand on it if it might run on several threads at once and its type leaves the choice.
template <typename Executor>
Executor attempt_executor(const Executor& ex) {
    if constexpr (std::is_same_v<Executor, asio::any_io_executor>) {
        const bool serial =
            ex.template target<asio::strand<asio::io_context::executor_type>>() != nullptr ||
            ex.template target<asio::strand<asio::thread_pool::executor_type>>() != nullptr ||
            ex.template target<asio::strand<asio::any_io_executor>>() != nullptr;
        if (serial) return ex;
        if (const auto* e = ex.template target<asio::io_context::executor_type>()) {
            return asio::make_strand(*e);
        }
        return asio::make_strand(ex);
    } else {
        return ex;
    }
}

/// Runs one attempt to its end and keeps what comes of it. The caller's frame holds all it refers
/// to.
template <typename T, typename Function, typename... Args>
// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): see above
auto run_into(outcome<T>& out, Function& f, const attempt& a, Args&... args)
    -> asio::awaitable<void, typename retry_types<Function, Args...>::executor> {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    try {
        auto pending = invoke_attempt(f, a, args...);
        if constexpr (std::is_void_v<T>) {
            co_await std::move(pending);
            out.succeed();
        } else {
            T value = co_await std::move(pending);
            out.succeed(std::move(value));
        }
    } catch (const boost::system::system_error& e) {
        out.fail(std::current_exception(), e.code());
    } catch (...) {
        out.fail(std::current_exception());
    }
}

template <typename Executor>
class spawned_attempt {
public:
    explicit spawned_attempt(const Executor& ex)
        : link_(std::make_shared<link>(attempt_executor(ex))) {}
    spawned_attempt(const spawned_attempt&) = delete;
    spawned_attempt& operator=(const spawned_attempt&) = delete;
    ~spawned_attempt() {
        if (!link_->ended) link_->done = nullptr;
    }

    /// Starts the attempt; wakes `done` once, when it has ended.
    void start(asio::awaitable<void, Executor> body, timed_wait& done) {
        link_->done = &done;
        done.hold();
        asio::co_spawn(link_->executor,
                       std::move(body),
                       asio::bind_cancellation_slot(link_->signal.slot(), ending(link_)));
    }

    /// Whether it has ended, and has woken `done`. On the attempt's executor.
    bool has_ended() const noexcept { return link_->ended; }

    /// What it threw, if it has ended. On the attempt's executor, or behind the wait.
    const std::exception_ptr& thrown() const noexcept { return link_->thrown; }

    /// Asks the attempt to end. From any thread.
    void cancel() {
        asio::dispatch(link_->executor, [l = link_] {
            if (!l->ended) l->signal.emit(any_cancellation);
        });
    }

private:
    /// What a cancellation under way may still need when the attempt has ended, and the attempt
    /// when the waiting call is gone with its context.
    class link {
    public:
        explicit link(Executor ex) : executor(std::move(ex)) {}

        Executor executor;
        asio::cancellation_signal signal;
        timed_wait* done = nullptr;
        bool ended = false;  // used on the executor only
        std::exception_ptr thrown;
    };

    class ending {
    public:
        using executor_type = Executor;

        explicit ending(std::shared_ptr<link> l) noexcept : link_(std::move(l)) {}
        ending(ending&&) noexcept = default;
        /// Without having been called: its context is being destroyed, and the attempt with it.
        ~ending() {
            if (link_ && !link_->ended && link_->done != nullptr) link_->done->let_go_for_good();
        }

        executor_type get_executor() const noexcept { return link_->executor; }

        void operator()(const std::exception_ptr& e) {
            const std::shared_ptr<link> l = std::move(link_);
            l->thrown = e;
            l->ended = true;
            l->done->let_go();
            l->done->wake();
        }

    private:
        std::shared_ptr<link> link_;
    };

    std::shared_ptr<link> link_;
};

/// Runs an attempt until it ends; asks it to end at `deadline` or when the caller cancels. Answers
/// whether the deadline passed first.
/** An awaiting coroutine that is cancelled would leave the attempt behind with references into its
    frame, so that `co_await` must not throw here. */
template <typename Executor>
asio::awaitable<bool, Executor> run_until(
    asio::awaitable<void, Executor> body,
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): see above
    timer_service& timers,
    steady_time deadline) {
    timed_wait ended(timers);
    spawned_attempt<Executor> attempt(co_await asio::this_coro::executor);
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    attempt.start(std::move(body), ended);
    // It may have cancelled the call itself, in which case no signal comes.
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) attempt.cancel();
    wait_result r = co_await ended.until(deadline);
    const bool expired = r == wait_result::expired;
    while (r != wait_result::woken) {
        attempt.cancel();
        r = co_await ended.until(steady_time::max());
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    if (attempt.thrown()) std::rethrow_exception(attempt.thrown());
    co_return expired;
}

}  // namespace asio_retry::detail

#endif
