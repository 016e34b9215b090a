// JSON for people: indented, with short objects and lists in one line.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_JSON_PRINT_HPP
#define ASIO_RETRY_SRC_HTTP_JSON_PRINT_HPP

#include <boost/json/value.hpp>

#include <string>

namespace asio_retry::http::detail {

std::string pretty(const boost::json::value& value);

std::string one_line(const boost::json::value& value);

}  // namespace asio_retry::http::detail

#endif
