// The line on a terminal that tells how far a download is.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_PROGRESS_HPP
#define ASIO_RETRY_TOOL_FETCH_PROGRESS_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/observer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace asio_retry::tool {

/// How far a download is.
class progress_state {
public:
    std::uint64_t received = 0;          ///< bytes
    std::optional<std::uint64_t> total;  ///< bytes
    std::optional<double> rate;          ///< bytes a second
    std::optional<std::chrono::nanoseconds> retry_in;
};

/// "1.2 MB of 4.8 MB, 25 %, 600 kB/s", or with "retrying in 1.20 s" in place of the rate; what is
/// not known is left out. Decimal units.
std::string progress_text(const progress_state& state);

/// Watches one call, and draws a line that takes the place of the one before.
/** At most one in 100 ms, the first after that time. */
class fetch_progress final : public observer {
public:
    using sink = std::function<void(const std::string& text)>;
    using clock = std::function<steady_time()>;

    explicit fetch_progress(sink print, clock now = std::chrono::steady_clock::now);

    /// Leaves the terminal as if nothing had been drawn.
    void clear();

    void attempt_started(std::string_view operation, const attempt& a) noexcept override;
    void retry_scheduled(std::string_view operation, const attempt_record& r) noexcept override;
    void body_received(std::string_view operation,
                       std::uint64_t received,
                       std::optional<std::uint64_t> total) noexcept override;

private:
    class mark {
    public:
        steady_time time;
        std::uint64_t received = 0;
    };

    void draw(steady_time now);

    sink print_;
    clock now_;
    progress_state state_;
    std::optional<mark> first_;  // of the attempt; what it began with came at no rate
    steady_time drawn_;
    std::size_t width_ = 0;
};

}  // namespace asio_retry::tool

#endif
