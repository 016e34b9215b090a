// The bytes that have been read and not yet been parsed, in one piece.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_READ_BUFFER_HPP
#define ASIO_RETRY_SRC_HTTP_READ_BUFFER_HPP

#include "http/block_store.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <utility>

namespace asio_retry::http::detail {

/// Grows as told, and has no memory while it rests. Its memory is never cleared.
class read_buffer {
public:
    static constexpr std::size_t usual_size = std::size_t{16} * 1024;

    /// Takes what it needs of blocks of `usual_size` from the store, which must outlive it; null:
    /// from the heap.
    explicit read_buffer(block_store* blocks = nullptr) noexcept : blocks_(blocks) {}
    ~read_buffer() { give_up(); }
    read_buffer(const read_buffer&) = delete;
    read_buffer& operator=(const read_buffer&) = delete;

    std::size_t size() const noexcept { return end_ - begin_; }
    boost::asio::const_buffer data() const noexcept { return {memory_ + begin_, size()}; }

    void consume(std::size_t n) noexcept {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }

    /// Room for at least `least` bytes more.
    boost::asio::mutable_buffer prepare(std::size_t least) {
        if (capacity_ - end_ < least) make_room(least);
        return {memory_ + end_, capacity_ - end_};
    }
    void commit(std::size_t n) noexcept { end_ += n; }

    /// Whether it has room in memory of its own or can have some of the store, of which no more
    /// than `most` blocks are to be in use.
    bool has_room(std::size_t most) const noexcept {
        return memory_ != nullptr || blocks_ == nullptr || blocks_->lent() < most;
    }

    /// Until the next `prepare` there is nothing to keep: gives the memory back if it is empty.
    void rest() noexcept {
        if (size() == 0) give_up();
    }

private:
    void make_room(std::size_t least) {
        const std::size_t held = size();
        if (capacity_ - held >= least && held <= capacity_ / 2) {
            std::memmove(memory_, memory_ + begin_, held);
        } else {
            const std::size_t capacity = std::max({usual_size, 2 * held, held + least});
            char* const larger = allocate(capacity);
            if (held != 0) std::memcpy(larger, memory_ + begin_, held);
            give_up();
            memory_ = larger;
            capacity_ = capacity;
        }
        begin_ = 0;
        end_ = held;
    }

    char* allocate(std::size_t capacity) const {
        const bool is_block = blocks_ != nullptr && capacity == usual_size;
        return static_cast<char*>(is_block ? blocks_->take().memory : ::operator new(capacity));
    }

    void give_up() noexcept {
        if (memory_ == nullptr) return;
        if (blocks_ != nullptr && capacity_ == usual_size) {
            blocks_->give({memory_});
        } else {
            ::operator delete(memory_);
        }
        memory_ = nullptr;
        capacity_ = begin_ = end_ = 0;
    }

    block_store* const blocks_;
    char* memory_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace asio_retry::http::detail

#endif
