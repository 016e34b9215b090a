// One call in progress: the decision, the history and the observer, which every driver needs.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_RETRY_CALL_HPP
#define ASIO_RETRY_DETAIL_RETRY_CALL_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/attempt_history.hpp>
#include <asio_retry/detail/call_guards.hpp>
#include <asio_retry/detail/retry_fsm.hpp>
#include <asio_retry/error.hpp>
#include <asio_retry/observer.hpp>
#include <asio_retry/report.hpp>
#include <asio_retry/retry_policy.hpp>

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::detail {

/// Drives a `retry_fsm` and keeps what the report will tell.
/** A driver calls `start`; on *attempt* `begin_attempt`, and when it has ended `end_attempt`; on
    *wait* it waits until `wake_time` and calls `wait_done`; on *finish* `completion_error` and then
    `take_report`. The policy must outlive the call. Records are made when an attempt ends badly or
    is asked for, so that a call which succeeds at once allocates nothing. */
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
        return admit(fsm_.start(policy_, now), now);
    }

    /// Opens an attempt, at the time that `start` or `wait_done` was given, and says what the
    /// operation is to know of it.
    attempt begin_attempt() {
        open_ = false;
        guards_.begin();
        const attempt a(fsm_.number(), fsm_.attempt_deadline(policy_, mark_), fsm_.place(policy_));
        if (policy_.observer()) [[unlikely]]
            policy_.observer()->attempt_started(policy_.name(), a);
        return a;
    }

    /// Whether a success needs no report: nobody watches.
    bool unwatched() const noexcept { return policy_.observer() == nullptr; }

    /// Whether nobody need know of a success: neither an observer nor what calls share.
    bool is_plain() const noexcept { return unwatched() && !policy_.has_guards(); }

    /// Closes an attempt that succeeded, in a call that is not watched and not reported on: tells
    /// what calls share, and makes no record.
    void succeed_unwatched(steady_time now) noexcept {
        if (policy_.has_guards()) guards_.settle(policy_, verdict::success(), error_code(), now);
    }

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
        retry_action next = fsm_.attempt_done(policy_, now, v, random);
        if (policy_.has_guards() && next.source != delay_source::stale_connection) {
            guards_.settle(policy_, v, ec, now);
            if (next.what == retry_action::type::wait && !guards_.spend(policy_, v.kind(), now)) {
                next = fsm_.refuse_retry(reason::budget_exhausted);
            }
        }
        return note(next, now);
    }

    /// When a wait ends.
    steady_time wake_time() const noexcept { return mark_; }

    retry_action wait_done(steady_time now) noexcept { return admit(fsm_.wait_done(now), now); }

    /// Before such a wait: gives a probe's place to others.
    void yield_permit() noexcept { guards_.release(); }

    /// Instead of an attempt that was allowed but had to wait for a place first: asks the circuit
    /// breaker again.
    retry_action readmit(steady_time now) noexcept {
        if (policy_.has_guards()) guards_.release();
        return admit(retry_action::make_attempt(), now);
    }

    /// Instead of an attempt that was allowed: there was no place for it.
    retry_action refuse(reason why, steady_time now) noexcept {
        if (policy_.has_guards()) guards_.withdraw(policy_, now);
        return note(fsm_.refuse_attempt(why), now);
    }

    retry_action cancel(steady_time now) noexcept {
        if (fsm_.number() == 0) start_ = now;
        if (policy_.has_guards()) guards_.withdraw(policy_, now);
        return note(fsm_.cancel(), now);
    }

    /// The error to complete with after `why`; none if the last outcome was a value.
    error_code completion_error(reason why) const noexcept {
        if (why == reason::success) return {};
        if (why == reason::cancelled) return boost::asio::error::operation_aborted;
        if (fsm_.number() == 0) return error_without_attempt(why);
        return open_ ? history_.back().error : error_code();
    }

    /// Ends the call: the report, after the observer has heard of a failure. Call once.
    retry_report take_report(reason why) {
        std::vector<attempt_record> history = history_.take();
        error_code last;
        for (const attempt_record& r : history) {
            if (r.error) last = r.error;
        }
        retry_report report(why,
                            last,
                            fsm_.number(),
                            mark_ - start_,
                            std::move(history),
                            history_.forgotten(),
                            hint(why));
        if (why != reason::success && policy_.observer()) {
            policy_.observer()->gave_up(policy_.name(), report);
        }
        return report;
    }

private:
    static error error_without_attempt(reason why) noexcept {
        if (why == reason::circuit_open) return error::circuit_open;
        return why == reason::queue_full ? error::queue_full : error::deadline_exceeded;
    }

    retry_action admit(retry_action next, steady_time now) noexcept {
        return note(policy_.has_guards() ? admit_guarded(next, now) : next, now);
    }

    retry_action admit_guarded(retry_action next, steady_time now) noexcept {
        if (next.what == retry_action::type::attempt) {
            if (guards_.admit(policy_, now)) return next;
            next = fsm_.refuse_attempt(reason::circuit_open);
        }
        guards_.withdraw(policy_, now);
        return next;
    }

    std::optional<nanoseconds> hint(reason why) const noexcept {
        if (why == reason::retry_after_too_long) return fsm_.asked();
        if (why != reason::circuit_open) return std::nullopt;
        const steady_time t = guards_.retry_at();
        return t == steady_time::max() ? nanoseconds::max() : std::max(t - mark_, nanoseconds(0));
    }

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
    [[no_unique_address]] call_guards guards_;
    bool open_ = false;  // the last record is that of the attempt in progress, or just ended
};

}  // namespace asio_retry::detail

#endif
