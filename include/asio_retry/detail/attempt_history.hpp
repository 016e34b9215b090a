// The records of a call's attempts while it is in progress.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_ATTEMPT_HISTORY_HPP
#define ASIO_RETRY_DETAIL_ATTEMPT_HISTORY_HPP

#include <asio_retry/attempt.hpp>

#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace asio_retry::detail {

/// The latest records. The first stands in place: most calls that fail do so once.
class attempt_history {
public:
    /// Adds a record, and drops the oldest if there are `bound` already; at least 1.
    attempt_record& add(std::size_t bound) {
        if (!first_) return first_.emplace();
        if (later_count_ + 1 < bound) {
            ++later_count_;
            return later_.emplace_front();
        }
        ++forgotten_;
        if (later_.empty()) return first_.emplace();
        drop_first();
        return later_.emplace_front();
    }

    /// The latest. Precondition: one was added.
    attempt_record& back() noexcept { return later_.empty() ? *first_ : later_.front(); }
    const attempt_record& back() const noexcept {
        return later_.empty() ? *first_ : later_.front();
    }

    /// How many were dropped.
    std::size_t forgotten() const noexcept { return forgotten_; }

    /// All of them, in order; leaves none.
    std::vector<attempt_record> take() {
        std::vector<attempt_record> all;
        if (!first_) return all;
        all.reserve(1 + later_count_);
        all.push_back(std::move(*first_));
        later_.reverse();
        for (attempt_record& r : later_) all.push_back(std::move(r));
        first_.reset();
        later_.clear();
        later_count_ = 0;
        return all;
    }

private:
    /// Puts the second oldest, which is the last of the list, in the place of the oldest.
    void drop_first() noexcept {
        auto before = later_.before_begin();
        for (auto i = later_.begin(); std::next(i) != later_.end(); ++i) before = i;
        first_ = std::move(*std::next(before));
        later_.erase_after(before);
    }

    std::optional<attempt_record> first_;
    std::forward_list<attempt_record> later_;  // latest first
    std::uint32_t later_count_ = 0;
    std::uint32_t forgotten_ = 0;
};

}  // namespace asio_retry::detail

#endif
