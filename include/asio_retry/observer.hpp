// Hooks through which logs, metrics and progress bars watch calls; the library logs nothing itself.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_OBSERVER_HPP
#define ASIO_RETRY_OBSERVER_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/report.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace asio_retry {

/// Watches the calls of the policies it is given to.
/** Derive, override what is of interest, and hand it to `retry_policy::observer`. A policy without
    observer pays one comparison an attempt. Hooks are called on the executor of the call, between
    its steps, and so must be quick and must not throw; an observer that several calls share is
    called from several threads at once. `operation` is the policy's name, or for an HTTP fetch its
    method and URL without credentials; it and the records are valid only during the hook. Attempts
    have their numbers and times in the whole call, redirects and hedged attempts included. */
class observer {
public:
    virtual ~observer() = default;

    /// An attempt is about to start.
    virtual void attempt_started(std::string_view operation, const attempt& a) noexcept {
        (void)operation, (void)a;
    }
    /// An attempt has ended, in success or failure; its delay is not decided yet.
    virtual void attempt_finished(std::string_view operation, const attempt_record& r) noexcept {
        (void)operation, (void)r;
    }
    /// Another attempt follows after `r.delay`, which came from `r.source`.
    virtual void retry_scheduled(std::string_view operation, const attempt_record& r) noexcept {
        (void)operation, (void)r;
    }
    /// So many bytes of an attempt's response have been delivered, of `total` if that is known.
    /// (HTTP, where the body goes to a sink or a file; a resumed download counts what it had.)
    virtual void body_received(std::string_view operation,
                               std::uint64_t received,
                               std::optional<std::uint64_t> total) noexcept {
        (void)operation, (void)received, (void)total;
    }
    /// The call ended without success.
    virtual void gave_up(std::string_view operation, const retry_report& report) noexcept {
        (void)operation, (void)report;
    }

protected:
    observer() = default;
    observer(const observer&) = default;
    observer& operator=(const observer&) = default;
};

}  // namespace asio_retry

#endif
