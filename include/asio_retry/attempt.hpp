// One attempt: what the operation is told of it, and what the history keeps of it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_ATTEMPT_HPP
#define ASIO_RETRY_ATTEMPT_HPP

#include <asio_retry/error.hpp>
#include <asio_retry/failure.hpp>

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace asio_retry {

/// The clock of all deadlines and records: monotonic, or the manual clock that stands in for it.
using steady_time = std::chrono::steady_clock::time_point;

/// How much of a request has left.
enum class send_state : std::uint8_t { none, partial, full };

/// Where a delay came from.
enum class delay_source : std::uint8_t {
    none,             ///< no delay followed
    backoff,          ///< the policy's backoff
    retry_after,      ///< the peer asked for it
    stale_connection  ///< no delay: sent again at once on a fresh connection
};

constexpr std::string_view to_string(send_state s) noexcept {
    switch (s) {
        case send_state::none: return "none";
        case send_state::partial: return "partial";
        case send_state::full: return "full";
    }
    return "unknown";
}

constexpr std::string_view to_string(delay_source s) noexcept {
    switch (s) {
        case delay_source::none: return "none";
        case delay_source::backoff: return "backoff";
        case delay_source::retry_after: return "retry_after";
        case delay_source::stale_connection: return "stale_connection";
    }
    return "unknown";
}

/// Whether another attempt may follow one.
enum class attempt_place : std::uint8_t { not_last, last };

/// What an operation is told of the attempt it is to make.
class attempt {
public:
    constexpr attempt(unsigned number,
                      steady_time deadline,
                      attempt_place place = attempt_place::not_last) noexcept
        : deadline_(deadline), number_(number), place_(place) {}

    /// 1 for the first.
    constexpr unsigned number() const noexcept { return number_; }
    /// When this attempt will be cancelled; `steady_time::max()` if never.
    constexpr steady_time deadline() const noexcept { return deadline_; }
    /// Whether the limits on attempts rule out that another follows, whatever comes of this one.
    /** False promises none: the failure may be permanent, the deadline near, the budget spent. */
    constexpr bool is_last() const noexcept { return place_ == attempt_place::last; }

private:
    steady_time deadline_;
    unsigned number_;
    attempt_place place_;
};

/// A short text that its copies share. A value; never changes once made.
class shared_text {
public:
    shared_text() noexcept = default;

    template <typename Text>
        requires std::is_convertible_v<const Text&, std::string_view>
    shared_text(const Text& text) : text_(new node(text)) {}

    std::string_view view() const noexcept { return text_ ? text_->text : std::string_view(); }
    operator std::string_view() const noexcept { return view(); }
    bool empty() const noexcept { return view().empty(); }

    friend bool operator==(const shared_text& a, std::string_view b) noexcept {
        return a.view() == b;
    }

private:
    class node : public boost::intrusive_ref_counter<node> {
    public:
        explicit node(std::string_view t) : text(t) {}
        std::string text;
    };

    boost::intrusive_ptr<node> text_;
};

/// What the history keeps of one attempt.
class attempt_record {
public:
    attempt_record() noexcept = default;

    /// 1 for the first; a resend on a fresh connection has the number of the attempt it repeats.
    unsigned number = 0;
    /// The protocol's status, where the operation has one (HTTP); 0 otherwise.
    int status = 0;
    /// What kind of failure it was; nothing if it was none.
    std::optional<failure_kind> kind;
    /// How much of the request had left when the attempt ended, where the operation tells (HTTP).
    send_state sent = send_state::none;
    /// Whether the attempt ran over a connection that had served before, where the operation tells.
    bool reused = false;
    /// Where the delay after this attempt came from.
    delay_source source = delay_source::none;
    /// When it started, since the start of the call.
    std::chrono::nanoseconds started{0};
    /// How long it took.
    std::chrono::nanoseconds elapsed{0};
    /// The wait that followed; zero if none did.
    std::chrono::nanoseconds delay{0};
    /// The error. Beside a status it says why the response is of no use.
    error_code error;
    /// The peer's address, where the operation tells (HTTP: `127.0.0.1:8080`, `[::1]:8080`).
    shared_text remote;
};

}  // namespace asio_retry

#endif
