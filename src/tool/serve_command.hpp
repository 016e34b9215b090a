// `asio-retry serve`: an HTTP server that fails as told, until it is interrupted.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_SERVE_COMMAND_HPP
#define ASIO_RETRY_TOOL_SERVE_COMMAND_HPP

#include <CLI/App.hpp>

namespace asio_retry::tool {

/// Adds the subcommand `serve`; once parsed, it serves until SIGINT or SIGTERM.
/** `exit_status` becomes 0 after that, 1 when it cannot serve (the port is taken, the certificate
    is no good), 3 when the line that names its port cannot be written; it must live as long as
    `app`. Values that are wrong throw CLI::ParseError out of `app.parse`: usage, exit status 2. */
void add_serve_command(CLI::App& app, int& exit_status);

}  // namespace asio_retry::tool

#endif
