// One of the fetches of a hedged call: how far it is, and how its attempts are numbered among all.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FETCH_LANE_HPP
#define ASIO_RETRY_SRC_HTTP_FETCH_LANE_HPP

#include "http/core.hpp"
#include <asio_retry/attempt.hpp>
#include <asio_retry/observer.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::http::detail {

/// Told by its `fetch_call`, asked by the race. All of a call's lanes run on one executor.
class fetch_lane {
public:
    /// `numbers` is the last number given to any attempt of the call.
    fetch_lane(unsigned& numbers, timed_wait& changed) noexcept
        : numbers_(numbers), changed_(changed) {}
    fetch_lane(const fetch_lane&) = delete;
    fetch_lane& operator=(const fetch_lane&) = delete;

    /// The number in the whole call of the lane's own n-th attempt, which starts now if it is new.
    unsigned number_of(unsigned own) {
        while (numbers_given_.size() < own) numbers_given_.push_back(++numbers_);
        return numbers_given_[own - 1];
    }
    /// A hop of a redirection begins, after so many attempts of the lane's own.
    void begin_hop(unsigned attempts_before) noexcept { before_ = attempts_before; }
    /// Of the n-th attempt of the hop.
    unsigned number_in_hop(unsigned n) { return number_of(before_ + n); }

    /// An attempt has all it waited for, and goes to work.
    void attempt_runs(steady_time now) {
        if (first_has_ended_ || running_since_ != steady_time::max()) return;
        running_since_ = now;
        changed_.wake();
    }
    /// A resend of the same attempt, on a fresh connection, may follow.
    void attempt_ended(bool is_resent) noexcept {
        first_has_ended_ = first_has_ended_ || !is_resent;
        running_since_ = steady_time::max();
    }
    /// Since when the lane's first attempt has been at work; max() if it is not.
    steady_time running_since() const noexcept { return running_since_; }

    /// What the call is in texts, once the lane has failed with somebody watching.
    std::string operation;

private:
    unsigned& numbers_;
    timed_wait& changed_;
    std::vector<unsigned> numbers_given_;
    steady_time running_since_ = steady_time::max();
    unsigned before_ = 0;
    bool first_has_ended_ = false;
};

/// Tells the call's observer of a lane's attempts by their numbers and times in the whole call.
/** That a lane has failed is not the end of the call, and not told. */
class lane_observer final : public observer {
public:
    lane_observer(std::shared_ptr<observer> o, fetch_lane& lane, nanoseconds started) noexcept
        : observer_(std::move(o)), lane_(lane), started_(started) {}

    void attempt_started(std::string_view operation, const attempt& a) noexcept override {
        const auto place = a.is_last() ? attempt_place::last : attempt_place::not_last;
        observer_->attempt_started(operation,
                                   attempt(lane_.number_in_hop(a.number()), a.deadline(), place));
    }
    void attempt_finished(std::string_view operation, const attempt_record& r) noexcept override {
        observer_->attempt_finished(operation, in_call(r));
    }
    void retry_scheduled(std::string_view operation, const attempt_record& r) noexcept override {
        observer_->retry_scheduled(operation, in_call(r));
    }
    void gave_up(std::string_view operation, const retry_report&) noexcept override {
        lane_.operation = operation;
    }

private:
    attempt_record in_call(attempt_record r) {
        r.number = lane_.number_in_hop(r.number);
        r.started += started_;
        return r;
    }

    std::shared_ptr<observer> observer_;
    fetch_lane& lane_;
    nanoseconds started_;
};

}  // namespace asio_retry::http::detail

#endif
