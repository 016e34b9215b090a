// The exit statuses of the tool.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_EXIT_STATUS_HPP
#define ASIO_RETRY_TOOL_EXIT_STATUS_HPP

namespace asio_retry::tool {

inline constexpr int exit_success = 0;
inline constexpr int exit_bad_status = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_response = 3;
inline constexpr int exit_signalled = 128;  ///< plus the number of the signal

}  // namespace asio_retry::tool

#endif
