// SPDX-License-Identifier: BSL-1.0
#include <tool/spelling.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace asio_retry::tool {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
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

}  // namespace

std::string closest_word(std::string_view word, const std::vector<std::string>& words) {
    std::string closest;
    auto distance = word.size() / 3 + 1;
    for (const auto& each : words) {
        if (each.starts_with(word) && word.size() >= 3) return each;
        const auto d = edit_distance(word, each);
        if (d < distance || (d == distance && closest.empty())) {
            closest = each;
            distance = d;
        }
    }
    return closest;
}

}  // namespace asio_retry::tool
