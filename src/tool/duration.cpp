// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/detail/duration_text.hpp>

#include <tool/duration.hpp>

namespace asio_retry::tool {

std::chrono::nanoseconds parse_duration(std::string_view text) {
    return detail::parse_duration(text);
}

std::string format_duration(std::chrono::nanoseconds duration) {
    return detail::format_duration(duration);
}

}  // namespace asio_retry::tool
