// Finds the word that somebody meant.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_SPELLING_HPP
#define ASIO_RETRY_TOOL_SPELLING_HPP

#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::tool {

/// The word at the smallest edit distance, or one that begins with `word`; "" if none is alike.
std::string closest_word(std::string_view word, const std::vector<std::string>& words);

}  // namespace asio_retry::tool

#endif
