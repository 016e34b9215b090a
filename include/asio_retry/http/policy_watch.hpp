// Keeps the endpoints of a running program at what a policy file says.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_POLICY_WATCH_HPP
#define ASIO_RETRY_HTTP_POLICY_WATCH_HPP

#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/http/endpoint_registry.hpp>
#include <asio_retry/http/policy_file.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio_retry::http {

/// The options of `watch_policies`. A value; setters chain.
class policy_watch_options {
public:
    using reload_function = std::function<void(const endpoint_table&)>;
    using refusal_function = std::function<void(const policy_file_error&)>;

    policy_watch_options() = default;

    /// How long the file must be left alone before it is read. Above 0; default 50 ms.
    template <typename Rep, typename Period>
    policy_watch_options& debounce(std::chrono::duration<Rep, Period> d) {
        const auto value = asio_retry::detail::saturating_cast(d);
        if (value.count() <= 0) throw std::invalid_argument("debounce: must be above 0");
        debounce_ = value;
        return *this;
    }
    std::chrono::nanoseconds debounce() const noexcept { return debounce_; }

    /// Where functions, observers and defaults come from, as in `parse_policies`.
    policy_watch_options& base(endpoint_policy p) {
        base_ = std::move(p);
        return *this;
    }
    const endpoint_policy& base() const noexcept { return base_; }

    /// Called after the table was replaced. Default nothing. It must not throw.
    policy_watch_options& on_reload(reload_function f) {
        on_reload_ = std::move(f);
        return *this;
    }
    const reload_function& on_reload() const noexcept { return on_reload_; }

    /// Called when the file cannot be used, with the reasons; the table stays in force. Once for
    /// each state of the file. Default nothing. It must not throw.
    policy_watch_options& on_refusal(refusal_function f) {
        on_refusal_ = std::move(f);
        return *this;
    }
    const refusal_function& on_refusal() const noexcept { return on_refusal_; }

private:
    std::chrono::nanoseconds debounce_ = std::chrono::milliseconds(50);
    endpoint_policy base_;
    reload_function on_reload_;
    refusal_function on_refusal_;
};

/// Loads the file now and whenever it changes, until it is cancelled.
/** It notices a file that is written in place, replaced by another under its name, removed and
    written anew, or reached through symbolic links that change; also where the file or its
    directory does not exist yet. A text that is the same as before is not loaded again. Composed of
    waits for inotify (Linux) and of a timer; the file is read where it runs, which takes as long as
    the disk does.

    Errors: it never completes without one. `operation_aborted` when it is cancelled, and the
    system's error if it has no inotify instance left. Both are thrown as
    boost::system::system_error.
    Per-operation cancellation: of any type that the awaiting coroutine lets through, at any time,
    at once; nothing outlives it, and no function of `options` is called any more.
    Executor: that of the awaiting coroutine; the functions are called there. Object lifetimes: all
    are taken by value. Thread safety: the registry may be in use on any thread. */
boost::asio::awaitable<void> watch_policies(std::string path,
                                            std::shared_ptr<endpoint_registry> registry,
                                            policy_watch_options options = policy_watch_options());

}  // namespace asio_retry::http

#endif
