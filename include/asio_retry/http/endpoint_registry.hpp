// The endpoints of a program while it runs: the table in force, and what their calls share.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_ENDPOINT_REGISTRY_HPP
#define ASIO_RETRY_HTTP_ENDPOINT_REGISTRY_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/concurrency_limit.hpp>
#include <asio_retry/detail/latency_window.hpp>
#include <asio_retry/http/endpoint_table.hpp>
#include <asio_retry/pacer.hpp>
#include <asio_retry/retry_budget.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio_retry::http {

/// What an endpoint has counted, for metrics. Each count is exact; together they are no snapshot.
class endpoint_counters {
public:
    std::atomic<std::uint64_t> calls{0};      ///< begun
    std::atomic<std::uint64_t> successes{0};  ///< ended in success
    std::atomic<std::uint64_t> attempts{0};
    std::atomic<std::uint64_t> hedges{0};
    std::atomic<std::uint64_t> refusals{
        0};  ///< ended by an open circuit, a full queue or no budget
};

namespace detail {

/// What a handle leads to. The guards are null where they are off.
class endpoint_state {
public:
    std::string name;
    std::string origin;
    endpoint_policy options;
    fetch_policy policy;  // with the guards in it
    std::shared_ptr<asio_retry::retry_budget> budget;
    std::shared_ptr<asio_retry::circuit_breaker> breaker;
    std::shared_ptr<asio_retry::concurrency_limit> limit;
    std::shared_ptr<asio_retry::detail::latency_window> latency;
    std::shared_ptr<asio_retry::pacer> pacer;
    std::shared_ptr<endpoint_counters> counters;
    std::uint64_t generation = 0;
};

class registry_state;

}  // namespace detail

/// An endpoint in use: its policy, ready for calls, and the guards of one origin.
/** Cheap to copy. It keeps what it leads to alive and as it was when the handle was given out: a
    call that holds one is not touched by a new table.
    Thread safety: distinct objects safe; a shared object safe to read, and so are the guards. */
class endpoint_handle {
public:
    /// Leads nowhere; only to be assigned to or asked whether it leads somewhere.
    endpoint_handle() = default;
    explicit endpoint_handle(std::shared_ptr<const detail::endpoint_state> s) noexcept
        : state_(std::move(s)) {}

    explicit operator bool() const noexcept { return state_ != nullptr; }

    const std::string& name() const noexcept { return state_->name; }
    /// As `https://pay.example`.
    const std::string& origin() const noexcept { return state_->origin; }
    /// Its retry_policy holds the budget and the breaker.
    const fetch_policy& policy() const noexcept { return state_->policy; }
    const endpoint_policy& options() const noexcept { return state_->options; }

    // Null if the policy has none.
    const std::shared_ptr<asio_retry::retry_budget>& retry_budget() const noexcept {
        return state_->budget;
    }
    const std::shared_ptr<asio_retry::circuit_breaker>& circuit_breaker() const noexcept {
        return state_->breaker;
    }

    const std::shared_ptr<asio_retry::concurrency_limit>& concurrency_limit() const noexcept {
        return state_->limit;
    }

    /// Of the first attempts of late, where the policy hedges.
    asio_retry::detail::latency_window& latency() const noexcept { return *state_->latency; }
    /// Knows of the server's rate limit, where the policy paces.
    asio_retry::pacer& pacer() const noexcept { return *state_->pacer; }
    endpoint_counters& counters() const noexcept { return *state_->counters; }
    /// Counts the tables of the registry that gave it out.
    std::uint64_t generation() const noexcept { return state_->generation; }

    /// Whether both lead to the same.
    friend bool operator==(const endpoint_handle&, const endpoint_handle&) = default;

private:
    std::shared_ptr<const detail::endpoint_state> state_;
};

/// The table in force, which can be replaced while calls run, and a state per endpoint and origin.
/** An endpoint that matches many origins (`*.suffix`, any, the default) has one state for each, so
    that a dead host neither opens the circuit nor spends the budget of another. A state begins with
    the first request to its origin. Those that no call holds are forgotten, the longest unused
    first, when there are more than `most_states`; only as many as calls hold at that time may be
    above it.

    When the table is replaced, an endpoint whose name stays keeps, for each origin, its counters,
    latencies and pacer, and each guard whose options stay. A budget whose options change begins
    with the tokens that were left, a breaker in the state of the old one, a concurrency limit
    empty, beside the calls under the old one.

    Thread safety: all functions may be called on a shared object. A lookup holds a lock for as long
    as it takes, some 100 ns; a handle that is kept needs none. */
class endpoint_registry {
public:
    static constexpr std::size_t default_most_states = 4096;

    explicit endpoint_registry(endpoint_table table = endpoint_table(),
                               std::size_t most_states = default_most_states);
    endpoint_registry(const endpoint_registry&) = delete;
    endpoint_registry& operator=(const endpoint_registry&) = delete;
    ~endpoint_registry();

    endpoint_table table() const;

    /// From now on requests are looked up in `t`. Strong guarantee: if it throws, nothing has
    /// changed.
    /** `now` is for budgets and breakers whose options change. */
    void replace(endpoint_table t, steady_time now = std::chrono::steady_clock::now());

    /// How many times the table was replaced.
    std::uint64_t generation() const noexcept;

    /// The endpoint of a request. Allocates only for an endpoint's first request to an origin.
    endpoint_handle find(const endpoint_key& key);

    /// The same for an absolute URL. @throws std::invalid_argument if it cannot be fetched.
    endpoint_handle find(std::string_view method, std::string_view url);

    /// A handle of the same name and origin under the table in force, or the handle itself if that
    /// is it, at the price of one comparison. Empty if there is no endpoint of that name any more.
    endpoint_handle renew(const endpoint_handle& h);

    /// What is in use, the most recently used first; for metrics.
    std::vector<endpoint_handle> states() const;

private:
    std::unique_ptr<detail::registry_state> state_;
};

}  // namespace asio_retry::http

#endif
