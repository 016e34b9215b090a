// The views that Beast and Boost.URL give, one type, as the standard's.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_STD_VIEW_HPP
#define ASIO_RETRY_SRC_HTTP_STD_VIEW_HPP

#include <boost/beast/core/string_type.hpp>

#include <string_view>

namespace asio_retry::http::detail {

inline std::string_view view(boost::beast::string_view s) noexcept { return {s.data(), s.size()}; }

}  // namespace asio_retry::http::detail

#endif
