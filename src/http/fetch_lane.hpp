// One of the fetches of a hedged call: how far it is, and how its attempts are numbered among all.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FETCH_LANE_HPP
#define ASIO_RETRY_SRC_HTTP_FETCH_LANE_HPP

#include "http/core.hpp"
#include <asio_retry/attempt.hpp>
#include <asio_retry/retry_policy.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::http::detail {

/// What there is once in a call, also if it is hedged.
class call_share {
public:
    unsigned numbers = 0;     ///< the last that was given to an attempt
    std::string key;          ///< the Idempotency-Key, once one was made
    bool has_resent = false;  ///< for a stale connection
};

/// Told by its `fetch_call`, asked by the race. All of a call's lanes run on one executor.
class fetch_lane {
public:
    /// Lane 0 is the fetch as it would be without hedging.
    fetch_lane(unsigned index,
               steady_time call_start,
               steady_time now,
               call_share& share,
               timed_wait& changed) noexcept
        : share_(share),
          changed_(changed),
          call_start_(call_start),
          started_(now - call_start),
          index_(index) {}
    fetch_lane(const fetch_lane&) = delete;
    fetch_lane& operator=(const fetch_lane&) = delete;

    /// The policy of the call as it is for this lane: one attempt only if it is extra, within the
    /// deadline of the call.
    retry_policy shape(retry_policy p);

    /// When the lane started, since the start of the call.
    nanoseconds started() const noexcept { return started_; }

    /// The number in the whole call of the lane's own n-th attempt, which starts now if it is new.
    unsigned number_of(unsigned own) {
        while (numbers_given_.size() < own) numbers_given_.push_back(++share_.numbers);
        return numbers_given_[own - 1];
    }

    call_share& share() noexcept { return share_; }

    /// An attempt has all it waited for, and goes to work.
    void attempt_runs(steady_time now) {
        if (first_has_ended_ || running_since_ != steady_time::max()) return;
        running_since_ = now;
        changed_.wake();
    }
    /// A resend of the same attempt, on a fresh connection, may follow.
    void attempt_ended(bool is_resent, steady_time now) noexcept {
        if (running_since_ != steady_time::max()) took_ = now - running_since_;
        first_has_ended_ = first_has_ended_ || !is_resent;
        running_since_ = steady_time::max();
    }
    /// How long the first attempt took, or has taken so far.
    nanoseconds first_took(steady_time now) const noexcept {
        return running_since_ != steady_time::max() ? now - running_since_ : took_;
    }
    /// Since when the lane's first attempt has been at work; max() if it is not.
    steady_time running_since() const noexcept { return running_since_; }

    /// What the call is in texts, once the lane has failed with somebody watching.
    std::string operation;

private:
    call_share& share_;
    timed_wait& changed_;
    std::vector<unsigned> numbers_given_;
    const steady_time call_start_;
    const nanoseconds started_;
    steady_time running_since_ = steady_time::max();
    nanoseconds took_{0};
    const unsigned index_;
    bool first_has_ended_ = false;
};

}  // namespace asio_retry::http::detail

#endif
