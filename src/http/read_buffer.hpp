// The bytes that have been read and not yet been parsed, in one piece.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_READ_BUFFER_HPP
#define ASIO_RETRY_SRC_HTTP_READ_BUFFER_HPP

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>

namespace asio_retry::http::detail {

/// Grows as told and keeps its usual size for the next response. Its memory is never cleared.
class read_buffer {
public:
    static constexpr std::size_t usual_size = std::size_t{16} * 1024;

    std::size_t size() const noexcept { return end_ - begin_; }
    boost::asio::const_buffer data() const noexcept { return {memory_.get() + begin_, size()}; }

    void consume(std::size_t n) noexcept {
        begin_ += n;
        if (begin_ == end_) begin_ = end_ = 0;
    }

    /// Room for at least `least` bytes more.
    boost::asio::mutable_buffer prepare(std::size_t least) {
        if (capacity_ - end_ < least) make_room(least);
        return {memory_.get() + end_, capacity_ - end_};
    }
    void commit(std::size_t n) noexcept { end_ += n; }

    /// Between two responses: gives back what a large one took.
    void shrink() noexcept {
        if (capacity_ > usual_size && size() == 0) {
            memory_.reset();
            capacity_ = 0;
        }
    }

private:
    void make_room(std::size_t least) {
        const std::size_t held = size();
        if (capacity_ - held >= least && held <= capacity_ / 2) {
            std::memmove(memory_.get(), memory_.get() + begin_, held);
        } else {
            const std::size_t capacity = std::max({usual_size, 2 * held, held + least});
            auto larger = std::make_unique_for_overwrite<char[]>(capacity);
            if (held != 0) std::memcpy(larger.get(), memory_.get() + begin_, held);
            memory_ = std::move(larger);
            capacity_ = capacity;
        }
        begin_ = 0;
        end_ = held;
    }

    std::unique_ptr<char[]> memory_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace asio_retry::http::detail

#endif
