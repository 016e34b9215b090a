// Tries the files of --cacert, --cert and --key before anything is sent.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_CERTIFICATES_HPP
#define ASIO_RETRY_TOOL_FETCH_CERTIFICATES_HPP

#include <tool/fetch_options.hpp>

namespace asio_retry::tool {

/// Throws usage_error for a file that the client could not use.
void check_certificates(const fetch_options& options);

}  // namespace asio_retry::tool

#endif
