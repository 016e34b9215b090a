// A retry_fsm with a policy, a clock and randomness of the test's own.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio_retry/detail/retry_fsm.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

namespace asio_retry::detail {

inline bool operator==(const retry_action& a, const retry_action& b) {
    return a.what == b.what && a.delay == b.delay && a.source == b.source && a.why == b.why;
}

inline std::ostream& operator<<(std::ostream& out, const retry_action& a) {
    if (a.what == retry_action::type::attempt) return out << "attempt";
    if (a.what == retry_action::type::finish) return out << "finish: " << to_string(a.why);
    return out << "wait " << a.delay.count() << " ns: " << to_string(a.source);
}

}  // namespace asio_retry::detail

namespace test {

namespace retry = asio_retry;
using retry::detail::retry_action;

inline const retry_action attempt = retry_action::make_attempt();

inline retry_action wait(std::chrono::nanoseconds delay,
                         retry::delay_source source = retry::delay_source::backoff) {
    return retry_action::wait_for(delay, source);
}

inline retry_action finish(retry::reason why) { return retry_action::finish(why); }

class fsm_driver {
public:
    explicit fsm_driver(retry::retry_policy p = {}) : policy(std::move(p)) {}

    retry_action start() { return fsm.start(policy, now); }

    retry_action done(const retry::verdict& v) {
        return fsm.attempt_done(policy, now, v, [this] {
            ++draws;
            return random;
        });
    }

    /// Lets the wait pass.
    retry_action waited(std::chrono::nanoseconds delay = {}) {
        now += delay;
        return fsm.wait_done(now);
    }

    /// From one attempt to the next, over whatever wait lies between; the wait.
    retry_action repeat(const retry::verdict& v) {
        const auto next = done(v);
        if (next.what == retry_action::type::wait) waited(next.delay);
        return next;
    }

    retry::retry_policy policy;
    retry::detail::retry_fsm fsm;
    retry::steady_time now{std::chrono::hours(1)};
    std::uint64_t random = UINT64_MAX;  // the most that jitter can give: the delay itself
    int draws = 0;
};

}  // namespace test
