// Keeps user names and passwords of URLs out of what the tool prints.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_CREDENTIALS_HPP
#define ASIO_RETRY_TOOL_CREDENTIALS_HPP

#include <string>
#include <string_view>

namespace asio_retry::tool {

/// The URL without user name and password.
std::string without_credentials(std::string_view url);

/// What can be shown of a text that is no URL, although it was meant to be one: nobody can tell where
/// its password ends, so that all goes that stands before the last '@'.
std::string shown_as_no_url(std::string_view text);

/// The value of a header field, without the credentials of the URLs that may stand in it.
std::string without_credentials_in_urls(std::string_view value);

}  // namespace asio_retry::tool

#endif
