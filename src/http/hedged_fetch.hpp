// A fetch with another beside it where the first is slow: who wins, and what the call reports.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_HEDGED_FETCH_HPP
#define ASIO_RETRY_SRC_HTTP_HEDGED_FETCH_HPP

#include "http/client_state.hpp"
#include "http/fetch_lane.hpp"
#include "http/fetch_start.hpp"
#include <asio_retry/hedge_options.hpp>
#include <asio_retry/http/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::http::detail {

/// The contest of a `run_race`; see there. Lane 0 is the fetch as it would be without hedging.
class hedged_fetch {
public:
    hedged_fetch(std::shared_ptr<client_state> state, fetch_start begin, timer_service& timers);

    timed_wait& changed() noexcept { return changed_; }
    asio::awaitable<void> lane(unsigned n);
    steady_time due(unsigned n) const;
    bool admits(unsigned n, steady_time now);
    bool decides(unsigned n);

    /// Ends the call. `operation`, if not null, is told what failed.
    fetch_result finish(std::string* operation);

private:
    class entry {
    public:
        template <typename... Args>
        explicit entry(Args&&... args) noexcept : lane(std::forward<Args>(args)...) {}

        fetch_lane lane;
        std::string operation;
        std::optional<fetch_result> result;
        std::exception_ptr exception;
    };

    static asio::awaitable<void> run(hedged_fetch* self, entry* e);
    bool has_room() const noexcept;
    retry_report merge(const fetch_result& end) const;
    unsigned last_word() const noexcept;

    std::shared_ptr<client_state> state_;
    fetch_start begin_;
    const hedge_options options_;
    timer_service& timers_;
    timed_wait changed_;
    const steady_time start_;
    std::optional<nanoseconds> delay_;
    call_share share_;
    std::vector<std::unique_ptr<entry>> entries_;
    std::optional<unsigned> winner_;
};

/// Fetches as `run_fetch` does. Precondition: the policy hedges, and the request may be repeated.
asio::awaitable<fetch_result> run_hedged(std::shared_ptr<client_state> state,
                                         fetch_start begin,
                                         std::string* operation);

}  // namespace asio_retry::http::detail

#endif
