// Runs calls on an io_context under a manual clock and keeps how they ended.
#pragma once

#include <asio_retry/backoff.hpp>
#include <asio_retry/detail/outcome.hpp>
#include <asio_retry/retry_error.hpp>
#include <asio_retry/retry_policy.hpp>
#include <asio_retry/testing/manual_clock.hpp>
#include <asio_retry/testing/scripted_operation.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace asio_retry::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::scripted_operation;
using testing::step;

inline const error_code refused = asio::error::connection_refused;
inline const error_code reset_by_peer = asio::error::connection_reset;
inline const error_code timed_out = asio::error::timed_out;
inline const error_code denied = asio::error::access_denied;
inline const error_code aborted = asio::error::operation_aborted;

/// Completes at once with an error, or without.
class posted_operation {
public:
    explicit posted_operation(asio::any_io_executor ex, error_code ec = {})
        : executor_(std::move(ex)), error_(ec) {}

    template <typename Token>
    auto operator()(Token&& token) const {
        return asio::async_initiate<Token, void(error_code)>(
            [ex = executor_, ec = error_](auto handler) {
                auto to = asio::get_associated_executor(handler, ex);
                asio::post(to, [ec, h = std::move(handler)]() mutable { std::move(h)(ec); });
            },
            token);
    }

private:
    asio::any_io_executor executor_;
    error_code error_;
};

/// Three attempts, 10 s apart, no jitter.
inline retry_policy every_ten_seconds() {
    return std::move(retry_policy().backoff(backoff::constant(10s).jitter(jitter::none)));
}

/// How a call ended, and when on the clock.
template <typename T>
class ending {
public:
    std::optional<detail::storable<T>> value;
    std::exception_ptr exception;
    steady_time at{};
    int times = 0;

    /// What was thrown, where it was a retry_error.
    std::optional<retry_error> error() const {
        if (!exception) return std::nullopt;
        try {
            std::rethrow_exception(exception);
        } catch (const retry_error& e) {
            return e;
        } catch (...) {
            return std::nullopt;
        }
    }

    /// The code of what was thrown, whatever it was; no error for a value.
    error_code code() const { return exception ? detail::error_of(exception) : error_code(); }
};

/// What the coroutine that awaits a call does about cancellation.
class caller {
public:
    enum class filter { terminal_only, every_type };
    enum class throwing { on, off };

    caller() = default;
    explicit caller(filter f, throwing t = throwing::on) : lets_through(f), throws(t) {}

    filter lets_through = filter::terminal_only;
    throwing throws = throwing::on;
};

/// An io_context, its clock, and calls that run there.
class stage {
public:
    asio::io_context context;
    testing::manual_clock clock{context};
    asio::cancellation_signal signal;

    asio::any_io_executor executor() { return context.get_executor(); }

    scripted_operation scripted(std::vector<step> steps) {
        return scripted_operation(executor(), std::move(steps));
    }

    std::chrono::nanoseconds elapsed() const { return clock.now() - start_; }
    std::chrono::nanoseconds when(steady_time t) const { return t - start_; }

    /// Lets run what is ready, without moving the clock.
    void poll() {
        context.restart();
        context.poll();
    }

    /// Spawns a call.
    template <typename T, typename Executor>
    std::shared_ptr<ending<T>> start(asio::awaitable<T, Executor> call) {
        return spawn(std::move(call), asio::cancellation_slot(), caller());
    }

    /// Spawns a call that `signal` cancels; one at a time.
    template <typename T, typename Executor>
    std::shared_ptr<ending<T>> start(asio::awaitable<T, Executor> call, caller how) {
        return spawn(std::move(call), signal.slot(), how);
    }

    /// Runs a call to its end.
    template <typename T, typename Executor>
    ending<T> run(asio::awaitable<T, Executor> call) {
        const auto end = start(std::move(call));
        clock.run(context);
        return std::move(*end);
    }

    /// The value of a call that is to succeed.
    template <typename T, typename Executor>
    auto value_of(asio::awaitable<T, Executor> call) {
        auto end = run(std::move(call));
        if (end.exception) std::rethrow_exception(end.exception);
        return std::move(end.value).value();
    }

private:
    template <typename T, typename Executor>
    std::shared_ptr<ending<T>> spawn(asio::awaitable<T, Executor> call,
                                     asio::cancellation_slot slot,
                                     caller how) {
        auto end = std::make_shared<ending<T>>();
        auto body = keep(std::move(call), end, &clock, how);
        asio::co_spawn(Executor(context.get_executor()),
                       std::move(body),
                       asio::bind_cancellation_slot(slot, [end](std::exception_ptr e) {
                           if (e) std::rethrow_exception(e);
                       }));
        return end;
    }

    template <typename T, typename Executor>
    static asio::awaitable<void, Executor> keep(asio::awaitable<T, Executor> call,
                                                std::shared_ptr<ending<T>> end,
                                                testing::manual_clock* clock,
                                                caller how) {
        if (how.lets_through == caller::filter::every_type) {
            co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        }
        if (how.throws == caller::throwing::off) {
            co_await asio::this_coro::throw_if_cancelled(false);
        }
        try {
            if constexpr (std::is_void_v<T>) {
                co_await std::move(call);
                end->value.emplace();
            } else {
                T value = co_await std::move(call);
                end->value.emplace(std::move(value));
            }
        } catch (...) {
            end->exception = std::current_exception();
        }
        end->at = clock->now();
        ++end->times;
    }

    steady_time start_ = clock.now();
};

}  // namespace asio_retry::test
