// SPDX-License-Identifier: BSL-1.0
#include "http/fetch_lane.hpp"

#include <asio_retry/observer.hpp>

#include <algorithm>
#include <memory>

namespace asio_retry::http::detail {

namespace {

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

}  // namespace

retry_policy fetch_lane::shape(retry_policy p) {
    if (index_ != 0) {
        p.deadline(std::min(p.deadline(), saturating_add(call_start_, p.total_timeout())));
        p.total_timeout(retry_policy::unlimited).max_attempts(1);
        for (std::size_t i = 0; i < failure_kind_count; ++i) {
            const auto kind = static_cast<failure_kind>(i);
            if (p.on(kind).max_attempts()) p.on(kind, kind_limits());
        }
    }
    if (p.observer()) p.observer(std::make_shared<lane_observer>(p.observer(), *this, started_));
    return p;
}

}  // namespace asio_retry::http::detail
