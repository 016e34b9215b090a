// Wrong usage of the tool: exit status 2 and one line.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_USAGE_ERROR_HPP
#define ASIO_RETRY_TOOL_USAGE_ERROR_HPP

#include <CLI/Error.hpp>

#include <string>

namespace asio_retry::tool {

/// Says in its text what is wrong, and what would be right.
class usage_error : public CLI::ParseError {
public:
    explicit usage_error(const std::string& text)
        : ParseError("usage_error", text, CLI::ExitCodes::ValidationError) {}
};

}  // namespace asio_retry::tool

#endif
