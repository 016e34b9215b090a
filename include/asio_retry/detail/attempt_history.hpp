// The records of a call's attempts while it is in progress.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_ATTEMPT_HISTORY_HPP
#define ASIO_RETRY_DETAIL_ATTEMPT_HISTORY_HPP

#include <asio_retry/attempt.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace asio_retry::detail {

/// The latest records, in order. The first stands in place: most calls that fail do so once.
class attempt_history {
public:
    /// Adds a record, and drops the oldest if there are `bound` already; at least 1.
    attempt_record& add(std::size_t bound) {
        if (!first_) return first_.emplace();
        if (more_.size() + 1 < bound) return more_.emplace_back();
        ++forgotten_;
        if (more_.empty()) return first_.emplace();
        first_ = std::move(more_.front());
        more_.erase(more_.begin());
        return more_.emplace_back();
    }

    /// The latest. Precondition: one was added.
    attempt_record& back() noexcept { return more_.empty() ? *first_ : more_.back(); }
    const attempt_record& back() const noexcept { return more_.empty() ? *first_ : more_.back(); }

    /// How many were dropped.
    std::size_t forgotten() const noexcept { return forgotten_; }

    /// All of them; leaves none.
    std::vector<attempt_record> take() {
        std::vector<attempt_record> all;
        if (!first_) return all;
        all.reserve(1 + more_.size());
        all.push_back(std::move(*first_));
        all.insert(all.end(),
                   std::make_move_iterator(more_.begin()),
                   std::make_move_iterator(more_.end()));
        first_.reset();
        more_.clear();
        return all;
    }

private:
    std::optional<attempt_record> first_;
    std::vector<attempt_record> more_;
    std::uint32_t forgotten_ = 0;
};

}  // namespace asio_retry::detail

#endif
