// `asio-retry fetch`: fetches URLs, and repeats what fails.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_COMMAND_HPP
#define ASIO_RETRY_TOOL_FETCH_COMMAND_HPP

#include <CLI/App.hpp>

namespace asio_retry::tool {

/// Registers the command. Run by CLI11 once it is parsed; sets the exit status.
/** Its arguments have to pass through `fetch_arguments` before they are parsed. */
CLI::App* add_fetch_command(CLI::App& app, int& exit_status);

}  // namespace asio_retry::tool

#endif
