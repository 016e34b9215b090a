// The state of a circuit breaker in one word, which every call reads.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_BREAKER_WORD_HPP
#define ASIO_RETRY_DETAIL_BREAKER_WORD_HPP

#include <asio_retry/breaker_state.hpp>

#include <cstddef>
#include <cstdint>

namespace asio_retry::detail {

enum class breaker_mode : std::uint8_t { closed, open, half_open, forced_closed, isolated };

/// The mode, which of two windows counts, and the generation, which every change raises.
/** The windows take turns, so that a result which comes just as its state ends does not spoil the
    next one. A permit keeps the word that it was given under: no other state ever has the same. */
class breaker_word {
public:
    using bits = std::uint64_t;

    constexpr explicit breaker_word(bits b = 0) noexcept : bits_(b) {}
    constexpr breaker_word(breaker_mode m, std::size_t window, std::uint64_t generation) noexcept
        : bits_(generation << 4U | window << 3U | static_cast<bits>(m)) {}

    constexpr bits value() const noexcept { return bits_; }
    constexpr breaker_mode mode() const noexcept { return static_cast<breaker_mode>(bits_ & 7U); }
    constexpr std::size_t window() const noexcept { return (bits_ >> 3U) & 1U; }
    constexpr std::uint64_t generation() const noexcept { return bits_ >> 4U; }

    constexpr breaker_state state() const noexcept {
        if (mode() == breaker_mode::half_open) return breaker_state::half_open;
        const bool closed = mode() == breaker_mode::closed || mode() == breaker_mode::forced_closed;
        return closed ? breaker_state::closed : breaker_state::open;
    }
    constexpr breaker_control control() const noexcept {
        return mode() >= breaker_mode::forced_closed ? breaker_control::forced
                                                     : breaker_control::automatic;
    }

    friend constexpr bool operator==(breaker_word, breaker_word) noexcept = default;

private:
    bits bits_;
};

}  // namespace asio_retry::detail

#endif
