// Finds the word that somebody meant.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_SPELLING_HPP
#define ASIO_RETRY_DETAIL_SPELLING_HPP

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <vector>

namespace asio_retry::detail {

/// How many characters have to be put in, taken out or replaced (V. Levenshtein, 1966).
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row[b.size()];
}

/// The word at the smallest edit distance, or one that begins with `word`; "" if none is alike.
/** `Words` holds strings or views of them. */
template <typename Words>
std::string_view closest_word(std::string_view word, const Words& words) {
    constexpr std::size_t longest = 64;  // a longer one is no slip of the finger
    if (word.size() > longest) return {};
    std::string_view closest;
    auto distance = word.size() / 3 + 1;
    for (const std::string_view each : words) {
        if (each.starts_with(word) && word.size() >= 3) return each;
        const auto d = edit_distance(word, each);
        if (d < distance || (d == distance && closest.empty())) {
            closest = each;
            distance = d;
        }
    }
    return closest;
}

}  // namespace asio_retry::detail

#endif
