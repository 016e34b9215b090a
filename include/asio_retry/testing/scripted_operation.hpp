// An operation that fails and succeeds by a script, for tests of policies.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TESTING_SCRIPTED_OPERATION_HPP
#define ASIO_RETRY_TESTING_SCRIPTED_OPERATION_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/timed_wait.hpp>
#include <asio_retry/detail/timer_service.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

namespace asio_retry::testing {

/// One step of a script: an error (or none), after a time.
class step {
public:
    step(error_code ec = {}, std::chrono::nanoseconds after = {}) : error_(ec), after_(after) {}

    const error_code& error() const noexcept { return error_; }
    std::chrono::nanoseconds after() const noexcept { return after_; }

private:
    error_code error_;
    std::chrono::nanoseconds after_;
};

/// Completes with `void(error_code)` as the steps say, one an attempt; the last step repeats.
/** Takes its time from the context's clock, so that a `manual_clock` moves it, and honours
    cancellation of every type with `operation_aborted`. Copies share the script, the count of
    attempts and the times of their starts, and may run at the same time. Use it with `async_retry`,
    or with `retry` through `awaitable`:

        scripted_operation op(executor, {step(asio::error::connection_refused), step()});
        co_await retry(policy, op.awaitable());  */
class scripted_operation {
public:
    scripted_operation(boost::asio::any_io_executor ex, std::vector<step> steps)
        : state_(std::make_shared<state>(std::move(ex), std::move(steps))) {}

    /// How many attempts have started.
    std::size_t attempts() const noexcept { return state_->starts.size(); }
    /// When each of them started.
    const std::vector<steady_time>& starts() const noexcept { return state_->starts; }

    template <boost::asio::completion_token_for<void(error_code)> Token>
    auto operator()(Token&& token) const {
        return boost::asio::async_initiate<Token, void(error_code)>(
            [s = state_](auto handler) { run(s, std::move(handler)); }, token);
    }

    /// The same operation as a function that answers an awaitable and throws its errors.
    auto awaitable() const { return bound(state_); }

private:
    class state {
    public:
        state(boost::asio::any_io_executor ex, std::vector<step> s)
            : executor(std::move(ex)),
              timers(detail::timer_service::of(executor)),
              steps(std::move(s)) {}

        const step& next() {
            const std::size_t i = std::min(starts.size(), steps.size() - 1);
            starts.push_back(timers.now());
            return steps[i];
        }

        boost::asio::any_io_executor executor;
        detail::timer_service& timers;
        std::vector<step> steps;
        std::vector<steady_time> starts;
    };

    class bound {
    public:
        explicit bound(std::shared_ptr<state> s) : state_(std::move(s)) {}
        boost::asio::awaitable<void> operator()() const {
            return scripted_operation(state_)(boost::asio::use_awaitable);
        }

    private:
        std::shared_ptr<state> state_;
    };

    explicit scripted_operation(std::shared_ptr<state> s) : state_(std::move(s)) {}

    template <typename Handler>
    class ending {
    public:
        using executor_type =
            boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>;
        using cancellation_slot_type = boost::asio::associated_cancellation_slot_t<Handler>;

        ending(Handler h,
               error_code ec,
               std::shared_ptr<state> s,
               std::shared_ptr<detail::timed_wait> wait)
            : handler_(std::move(h)), error_(ec), state_(std::move(s)), wait_(std::move(wait)) {}

        executor_type get_executor() const noexcept {
            return boost::asio::get_associated_executor(handler_, state_->executor);
        }
        cancellation_slot_type get_cancellation_slot() const noexcept {
            return boost::asio::get_associated_cancellation_slot(handler_);
        }

        void operator()(detail::wait_result r) {
            const bool aborted = r == detail::wait_result::cancelled;
            const error_code ec = aborted ? boost::asio::error::operation_aborted : error_;
            std::move(handler_)(ec);
        }

    private:
        Handler handler_;
        error_code error_;
        std::shared_ptr<state> state_;
        std::shared_ptr<detail::timed_wait> wait_;
    };

    template <typename Handler>
    static void run(const std::shared_ptr<state>& s, Handler handler) {
        const step& now = s->next();
        const steady_time end = detail::saturating_add(s->timers.now(), now.after());
        auto wait = std::make_shared<detail::timed_wait>(s->timers);
        auto& started = *wait;
        started.until(end)(ending<Handler>(std::move(handler), now.error(), s, std::move(wait)));
    }

    std::shared_ptr<state> state_;
};

}  // namespace asio_retry::testing

#endif
