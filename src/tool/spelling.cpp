// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/detail/spelling.hpp>

#include <tool/spelling.hpp>

namespace asio_retry::tool {

std::string closest_word(std::string_view word, const std::vector<std::string>& words) {
    return std::string(detail::closest_word(word, words));
}

}  // namespace asio_retry::tool
