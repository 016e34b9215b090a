// An executor, a policy, and what the calls made through them share.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_RETRY_EXECUTOR_HPP
#define ASIO_RETRY_RETRY_EXECUTOR_HPP

#include <asio_retry/async_retry.hpp>
#include <asio_retry/retry.hpp>
#include <asio_retry/retry_policy.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <utility>

namespace asio_retry {

/// Binds an executor and a policy, so that calls name only what is to be done.
/** A value: copies share the policy's observer, classifier and generator. Each function is that of
    the same name with the bound executor and policy. Thread safety: distinct objects safe; a shared
    object safe to use by several calls at once. Finds the timers of the executor's context once, so
    that its `async_retry` costs less than the free function; the context must outlive it.

        const retry_executor retries(context.get_executor(), retry_policy().max_attempts(5));
        auto socket = co_await retries.retry(connect_to, endpoint);
        retries.async_retry(ping, [](error_code ec) { ... });  */
template <typename Executor = boost::asio::any_io_executor>
class retry_executor {
public:
    using executor_type = Executor;

    retry_executor(Executor ex, retry_policy policy)
        : executor_(std::move(ex)),
          policy_(std::move(policy)),
          timers_(&detail::timer_service::of(executor_)) {}

    const executor_type& get_executor() const noexcept { return executor_; }
    const retry_policy& policy() const noexcept { return policy_; }

    template <typename Function, typename... Args>
    auto retry(Function&& f, Args&&... args) const {
        return asio_retry::retry(policy_, std::forward<Function>(f), std::forward<Args>(args)...);
    }

    template <typename Function, typename... Args>
    auto try_retry(Function&& f, Args&&... args) const {
        return asio_retry::try_retry(
            policy_, std::forward<Function>(f), std::forward<Args>(args)...);
    }

    template <typename Operation, typename CompletionToken>
    auto async_retry(Operation&& op, CompletionToken&& token) const {
        ASIO_RETRY_CHECK_TEMPORARY(Operation);
        return detail::start_retry<detail::plain_finish>(executor_,
                                                         timers_,
                                                         policy_,
                                                         std::forward<Operation>(op),
                                                         std::forward<CompletionToken>(token));
    }

    template <typename Operation, typename CompletionToken>
    auto async_try_retry(Operation&& op, CompletionToken&& token) const {
        ASIO_RETRY_CHECK_TEMPORARY(Operation);
        return detail::start_retry<detail::reporting_finish>(executor_,
                                                             timers_,
                                                             policy_,
                                                             std::forward<Operation>(op),
                                                             std::forward<CompletionToken>(token));
    }

private:
    Executor executor_;
    retry_policy policy_;
    detail::timer_service* timers_;
};

}  // namespace asio_retry

#endif
