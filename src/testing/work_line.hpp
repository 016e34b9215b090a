// The requests that a fault_server has yet to work on, where its capacity is bounded.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_TESTING_WORK_LINE_HPP
#define ASIO_RETRY_SRC_TESTING_WORK_LINE_HPP

#include <asio_retry/testing/fault_script.hpp>

#include <algorithm>
#include <chrono>

namespace asio_retry::testing::detail {

/// One worker, first come, first served. Times count from the server's start.
class work_line {
public:
    using nanoseconds = std::chrono::nanoseconds;

    explicit work_line(const fault_script& script) noexcept
        : work_(script.work_), from_(script.outage_from_), to_(script.outage_to_) {}

    /// Lines up a request that came at `now`; how long until it has been worked on.
    nanoseconds take(nanoseconds now) noexcept {
        nanoseconds begin = std::max(now, free_);
        if (begin >= from_ && begin < to_) begin = to_;
        const nanoseconds done = begin + work_;
        if (work_ > nanoseconds::zero()) free_ = done;
        return done - now;
    }

private:
    nanoseconds work_;
    nanoseconds from_;
    nanoseconds to_;
    nanoseconds free_{0};
};

}  // namespace asio_retry::testing::detail

#endif
