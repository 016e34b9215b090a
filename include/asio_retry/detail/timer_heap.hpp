// A 4-ary heap of intrusive timer entries, ordered by expiry.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_TIMER_HEAP_HPP
#define ASIO_RETRY_DETAIL_TIMER_HEAP_HPP

#include <asio_retry/attempt.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace asio_retry::detail {

/// What became of an entry: its time came, or the context is being destroyed.
enum class timer_event : std::uint8_t { expired, abandoned };

/// A place in the heap, owned by whoever waits; must stay where it is while it is pending.
class timer_entry {
public:
    /// Called once when the entry has left the heap other than by being withdrawn. Called outside
    /// all locks, on a thread of the context, and not on the executor of the waiting call.
    using function = void (*)(timer_entry&, timer_event) noexcept;

    explicit timer_entry(function f) noexcept : function_(f) {}
    timer_entry(const timer_entry&) = delete;
    timer_entry& operator=(const timer_entry&) = delete;

    void fire(timer_event event) noexcept { function_(*this, event); }
    timer_entry* next() const noexcept { return next_; }

private:
    friend class timer_heap;
    static constexpr std::size_t outside = SIZE_MAX;

    function function_;
    timer_entry* next_ = nullptr;  // in a list of those that fire together
    std::size_t index_ = outside;
};

class timer_heap {
public:
    bool empty() const noexcept { return nodes_.empty(); }
    std::size_t size() const noexcept { return nodes_.size(); }
    bool contains(const timer_entry& e) const noexcept { return e.index_ != timer_entry::outside; }
    steady_time next_expiry() const noexcept { return nodes_.front().expiry; }

    void push(timer_entry& e, steady_time expiry) {
        nodes_.push_back(node{expiry, &e});
        sift_up(nodes_.size() - 1, nodes_.back());
    }

    void erase(timer_entry& e) noexcept {
        const std::size_t hole = e.index_;
        e.index_ = timer_entry::outside;
        const node last = nodes_.back();
        nodes_.pop_back();
        if (hole == nodes_.size()) return;
        if (hole > 0 && last.expiry < nodes_[(hole - 1) / 4].expiry) {
            sift_up(hole, last);
        } else {
            sift_down(hole, last);
        }
    }

    /// Removes all that expire at `now` or before; answers them as a list in order of expiry.
    timer_entry* take_due(steady_time now) noexcept {
        timer_entry* first = nullptr;
        timer_entry** tail = &first;
        while (!nodes_.empty() && nodes_.front().expiry <= now) {
            timer_entry* const e = nodes_.front().entry;
            erase(*e);
            e->next_ = nullptr;
            *tail = e;
            tail = &e->next_;
        }
        return first;
    }

    /// Removes one of them; null if there is none.
    timer_entry* take_any() noexcept {
        if (nodes_.empty()) return nullptr;
        timer_entry* const e = nodes_.back().entry;
        erase(*e);
        return e;
    }

private:
    struct node {
        steady_time expiry;
        timer_entry* entry;
    };

    void place(std::size_t i, const node& n) noexcept {
        nodes_[i] = n;
        n.entry->index_ = i;
    }

    void sift_up(std::size_t i, node n) noexcept {
        while (i > 0) {
            const std::size_t parent = (i - 1) / 4;
            if (!(n.expiry < nodes_[parent].expiry)) break;
            place(i, nodes_[parent]);
            i = parent;
        }
        place(i, n);
    }

    void sift_down(std::size_t i, node n) noexcept {
        for (;;) {
            const std::size_t first = 4 * i + 1;
            if (first >= nodes_.size()) break;
            const std::size_t end = std::min(first + 4, nodes_.size());
            std::size_t least = first;
            for (std::size_t c = first + 1; c < end; ++c) {
                if (nodes_[c].expiry < nodes_[least].expiry) least = c;
            }
            if (!(nodes_[least].expiry < n.expiry)) break;
            place(i, nodes_[least]);
            i = least;
        }
        place(i, n);
    }

    std::vector<node> nodes_;
};

}  // namespace asio_retry::detail

#endif
