// An observer that writes to an spdlog logger.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SPDLOG_OBSERVER_HPP
#define ASIO_RETRY_SPDLOG_OBSERVER_HPP

#include <asio_retry/observer.hpp>

#include <spdlog/fwd.h>

#include <memory>

namespace asio_retry {

/// Logs attempts at debug, retries at warn, giving up at error.
/** The lines, where NAME is the operation's (without a name: "operation"):

        [debug] NAME: attempt 1 started
        [debug] NAME: attempt 1 succeeded in 12 ms
        [debug] NAME: attempt 1 failed in 12 ms: Connection refused (connect)
        [warn]  NAME: attempt 1 failed: Connection refused (connect); next in 150 ms (backoff)
        [error] NAME: Connection refused after 3 attempts in 1.2 s (attempts_exhausted)

    Thread safety: as the logger's; spdlog's `_mt` loggers may be shared. Link
    asio_retry::spdlog. */
class spdlog_observer final : public observer {
public:
    /// @throws std::invalid_argument if the logger is null.
    explicit spdlog_observer(std::shared_ptr<spdlog::logger> logger);

    void attempt_started(std::string_view operation, const attempt& a) noexcept override;
    void attempt_finished(std::string_view operation, const attempt_record& r) noexcept override;
    void retry_scheduled(std::string_view operation, const attempt_record& r) noexcept override;
    void gave_up(std::string_view operation, const retry_report& report) noexcept override;

private:
    std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace asio_retry

#endif
