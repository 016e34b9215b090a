// How the requests of an endpoint are treated: each alone, and all of them together.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_ENDPOINT_POLICY_HPP
#define ASIO_RETRY_HTTP_ENDPOINT_POLICY_HPP

#include <asio_retry/breaker_options.hpp>
#include <asio_retry/concurrency_options.hpp>
#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/retry_budget.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace asio_retry::http {

/// A fetch_policy, and the options of the guards that the calls of an endpoint share.
/** A value: copies share one immutable block until a setter changes one of them. Setters chain.
    Thread safety: distinct objects safe, even when copied from one another; a shared object safe to
    read. */
class endpoint_policy {
public:
    endpoint_policy() : options_(defaults()) {}

    /// How each request is fetched. A retry budget and a circuit breaker that its retry_policy
    /// holds are replaced by those of the endpoint, where the endpoint has one.
    endpoint_policy& fetch(fetch_policy p) {
        edit().fetch = std::move(p);
        return *this;
    }
    const fetch_policy& fetch() const noexcept { return options_->fetch; }

    /// The budget that all retries and hedges are paid from. Default on, with its own defaults.
    endpoint_policy& retry_budget(std::optional<budget_options> o) {
        edit().budget = std::move(o);
        return *this;
    }
    const std::optional<budget_options>& retry_budget() const noexcept { return options_->budget; }

    /// Default off.
    endpoint_policy& circuit_breaker(std::optional<breaker_options> o) {
        edit().breaker = std::move(o);
        return *this;
    }
    const std::optional<breaker_options>& circuit_breaker() const noexcept {
        return options_->breaker;
    }

    /// How many requests may be under way at a time, and how many may wait. Default off.
    endpoint_policy& concurrency(std::optional<concurrency_options> o) {
        edit().limit = std::move(o);
        return *this;
    }
    const std::optional<concurrency_options>& concurrency() const noexcept {
        return options_->limit;
    }

    friend bool operator==(const endpoint_policy& a, const endpoint_policy& b) {
        return a.options_ == b.options_ || *a.options_ == *b.options_;
    }

    /// The same for policies that share one block in memory, and so are equal.
    const void* identity() const noexcept { return options_.get(); }

private:
    class options {
    public:
        options() = default;
        friend bool operator==(const options&, const options&) = default;

        fetch_policy fetch;
        std::optional<budget_options> budget = budget_options();
        std::optional<breaker_options> breaker;
        std::optional<concurrency_options> limit;
    };

    static const std::shared_ptr<options>& defaults() {
        static const auto shared = std::make_shared<options>();
        return shared;
    }

    /// As in retry_policy: a use_count of 1 does not say that the last other reader is done.
    options& edit() {
        options_ = std::make_shared<options>(*options_);
        return *options_;
    }

    std::shared_ptr<options> options_;
};

}  // namespace asio_retry::http

#endif
