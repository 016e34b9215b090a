// The states of a circuit breaker, and what its listener is told of a change.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_BREAKER_STATE_HPP
#define ASIO_RETRY_BREAKER_STATE_HPP

#include <asio_retry/attempt.hpp>

#include <cstdint>
#include <string_view>

namespace asio_retry {

enum class breaker_state : std::uint8_t {
    closed,    ///< calls pass, and their results are counted
    open,      ///< calls are refused
    half_open  ///< a few probes pass, and decide
};

/// Whether the breaker decides its state, or somebody has forced it.
enum class breaker_control : std::uint8_t { automatic, forced };

constexpr std::string_view to_string(breaker_state s) noexcept {
    switch (s) {
        case breaker_state::closed: return "closed";
        case breaker_state::open: return "open";
        case breaker_state::half_open: return "half_open";
    }
    return "unknown";
}

constexpr std::string_view to_string(breaker_control c) noexcept {
    switch (c) {
        case breaker_control::automatic: return "automatic";
        case breaker_control::forced: return "forced";
    }
    return "unknown";
}

/// A change of state, as a listener is told of it.
class breaker_change {
public:
    breaker_change() = default;

    breaker_state from = breaker_state::closed;
    breaker_state to = breaker_state::closed;
    breaker_control control = breaker_control::automatic;
    /// Rises with every change, so that changes heard out of order can be told.
    std::uint64_t generation = 0;
    /// Of an open circuit: when it will let a probe through; `steady_time::max()` if it is forced.
    steady_time retry_at{};
};

}  // namespace asio_retry

#endif
