// One call in progress: the decision, the history and the observer, which every driver needs.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_RETRY_CALL_HPP
#define ASIO_RETRY_DETAIL_RETRY_CALL_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/attempt_history.hpp>
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

    /// The record of the attempt in progress, for what only the driver knows (status, send state).
    attempt_record& record() {
        if (!open_) {
            open_ = true;
            return history_.add(policy_.max_history());
        }
        return history_.back();
    }

    retry_action start(steady_time now) noexcept {
        start_ = now;
        return note(fsm_.start(policy_, now), now);
    }

    /// Opens an attempt, at the time that `start` or `wait_done` was given, and says what the
    /// operation is to know of it.
    attempt begin_attempt() {
        open_ = false;
        const attempt a(
            fsm_.number(), fsm_.attempt_deadline(policy_, mark_), fsm_.place(policy_));
        if (policy_.observer()) [[unlikely]]
            policy_.observer()->attempt_started(policy_.name(), a);
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
        r.started = mark_ - start_;
        r.elapsed = now - mark_;
        r.error = ec;
        if (v.is_failure()) r.kind = v.kind();
        if (policy_.observer()) policy_.observer()->attempt_finished(policy_.name(), r);
        return note(fsm_.attempt_done(policy_, now, v, random), now);
    }

    /// When a wait ends.
    steady_time wake_time() const noexcept { return mark_; }

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
        std::vector<attempt_record> history = history_.take();
        error_code last;
        for (const attempt_record& r : history) {
            if (r.error) last = r.error;
        }
        retry_report report(
            why, last, fsm_.number(), mark_ - start_, std::move(history), history_.forgotten());
        if (why != reason::success && policy_.observer()) {
            policy_.observer()->gave_up(policy_.name(), report);
        }
        return report;
    }

private:
    retry_action note(retry_action next, steady_time now) noexcept {
        mark_ = now;
        if (next.what == retry_action::type::wait) {
            mark_ = saturating_add(now, next.delay);
            history_.back().delay = next.delay;
            history_.back().source = next.source;
            if (policy_.observer()) {
                policy_.observer()->retry_scheduled(policy_.name(), history_.back());
            }
        }
        return next;
    }

    const retry_policy& policy_;
    retry_fsm fsm_;
    steady_time start_{};
    steady_time mark_{};  // start of the attempt, end of the wait, or end of the call
    attempt_history history_;
    bool open_ = false;  // the last record is that of the attempt in progress, or just ended
};

}  // namespace asio_retry::detail

#endif
