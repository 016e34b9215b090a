// What of fetch's options goes together, and what follows from them.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_CHECK_HPP
#define ASIO_RETRY_TOOL_FETCH_CHECK_HPP

#include <tool/fetch_options.hpp>

namespace asio_retry::tool {

/// Fills in the method and the default Content-Type.
/** Throws usage_error for options that contradict each other, that would have no effect, or that
    name files which cannot be read or written. */
void check_together(fetch_options& options);

}  // namespace asio_retry::tool

#endif
