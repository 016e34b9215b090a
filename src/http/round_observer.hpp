// Watches one round of a call, for the observer of the call.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_ROUND_OBSERVER_HPP
#define ASIO_RETRY_SRC_HTTP_ROUND_OBSERVER_HPP

#include "http/core.hpp"
#include "http/fetch_lane.hpp"
#include <asio_retry/observer.hpp>

#include <memory>
#include <string_view>
#include <utility>

namespace asio_retry::http::detail {

/// Tells of the attempts of one hop, or of one lane, by their numbers and times in the whole call.
/** That a round has failed is not the end of the call, and not told. */
class round_observer final : public observer {
public:
    /// `lane` is null if the call is not hedged; `attempts` and `started` are those before the
    /// round.
    round_observer(std::shared_ptr<observer> o,
                   fetch_lane* lane,
                   unsigned attempts,
                   nanoseconds started) noexcept
        : observer_(std::move(o)), lane_(lane), attempts_(attempts), started_(started) {}

    void attempt_started(std::string_view operation, const attempt& a) noexcept override {
        const auto place = a.is_last() ? attempt_place::last : attempt_place::not_last;
        observer_->attempt_started(operation, attempt(number_of(a.number()), a.deadline(), place));
    }
    void attempt_finished(std::string_view operation, const attempt_record& r) noexcept override {
        observer_->attempt_finished(operation, in_call(r));
    }
    void retry_scheduled(std::string_view operation, const attempt_record& r) noexcept override {
        observer_->retry_scheduled(operation, in_call(r));
    }

private:
    unsigned number_of(unsigned n) const {
        return lane_ != nullptr ? lane_->number_of(attempts_ + n) : attempts_ + n;
    }
    attempt_record in_call(attempt_record r) const {
        r.number = number_of(r.number);
        r.started += started_;
        return r;
    }

    std::shared_ptr<observer> observer_;
    fetch_lane* lane_;
    unsigned attempts_;
    nanoseconds started_;
};

}  // namespace asio_retry::http::detail

#endif
