// Brings arguments written as for curl into the form that CLI11 understands.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_ARGUMENTS_HPP
#define ASIO_RETRY_TOOL_FETCH_ARGUMENTS_HPP

#include <CLI/App.hpp>

#include <string>
#include <vector>

namespace asio_retry::tool {

/// What stands for the KEY of an `--idempotency-key` that has none.
inline constexpr const char* made_up_key = "\x01";

/// The arguments after `fetch`, so that CLI11 reads them as curl would.
/** `--data=` becomes `--data ''`, which CLI11 would take for `--data NEXT`; an `--idempotency-key`
    before an option, a URL or the end gets a KEY that stands for none. Throws usage_error for an
    option that fetch does not have, with the name of one that it has and that is spelled alike, and
    for one that is not available yet. */
std::vector<std::string> fetch_arguments(const CLI::App& fetch,
                                         const std::vector<std::string>& arguments);

}  // namespace asio_retry::tool

#endif
