// The coroutine that drives a retry_call: attempt, judge, wait, repeat, answer.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_RETRY_LOOP_HPP
#define ASIO_RETRY_DETAIL_RETRY_LOOP_HPP

#include <asio_retry/detail/invoke_attempt.hpp>
#include <asio_retry/detail/judge.hpp>
#include <asio_retry/detail/outcome.hpp>
#include <asio_retry/detail/retry_call.hpp>
#include <asio_retry/detail/spawned_attempt.hpp>
#include <asio_retry/detail/timed_wait.hpp>
#include <asio_retry/detail/timer_service.hpp>
#include <asio_retry/operation.hpp>
#include <asio_retry/retry_error.hpp>
#include <asio_retry/retry_result.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

/// Answers a call as `retry` does: the value, or an exception with the report.
template <typename T>
class throwing {
public:
    using result = T;
    static constexpr bool reports_success = false;

    static T finish(retry_call& call, outcome<T>& last, reason why) {
        if (why == reason::cancelled && last.has_value()) {
            last.replace_error(asio::error::operation_aborted);
        }
        if (!last.has_value()) {
            const error_code ec = call.completion_error(why);
            throw retry_error(ec, call.take_report(why), call.policy().name(), last.exception());
        }
        if (why != reason::success && !call.unwatched()) call.take_report(why);
        if constexpr (!std::is_void_v<T>) return std::move(last.value());
    }
};

/// Answers a call as `try_retry` does.
template <typename T>
class reporting {
public:
    using result = retry_result<T>;
    static constexpr bool reports_success = true;

    static result finish(retry_call& call, outcome<T>& last, reason why) {
        const error_code ec = call.completion_error(why);
        retry_report report = call.take_report(why);
        return result(last.take_value(), ec, last.exception(), std::move(report));
    }
};

/// The steps of the loop between its suspensions, kept out of the coroutine so that their
/// temporaries do not swell its frame.
template <typename T, typename Finish>
class loop_steps {
public:
    loop_steps(const retry_policy& policy, timer_service& timers) noexcept
        : timers_(timers), call_(policy) {}

    /// Begins the call. Whether there is an attempt to make.
    bool start(const asio::cancellation_state& state) noexcept {
        const steady_time now = timers_.now();
        return take(is_cancelled(state) ? call_.cancel(now) : call_.start(now)) ==
               retry_action::type::attempt;
    }

    attempt begin() { return call_.begin_attempt(); }

    /// Takes the outcome. Whether another attempt follows, at once or after a wait.
    template <typename Operation>
    bool end(Operation& op, const asio::cancellation_state& state) {
        verdict v = judge(
            call_.policy(), last.error(), is_cancelled(state), [&] { return judge_value(op); });
        const error_code ec = last.error();
        if (!v.is_failure() && !last.has_value()) [[unlikely]]
            v = succeed_without_value();
        if (!v.is_failure() && !Finish::reports_success && call_.unwatched()) {
            if (!call_.is_plain()) call_.succeed_unwatched(timers_.now());
            why_ = reason::success;
            return false;
        }
        const auto next =
            take(call_.end_attempt(timers_.now(), v, ec, random_of(call_.policy(), timers_)));
        if (next != retry_action::type::wait) return false;
        op.run_reset();
        // A hook may have cancelled the call meanwhile.
        if (waits_ && !is_cancelled(state)) return true;
        return resume(waits_ ? timers_.now() : call_.wake_time(), state);
    }

    bool wants_wait() const noexcept { return waits_; }

    /// A wait has ended. Whether there is an attempt to make.
    bool wait_done(const asio::cancellation_state& state) noexcept {
        return resume(timers_.now(), state);
    }

    void expired() noexcept {
        if (last.error() == asio::error::operation_aborted) {
            last.replace_error(error::attempt_timeout);
        }
    }

    steady_time wake_time() const noexcept { return call_.wake_time(); }

    typename Finish::result finish() { return Finish::finish(call_, last, why_); }

    outcome<T> last;

private:
    template <typename Operation>
    verdict judge_value([[maybe_unused]] Operation& op) {
        if constexpr (std::is_void_v<T>) {
            return verdict::success();
        } else {
            try {
                return op.judge(last.value());
            } catch (...) {
                last.fail(std::current_exception());
                return call_.policy().classify(last.error());
            }
        }
    }

    /// Of an error that the classifier calls a success.
    verdict succeed_without_value() noexcept {
        if constexpr (std::is_void_v<T>) {
            last.succeed();
            return verdict::success();
        } else {
            return failure_kind::permanent;  // there is no value to answer
        }
    }

    bool resume(steady_time now, const asio::cancellation_state& state) noexcept {
        return take(is_cancelled(state) ? call_.cancel(now) : call_.wait_done(now)) ==
               retry_action::type::attempt;
    }

    retry_action::type take(const retry_action& next) noexcept {
        waits_ = next.delay > nanoseconds::zero();
        why_ = next.why;
        return next.what;
    }

    timer_service& timers_;
    retry_call call_;
    reason why_ = reason::success;  // of the end
    bool waits_ = false;            // before the next attempt
};

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // false alarm over Asio's frames
#endif

template <typename Finish, typename Executor, typename Operation, typename... Args>
asio::awaitable<typename Finish::result, Executor> retry_loop(retry_policy policy,
                                                              Operation op,
                                                              Args... args) {
    using value = typename retry_types<Operation, Args...>::value;
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    loop_steps<value, Finish> steps(policy, timers);
    std::optional<timed_wait> wait;

    bool more = steps.start(co_await asio::this_coro::cancellation_state);
    while (more) {
        const attempt current = steps.begin();
        // What a hook has cancelled is thrown by the first co_await.
        try {
            if (current.deadline() != steady_time::max()) {
                auto body = run_into(steps.last, op.function(), current, args...);
                auto attempt = run_until(std::move(body), timers, current.deadline());
                if (co_await std::move(attempt)) steps.expired();
            } else if constexpr (std::is_void_v<value>) {
                auto pending = invoke_attempt(op.function(), current, args...);
                co_await std::move(pending);
                steps.last.succeed();
            } else {
                auto pending = invoke_attempt(op.function(), current, args...);
                value v = co_await std::move(pending);
                steps.last.succeed(std::move(v));
            }
        } catch (const boost::system::system_error& e) {
            steps.last.fail(std::current_exception(), e.code());
        } catch (...) {
            steps.last.fail(std::current_exception());
        }
        more = steps.end(op, co_await asio::this_coro::cancellation_state);
        if (steps.wants_wait()) {
            wait.emplace(timers);
            co_await wait->until(steps.wake_time());
            more = steps.wait_done(co_await asio::this_coro::cancellation_state);
        }
    }
    co_return steps.finish();
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace asio_retry::detail

#endif
