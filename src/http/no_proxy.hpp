// Which hosts a list of exceptions to a proxy means, by curl's rules.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_NO_PROXY_HPP
#define ASIO_RETRY_SRC_HTTP_NO_PROXY_HPP

#include <cstdint>
#include <string_view>

namespace asio_retry::http::detail {

/// Whether `list` (see `proxy::bypass`) names this host; an IPv6 address without brackets.
bool is_listed(std::string_view list, std::string_view host, std::uint16_t port);

}  // namespace asio_retry::http::detail

#endif
