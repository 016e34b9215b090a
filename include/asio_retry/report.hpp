// What a call leaves behind besides its value: reason, last error, history.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_REPORT_HPP
#define ASIO_RETRY_REPORT_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/error.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry {

namespace detail {

/// A duration for a person: "850 us", "12 ms", "1.7 s". The same in every locale.
inline std::string to_text(std::chrono::nanoseconds d) {
    const auto us = d.count() / 1000 + (d.count() % 1000 >= 500 ? 1 : 0);
    if (us < 1000) return std::to_string(us) + " us";
    const auto ms = (us + 500) / 1000;
    if (ms < 1000) return std::to_string(ms) + " ms";
    const auto tenths = (ms + 50) / 100;
    return std::to_string(tenths / 10) + '.' + std::to_string(tenths % 10) + " s";
}

}  // namespace detail

/// What happened in a call, kept in success and in failure. A value; thread-safe as `std::vector`.
class retry_report {
public:
    retry_report() = default;

    retry_report(asio_retry::reason why,
                 error_code last_error,
                 unsigned attempts,
                 std::chrono::nanoseconds elapsed,
                 std::vector<attempt_record> history,
                 std::size_t forgotten,
                 std::optional<std::chrono::nanoseconds> retry_after = std::nullopt)
        : history_(std::move(history)),
          elapsed_(elapsed),
          retry_after_(retry_after),
          forgotten_(forgotten),
          last_error_(last_error),
          attempts_(attempts),
          reason_(why) {}

    /// Why the call ended.
    asio_retry::reason reason() const noexcept { return reason_; }
    /// The latest error in the history, also after a success; no error if no attempt had one.
    const error_code& last_error() const noexcept { return last_error_; }
    /// How many attempts were made; resends on a fresh connection are not counted.
    unsigned attempts() const noexcept { return attempts_; }
    /// From the start of the call to its end.
    std::chrono::nanoseconds elapsed() const noexcept { return elapsed_; }
    /// How long to wait before another call has a chance, counted from the end of this one; nothing
    /// if that is not known.
    /** After `retry_after_too_long` what the peer asked for. After `circuit_open` until the breaker
        lets a probe through; `nanoseconds::max()` if it is held open. */
    std::optional<std::chrono::nanoseconds> retry_after() const noexcept { return retry_after_; }
    /// The attempts in order of time: the latest `retry_policy::max_history()` of them.
    const std::vector<attempt_record>& history() const noexcept { return history_; }
    /// How many earlier records the bound on the history dropped.
    std::size_t forgotten() const noexcept { return forgotten_; }

    /// "503 after 4 attempts in 1.7 s (attempts_exhausted)": what failed, and why no more followed.
    std::string summary() const {
        std::string text;
        const attempt_record* last = history_.empty() ? nullptr : &history_.back();
        if (last != nullptr && last->status != 0) {
            text = std::to_string(last->status);
        } else if (reason_ == asio_retry::reason::success) {
            text = "success";
        } else {
            text = last_error_ ? last_error_.message() : "failed";
        }
        text += " after " + std::to_string(attempts_) + (attempts_ == 1 ? " attempt" : " attempts");
        text += " in " + detail::to_text(elapsed_) + " (";
        text += to_string(reason_);
        return text + ")";
    }

private:
    std::vector<attempt_record> history_;
    std::chrono::nanoseconds elapsed_{0};
    std::optional<std::chrono::nanoseconds> retry_after_;
    std::size_t forgotten_ = 0;
    error_code last_error_;
    unsigned attempts_ = 0;
    asio_retry::reason reason_ = asio_retry::reason::success;
};

}  // namespace asio_retry

#endif
