// Tries the files of --cacert, --cert and --key before anything is sent.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_CERTIFICATES_HPP
#define ASIO_RETRY_TOOL_FETCH_CERTIFICATES_HPP

#include <asio_retry/http/client.hpp>

#include <tool/fetch_options.hpp>

namespace asio_retry::tool {

/// Throws usage_error for a file that the client, made from these options, cannot use.
void check_certificates(http::client& client, const fetch_options& options);

}  // namespace asio_retry::tool

#endif
