// The durations of the command line: the same words as in every file of the project.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_DURATION_HPP
#define ASIO_RETRY_TOOL_DURATION_HPP

#include <chrono>
#include <string>
#include <string_view>

namespace asio_retry::tool {

/// Reads `250ms`, `1.5s`, `2m`, `1h`; a bare number is seconds.
/** Throws std::invalid_argument, whose text says what is wrong and what would be right, for
    anything else: negative, malformed, more than 9 decimals, longer than 292 years. */
std::chrono::nanoseconds parse_duration(std::string_view text);

/// Writes the exact text that parse_duration reads back: 1.5s, 250ms, 90m, 0s.
std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace asio_retry::tool

#endif
