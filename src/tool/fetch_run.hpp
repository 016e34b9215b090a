// Runs the calls of one `asio-retry fetch`.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_RUN_HPP
#define ASIO_RETRY_TOOL_FETCH_RUN_HPP

#include <tool/fetch_options.hpp>

namespace asio_retry::tool {

/// Fetches the URLs and answers the exit status.
/** Throws usage_error, before anything is sent, for a URL that cannot be fetched and a
    report that cannot be opened. */
int run_fetch(const fetch_options& options);

}  // namespace asio_retry::tool

#endif
