// How many calls may run at once, how many may wait, and whether the limit follows the latency.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_CONCURRENCY_OPTIONS_HPP
#define ASIO_RETRY_CONCURRENCY_OPTIONS_HPP

#include <asio_retry/detail/check_number.hpp>
#include <asio_retry/detail/saturate.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>

namespace asio_retry {

/// The options of a `concurrency_limit`. A value; setters chain, and throw std::invalid_argument
/// for an impossible value.
class concurrency_options {
public:
    using duration = std::chrono::nanoseconds;

    /// No limit, for `adaptive_latency`.
    static constexpr duration unlimited = duration::max();

    concurrency_options() = default;

    /// How many calls may run at once. At least 1; default 64.
    concurrency_options& max_concurrency(std::uint32_t n) {
        max_concurrency_ = at_least_one("max_concurrency", n);
        return *this;
    }
    std::uint32_t max_concurrency() const noexcept { return max_concurrency_; }

    /// How many more may wait for their turn; those beyond fail at once. 0 or more; default 128.
    concurrency_options& queue(std::uint32_t n) noexcept {
        queue_ = n;
        return *this;
    }
    std::uint32_t queue() const noexcept { return queue_; }

    /// A call that fails or takes longer than this shows overload. Above 0; default unlimited: the
    /// limit is fixed.
    /** Otherwise it moves between `min_concurrency` and `max_concurrency`, where it starts:
        overload cuts it to nine tenths, once for all calls that were on their way at the time; as
        many good calls as the limit is high raise it by one, while at least half of it is in use.
        Additive increase, multiplicative decrease: D. Chiu, R. Jain, 1989; on latency as in
        Netflix's concurrency-limits. */
    template <typename Rep, typename Period>
    concurrency_options& adaptive_latency(std::chrono::duration<Rep, Period> d) {
        adaptive_latency_ = detail::check_positive("adaptive_latency", detail::saturating_cast(d));
        return *this;
    }
    duration adaptive_latency() const noexcept { return adaptive_latency_; }

    /// The lowest that an adaptive limit sinks. At least 1; default 1. `max_concurrency` bounds it.
    concurrency_options& min_concurrency(std::uint32_t n) {
        min_concurrency_ = at_least_one("min_concurrency", n);
        return *this;
    }
    std::uint32_t min_concurrency() const noexcept { return min_concurrency_; }

    friend bool operator==(const concurrency_options&, const concurrency_options&) = default;

private:
    static std::uint32_t at_least_one(const char* name, std::uint32_t n) {
        if (n != 0) return n;
        throw std::invalid_argument(std::string(name) + ": 0 is too few; must be 1 or more");
    }

    duration adaptive_latency_ = unlimited;
    std::uint32_t max_concurrency_ = 64;
    std::uint32_t queue_ = 128;
    std::uint32_t min_concurrency_ = 1;
};

}  // namespace asio_retry

#endif
