// One call in progress: the decision, the history and the observer, which every driver needs.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_RETRY_CALL_HPP
#define ASIO_RETRY_DETAIL_RETRY_CALL_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/retry_fsm.hpp>
#include <asio_retry/error.hpp>
#include <asio_retry/observer.hpp>
#include <asio_retry/report.hpp>
#include <asio_retry/retry_policy.hpp>

#include <boost/asio/error.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::detail {

/// Drives a `retry_fsm` and keeps what the report will tell.
/** A driver calls `start`; on *attempt* `begin_attempt`, and when it has ended `end_attempt`; on
    *wait* it waits until `wake_time` and calls `wait_done`; on *finish* `completion_error` and then
    `take_report`. The policy must outlive the call. Records are made when an attempt ends badly or is asked for, so that a call
    which succeeds at once allocates nothing. */
class retry_call {
public:
    explicit retry_call(const retry_policy& policy) noexcept : policy_(policy) {}
    explicit retry_call(retry_policy&&) = delete;

    const retry_policy& policy() const noexcept { return policy_; }
    steady_time deadline() const noexcept { return fsm_.deadline(); }
    unsigned number() const noexcept { return fsm_.number(); }

    /// What observers are told this call is; the policy's name if not set. Kept by reference.
    void operation(const std::string& name) noexcept { operation_ = &name; }

    /// The record of the attempt in progress, for what only the driver knows (status, send state).
    attempt_record& record() {
        if (!open_) {
            if (history_.size() >= policy_.max_history()) {
                history_.erase(history_.begin());
                ++forgotten_;
            }
            history_.emplace_back();
            open_ = true;
        }
        return history_.back();
    }

    retry_action start(steady_time now) noexcept {
        start_ = now;
        return note(fsm_.start(policy_, now), now);
    }

    /// Opens an attempt and says what the operation is to know of it.
    attempt begin_attempt(steady_time now) {
        attempt_start_ = now;
        open_ = false;
        const attempt a(fsm_.number(), fsm_.attempt_deadline(policy_, now), fsm_.place(policy_));
        if (policy_.observer()) policy_.observer()->attempt_started(operation(), a);
        return a;
    }

    /// Whether a success needs no report: nobody watches.
    bool unwatched() const noexcept { return policy_.observer() == nullptr; }

    /// Closes the attempt with its error and verdict, and decides what follows.
    template <typename Random>
    retry_action end_attempt(steady_time now,
                             const verdict& v,
                             const error_code& ec,
                             Random&& random) {
        attempt_record& r = record();
        r.number = fsm_.number();
        r.started = attempt_start_ - start_;
        r.elapsed = now - attempt_start_;
        r.error = ec;
        if (v.is_failure()) r.kind = v.kind();
        if (policy_.observer()) policy_.observer()->attempt_finished(operation(), r);
        return note(fsm_.attempt_done(policy_, now, v, random), now);
    }

    steady_time wake_time() const noexcept { return next_; }

    retry_action wait_done(steady_time now) noexcept { return note(fsm_.wait_done(now), now); }

    retry_action cancel(steady_time now) noexcept {
        if (fsm_.number() == 0) start_ = now;
        return note(fsm_.cancel(), now);
    }

    /// The error to complete with after `why`; none if the last outcome was a value.
    error_code completion_error(reason why) const noexcept {
        if (why == reason::success) return {};
        if (why == reason::cancelled) return boost::asio::error::operation_aborted;
        if (fsm_.number() == 0) return error::deadline_exceeded;
        return open_ ? history_.back().error : error_code();
    }

    /// Ends the call: the report, after the observer has heard of a failure. Call once.
    retry_report take_report(reason why) {
        error_code last;
        for (const attempt_record& r : history_) {
            if (r.error) last = r.error;
        }
        retry_report report(
            why, last, fsm_.number(), next_ - start_, std::move(history_), forgotten_);
        if (why != reason::success && policy_.observer()) {
            policy_.observer()->gave_up(operation(), report);
        }
        return report;
    }

private:
    const std::string& operation() const noexcept {
        return operation_ != nullptr ? *operation_ : policy_.name();
    }

    retry_action note(retry_action next, steady_time now) noexcept {
        next_ = now;
        if (next.what == retry_action::type::wait) {
            next_ = saturating_add(now, next.delay);
            history_.back().delay = next.delay;
            history_.back().source = next.source;
            if (policy_.observer()) {
                policy_.observer()->retry_scheduled(operation(), history_.back());
            }
        }
        return next;
    }

    const retry_policy& policy_;
    const std::string* operation_ = nullptr;
    retry_fsm fsm_;
    steady_time start_{};
    steady_time attempt_start_{};
    steady_time next_{};  // when the wait ends, or the call ended
    std::vector<attempt_record> history_;
    std::uint32_t forgotten_ = 0;
    bool open_ = false;  // the last record is that of the attempt in progress, or just ended
};

}  // namespace asio_retry::detail

#endif
