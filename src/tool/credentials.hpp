// Keeps user names and passwords of URLs out of what the tool prints.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_CREDENTIALS_HPP
#define ASIO_RETRY_TOOL_CREDENTIALS_HPP

#include <string>
#include <string_view>

namespace asio_retry::tool {

/// The URL without user name and password, and without those of a URL that may stand in it.
std::string without_credentials(std::string_view url);

/// What can be shown of a text that is no URL, although it was meant to be one: nobody can tell
/// where its password ends, so that all goes that stands before the last '@'.
std::string shown_as_no_url(std::string_view text);

/// What can be shown of a URL that somebody else wrote, or of what was meant to be one: all of it
/// if it is a whole URL with an '@' in a plain path at most, else as `shown_as_no_url`.
std::string shown_reference(std::string_view reference);

/// What can be shown of a header field's value.
std::string shown_field_value(std::string_view name, std::string_view value);

}  // namespace asio_retry::tool

#endif
