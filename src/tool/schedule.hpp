// When the attempts of a call can start: what a policy promises, worked out.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_SCHEDULE_HPP
#define ASIO_RETRY_TOOL_SCHEDULE_HPP

#include <asio_retry/failure.hpp>
#include <asio_retry/retry_policy.hpp>

#include <chrono>
#include <optional>
#include <vector>

namespace asio_retry::tool {

/// One attempt of a call whose attempts all fail.
class scheduled_attempt {
public:
    unsigned number = 1;
    // The delay before it.
    std::chrono::nanoseconds shortest_delay{0};
    std::chrono::nanoseconds longest_delay{0};
    // Its start: where every attempt before it failed at once, and where each took all its time.
    std::chrono::nanoseconds earliest{0};
    std::chrono::nanoseconds latest{0};
    /// Where each took all its time: it ends by then, at the latest.
    std::chrono::nanoseconds end{0};
    /// Whether the total timeout may end the call before it.
    bool may_be_cut_off = false;
};

/// A call whose attempts all fail in one way. Times without limit are `retry_policy::unlimited`.
class schedule {
public:
    /// The kind of failure, where that has limits of its own.
    std::optional<failure_kind> kind;
    std::vector<scheduled_attempt> attempts;
    /// How many attempts there may be; more than are in the list where there are very many.
    unsigned max_attempts = 1;
    /// How long the call takes at most.
    std::chrono::nanoseconds total{0};
    bool is_total_timeout = false;
};

/// Of at most this many attempts.
inline constexpr unsigned longest_schedule = 50;

/// The schedule for failures of a kind, or for those without limits of their own.
schedule schedule_of(const retry_policy& policy, std::optional<failure_kind> kind = std::nullopt);

/// That for all failures, then those of the kinds with limits of their own.
std::vector<schedule> schedules_of(const retry_policy& policy);

}  // namespace asio_retry::tool

#endif
