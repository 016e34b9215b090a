// The rules of a circuit breaker on plain values: when a rate is reached, how probes decide, how
// long it stays open.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_BREAKER_RULES_HPP
#define ASIO_RETRY_DETAIL_BREAKER_RULES_HPP

#include <asio_retry/breaker_options.hpp>
#include <asio_retry/detail/call_window.hpp>
#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/jitter.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace asio_retry::detail {

/// Whether `part` of `all` is at least the rate, in whole millionths: 7 of 100 reach 0.07.
inline bool rate_reached(std::uint64_t part, std::uint64_t all, double rate) noexcept {
    return part * 1'000'000 >= static_cast<std::uint64_t>(std::llround(rate * 1e6)) * all;
}

/// Whether either rate is reached, whatever the number of calls.
inline bool unhealthy(const call_counts& n, const breaker_options& options) noexcept {
    return rate_reached(n.failed, n.calls, options.failure_rate()) ||
           rate_reached(n.slow, n.calls, options.slow_call_rate());
}

enum class probe_decision : std::uint8_t { undecided, close, open };

/// The probes of one half-open state: their places, and what came of them.
class probe_round {
public:
    bool has_place(const breaker_options& options) const noexcept {
        return out_ + done_.calls < options.half_open_probes();
    }
    void take() noexcept { ++out_; }
    void give_back() noexcept { --out_; }

    /// Decides as soon as the probes still to come cannot change it.
    probe_decision done(bool failed, bool slow, const breaker_options& options) noexcept {
        --out_;
        ++done_.calls;
        done_.failed += failed ? 1U : 0U;
        done_.slow += slow ? 1U : 0U;
        call_counts best = done_;
        best.calls = options.half_open_probes();
        call_counts worst = best;
        worst.failed += best.calls - done_.calls;
        if (options.slow_call() != breaker_options::unlimited) {
            worst.slow += best.calls - done_.calls;
        }
        if (unhealthy(best, options)) return probe_decision::open;
        return unhealthy(worst, options) ? probe_decision::undecided : probe_decision::close;
    }

private:
    call_counts done_;
    std::uint64_t out_ = 0;
};

/// How long the circuit stays open when it opens for the n-th time in a row, n >= 1.
inline nanoseconds open_time(const breaker_options& options, unsigned n) noexcept {
    const auto most = std::max(options.open_for(), options.max_open_for());
    const std::uint64_t factor = std::uint64_t{1} << std::min(n - 1, 62U);
    return std::min(most, saturating_multiply(options.open_for(), factor));
}

/// The same and up to a quarter more: upward only, so that the peer has its rest.
inline nanoseconds jittered_open_time(const breaker_options& options,
                                      unsigned n,
                                      std::uint64_t random) noexcept {
    const nanoseconds d = open_time(options, n);
    return saturating_add(d, uniform_up_to(d / 4, random));
}

/// Makes the next 64 random bits of a state (SplitMix64: Steele, Lea, Flood, 2014).
inline std::uint64_t next_random(std::uint64_t& state) noexcept {
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

}  // namespace asio_retry::detail

#endif
