// Keeps user names and passwords of URLs out of texts that are no URLs themselves.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_HIDDEN_CREDENTIALS_HPP
#define ASIO_RETRY_SRC_HTTP_HIDDEN_CREDENTIALS_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

/// Where the last '@' is, as it is or percent-encoded; npos: nowhere.
std::size_t last_at_sign(std::string_view text) noexcept;

/// The text with *** in place of what may be credentials.
/** Nobody can tell where the password of a malformed URL begins or ends: from the word with the
    first mark of a URL, all goes that stands before the last '@'. An e-mail address has no such
    mark. */
std::string hide_credentials(std::string_view text);

}  // namespace asio_retry::http::detail

#endif
