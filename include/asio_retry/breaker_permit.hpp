// Leave to make one call through a circuit breaker: a lease that wants its result back.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_BREAKER_PERMIT_HPP
#define ASIO_RETRY_BREAKER_PERMIT_HPP

#include <asio_retry/attempt.hpp>

#include <cstdint>
#include <utility>

namespace asio_retry {

class circuit_breaker;

/// Leave to make one call; it ends with one of `succeed`, `fail` and `cancel`.
/** Destruction cancels; the place of a cancelled probe goes to the next caller. It belongs to the
    state of the breaker that gave it: once that state has ended, its result changes nothing. After
    the first result it is spent and further ones do nothing. The breaker must outlive it.
    Thread safety: distinct objects safe. */
class breaker_permit {
public:
    /// Refused.
    breaker_permit() noexcept = default;
    breaker_permit(breaker_permit&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)),
          word_(other.word_),
          time_(other.time_) {}
    breaker_permit& operator=(breaker_permit&& other) noexcept {
        if (this != &other) {
            cancel();
            breaker_ = std::exchange(other.breaker_, nullptr);
            word_ = other.word_;
            time_ = other.time_;
        }
        return *this;
    }
    ~breaker_permit() { cancel(); }

    /// Whether the call may be made and its result is still owed.
    explicit operator bool() const noexcept { return breaker_ != nullptr; }

    /// Of a refusal: when the circuit will let a probe through.
    /** `steady_time::max()` while it is isolated. While all probes are out, when there would be new
        ones if these failed now. */
    steady_time retry_at() const noexcept { return time_; }

    /// The call succeeded. It counts as slow if it took longer than `slow_call`.
    void succeed(steady_time now) noexcept { end(now, false); }
    /// The call failed in a way that tells of the peer's health.
    void fail(steady_time now) noexcept { end(now, true); }
    /// The call tells nothing of the peer: it was cancelled, or never made. Neutral.
    void cancel() noexcept;

private:
    friend class circuit_breaker;

    breaker_permit(circuit_breaker& b, std::uint64_t word, steady_time now) noexcept
        : breaker_(&b), word_(word), time_(now) {}
    explicit breaker_permit(steady_time retry_at) noexcept : time_(retry_at) {}

    void end(steady_time now, bool failed) noexcept;

    circuit_breaker* breaker_ = nullptr;
    std::uint64_t word_ = 0;
    steady_time time_{};  // of the start, or of the next probe
};

}  // namespace asio_retry

#endif
