// `asio-retry check` and `asio-retry explain`.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_POLICY_COMMANDS_HPP
#define ASIO_RETRY_TOOL_POLICY_COMMANDS_HPP

#include <CLI/App.hpp>

namespace asio_retry::tool {

/// Each runs while `app` is parsed and leaves its status in `exit_status`.
void add_check_command(CLI::App& app, int& exit_status);
void add_explain_command(CLI::App& app, int& exit_status);

}  // namespace asio_retry::tool

#endif
