// What a classifier says of an outcome: success, or a kind of failure and what is known of it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_FAILURE_HPP
#define ASIO_RETRY_FAILURE_HPP

#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace asio_retry {

/// The kinds of failure that limits and backoffs are set for.
enum class failure_kind : std::uint8_t {
    connect,          ///< no connection came about: refused, unreachable, resolver says try again
    timeout,          ///< socket, TLS handshake or attempt timed out
    connection_lost,  ///< reset, broken or ended before the answer was whole
    throttling,       ///< the server asks for less: 408, 425, 429, 503 with Retry-After
    server,           ///< the server failed: 500, 502, 503, 504
    permanent,        ///< all else; never retried
    cancelled         ///< the caller's own doing; never retried, never the peer's failure
};

inline constexpr std::size_t failure_kind_count = 7;

/// The name of a kind as it stands in logs, reports and files.
constexpr std::string_view to_string(failure_kind kind) noexcept {
    switch (kind) {
        case failure_kind::connect: return "connect";
        case failure_kind::timeout: return "timeout";
        case failure_kind::connection_lost: return "connection_lost";
        case failure_kind::throttling: return "throttling";
        case failure_kind::server: return "server";
        case failure_kind::permanent: return "permanent";
        case failure_kind::cancelled: return "cancelled";
    }
    return "unknown";
}

/// The kind with this name, or nothing.
constexpr std::optional<failure_kind> failure_kind_from_string(std::string_view name) noexcept {
    for (std::size_t i = 0; i < failure_kind_count; ++i) {
        const auto kind = static_cast<failure_kind>(i);
        if (to_string(kind) == name) return kind;
    }
    return std::nullopt;
}

/// A classifier's word on one outcome.
/** Converts from `failure_kind`, so that a classifier may simply `return failure_kind::server;`.
    A small value; copies are cheap and never throw. */
class verdict {
public:
    /// No failure.
    static constexpr verdict success() noexcept { return verdict(); }

    /// A failure of this kind.
    constexpr verdict(failure_kind kind) noexcept : kind_(kind), is_failure_(true) {}

    /// The peer asked to wait this long; negative durations count as zero. Saturates: what a peer
    /// asks for may be any number of seconds.
    constexpr verdict& retry_after(detail::saturated delay) noexcept {
        const std::chrono::nanoseconds wait = delay;
        retry_after_ = wait.count() < 0 ? std::chrono::nanoseconds::zero() : wait;
        return *this;
    }

    /// Were this to be retried, do not, and finish for `why` (say `reason::not_idempotent`).
    constexpr verdict& forbid_retry(reason why) noexcept {
        veto_ = why;
        return *this;
    }

    /// A reused connection turned out dead before a response byte came: the first time in a call,
    /// the attempt is repeated at once and costs neither an attempt nor a delay.
    constexpr verdict& stale_connection() noexcept {
        stale_connection_ = true;
        return *this;
    }

    constexpr bool is_failure() const noexcept { return is_failure_; }
    /// The kind of failure. Precondition: `is_failure()`.
    constexpr failure_kind kind() const noexcept { return kind_; }
    constexpr std::optional<std::chrono::nanoseconds> retry_after() const noexcept {
        if (retry_after_.count() < 0) return std::nullopt;
        return retry_after_;
    }
    /// The reason that forbids a retry; `reason::success` if none does.
    constexpr reason veto() const noexcept { return veto_; }
    constexpr bool is_stale_connection() const noexcept { return stale_connection_; }

private:
    constexpr verdict() noexcept = default;

    std::chrono::nanoseconds retry_after_{-1};
    failure_kind kind_ = failure_kind::permanent;
    reason veto_ = reason::success;
    bool is_failure_ = false;
    bool stale_connection_ = false;
};

}  // namespace asio_retry

#endif
