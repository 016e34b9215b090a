// When a second attempt is made beside a first that is slow, and how many of them.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HEDGE_OPTIONS_HPP
#define ASIO_RETRY_HEDGE_OPTIONS_HPP

#include <asio_retry/detail/saturate.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

namespace asio_retry {

/// The options of hedging. A value; setters chain, and throw std::invalid_argument for an
/// impossible value and then change nothing.
/** A delay near the 95th percentile of latency costs one request more in twenty, and cuts off most
    of the tail above it (Dean and Barroso, "The Tail at Scale", CACM 56/2, 2013). */
class hedge_options {
public:
    using duration = std::chrono::nanoseconds;

    hedge_options() = default;

    /// The most extra attempts that a call may be allowed.
    static constexpr unsigned most_extra = 8;

    /// How long the first attempt may take before another is started; again as long before a third.
    /// Above 0; default none, which is `after_p95()`.
    template <typename Rep, typename Period>
    hedge_options& after(std::chrono::duration<Rep, Period> d) {
        const duration value = detail::saturating_cast(d);
        if (value <= duration::zero()) throw std::invalid_argument("after: must be above 0");
        after_ = value;
        return *this;
    }
    std::optional<duration> after() const noexcept { return after_; }

    /// Takes the 95th percentile of the latencies observed of late for the delay.
    /** Before enough of them have been observed `after` is the delay, if it is set; if not, nothing
        is hedged. */
    hedge_options& after_p95() noexcept {
        observes_ = true;
        return *this;
    }
    /// Whether the delay is taken from what was observed.
    bool observes() const noexcept { return observes_ || !after_; }

    /// How many attempts may be started beside the first. From 1 to 8; default 1.
    hedge_options& max_extra(unsigned n) {
        if (n == 0 || n > most_extra) {
            throw std::invalid_argument("max_extra: " + std::to_string(n) +
                                        " is out of range; must be from 1 to " +
                                        std::to_string(most_extra));
        }
        max_extra_ = n;
        return *this;
    }
    unsigned max_extra() const noexcept { return max_extra_; }

    friend bool operator==(const hedge_options& a, const hedge_options& b) noexcept {
        return a.after_ == b.after_ && a.observes() == b.observes() && a.max_extra_ == b.max_extra_;
    }

private:
    std::optional<duration> after_;
    unsigned max_extra_ = 1;
    bool observes_ = false;
};

}  // namespace asio_retry

#endif
