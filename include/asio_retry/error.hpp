// The errors of the library's own, and the reason why a call ended.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_ERROR_HPP
#define ASIO_RETRY_ERROR_HPP

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace asio_retry {

using boost::system::error_code;

/// Why a call ended. Every call has exactly one.
enum class reason : std::uint8_t {
    success,               ///< the last outcome was no failure
    permanent_failure,     ///< the last failure is of a kind that a repeat does not mend
    attempts_exhausted,    ///< the limit on attempts, or on those of this failure kind, is reached
    deadline_exceeded,     ///< the total timeout passed, or the next delay would have passed it
    budget_exhausted,      ///< the retry budget of the endpoint is spent
    circuit_open,          ///< the circuit breaker let no attempt through
    queue_full,            ///< the concurrency limit's queue had no place
    not_idempotent,        ///< the request may have had an effect and is not safe to repeat
    body_not_replayable,   ///< the request's body was a one-shot stream and some of it has left
    retry_after_too_long,  ///< the server asked for a longer wait than the policy or deadline allow
    cancelled              ///< the caller cancelled
};

/// The name of a reason as it stands in logs, reports and files.
constexpr std::string_view to_string(reason r) noexcept {
    switch (r) {
        case reason::success: return "success";
        case reason::permanent_failure: return "permanent_failure";
        case reason::attempts_exhausted: return "attempts_exhausted";
        case reason::deadline_exceeded: return "deadline_exceeded";
        case reason::budget_exhausted: return "budget_exhausted";
        case reason::circuit_open: return "circuit_open";
        case reason::queue_full: return "queue_full";
        case reason::not_idempotent: return "not_idempotent";
        case reason::body_not_replayable: return "body_not_replayable";
        case reason::retry_after_too_long: return "retry_after_too_long";
        case reason::cancelled: return "cancelled";
    }
    return "unknown";
}

/// Errors that arise in the library itself; all others are passed on as the operation gave them.
enum class error {
    /// An attempt did not end within its timeout. Equivalent to `std::errc::timed_out`.
    attempt_timeout = 1,
    /// The deadline had passed before an attempt could start. Equivalent to `std::errc::timed_out`.
    deadline_exceeded,
    /// The operation threw something that is not a `system_error`; the exception itself is kept.
    operation_threw,
    /// The circuit breaker let no attempt through. Not retried by default.
    circuit_open,
    /// The concurrency limit was reached, and its queue full. Not retried by default.
    queue_full
};

namespace detail {

class error_category_type final : public boost::system::error_category {
public:
    constexpr error_category_type() noexcept : error_category(0x5bd1e9956a09e667ULL) {}

    const char* name() const noexcept override { return "asio_retry"; }

    std::string message(int value) const override { return text(value); }

    const char* message(int value, char*, std::size_t) const noexcept override {
        return text(value);
    }

    boost::system::error_condition default_error_condition(int value) const noexcept override {
        const auto e = static_cast<error>(value);
        if (e == error::attempt_timeout || e == error::deadline_exceeded) {
            return boost::system::errc::make_error_condition(boost::system::errc::timed_out);
        }
        return {value, *this};
    }

private:
    static const char* text(int value) noexcept {
        switch (static_cast<error>(value)) {
            case error::attempt_timeout: return "the attempt timed out";
            case error::deadline_exceeded:
                return "the deadline passed before an attempt could start";
            case error::operation_threw:
                return "the operation threw an exception without error code";
            case error::circuit_open: return "the circuit breaker is open";
            case error::queue_full: return "the queue of the concurrency limit is full";
        }
        return "unknown asio_retry error";
    }
};

inline constexpr error_category_type error_category_instance{};

}  // namespace detail

/// The category of `asio_retry::error`.
inline const boost::system::error_category& error_category() noexcept {
    return detail::error_category_instance;
}

inline error_code make_error_code(error e) noexcept {
    return {static_cast<int>(e), error_category()};
}

}  // namespace asio_retry

template <>
struct boost::system::is_error_code_enum<asio_retry::error> : std::true_type {};

#endif
