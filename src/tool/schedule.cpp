// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/detail/saturate.hpp>

#include <tool/schedule.hpp>

#include <algorithm>

namespace asio_retry::tool {

namespace {

using detail::saturating_add;
using std::chrono::nanoseconds;

constexpr auto unlimited = retry_policy::unlimited;

/// The bounds of the delay before retry n, from the longest delay before the previous one.
void set_delay(scheduled_attempt& a, const backoff& schedule, unsigned n, nanoseconds previous) {
    a.longest_delay = schedule.ceiling(n, previous);
    a.shortest_delay = a.longest_delay;
    if (schedule.type() == backoff::kind::decorrelated) {
        a.shortest_delay = schedule.base();
    } else if (schedule.jitter() == jitter::full) {
        a.shortest_delay = nanoseconds::zero();
    } else if (schedule.jitter() == jitter::equal) {
        a.shortest_delay = a.longest_delay - a.longest_delay / 2;
    }
}

}  // namespace

schedule schedule_of(const retry_policy& policy, std::optional<failure_kind> kind) {
    const kind_limits limits = kind ? policy.on(*kind) : kind_limits();
    const backoff& delays = limits.backoff() ? *limits.backoff() : policy.backoff();
    const nanoseconds deadline = policy.total_timeout();
    const nanoseconds attempt = std::min(policy.attempt_timeout(), deadline);
    schedule s;
    s.kind = kind;
    s.max_attempts = limits.max_attempts().value_or(policy.max_attempts());
    nanoseconds previous{0};
    scheduled_attempt a;
    while (a.number <= std::min(s.max_attempts, longest_schedule)) {
        a.end = std::min(saturating_add(a.latest, attempt), deadline);
        if (a.earliest > deadline) break;
        s.attempts.push_back(a);
        s.total = a.end;
        set_delay(a, delays, a.number, previous);
        previous = a.longest_delay;
        a.earliest = saturating_add(a.earliest, a.shortest_delay);
        const nanoseconds latest =
            a.end == unlimited ? unlimited : saturating_add(a.end, a.longest_delay);
        a.may_be_cut_off = latest >= deadline && deadline != unlimited;
        a.latest = std::min(latest, deadline);
        ++a.number;
    }
    if (s.max_attempts > longest_schedule) s.total = deadline;
    s.is_total_timeout = s.total == deadline && deadline != unlimited;
    return s;
}

std::vector<schedule> schedules_of(const retry_policy& policy) {
    std::vector<schedule> all{schedule_of(policy)};
    for (std::size_t i = 0; i < failure_kind_count; ++i) {
        const auto kind = static_cast<failure_kind>(i);
        if (policy.on(kind) != kind_limits()) all.push_back(schedule_of(policy, kind));
    }
    return all;
}

}  // namespace asio_retry::tool
