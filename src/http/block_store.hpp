// Memory of calls that have ended, for those to come.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_BLOCK_STORE_HPP
#define ASIO_RETRY_SRC_HTTP_BLOCK_STORE_HPP

#include <asio_retry/detail/light_mutex.hpp>

#include <array>
#include <cstddef>
#include <mutex>
#include <new>
#include <string>
#include <utility>

namespace asio_retry::http::detail {

/// Blocks of one size, which malloc would have to look for, each with a string. Thread-safe.
class block_store {
public:
    class block {
    public:
        void* memory = nullptr;
        std::string text{};  ///< worth its memory only
    };

    explicit block_store(std::size_t size) noexcept : size_(size) {}
    ~block_store() {
        while (kept_ != 0) ::operator delete(blocks_[--kept_].memory);
    }
    block_store(const block_store&) = delete;
    block_store& operator=(const block_store&) = delete;

    block take() {
        {
            const std::lock_guard lock(mutex_);
            ++lent_;
            if (kept_ != 0) return std::move(blocks_[--kept_]);
        }
        return {::operator new(size_), {}};
    }

    /// How many have been taken and not been given back.
    std::size_t lent() const noexcept {
        const std::lock_guard lock(mutex_);
        return lent_;
    }

    void give(block b) noexcept {
        constexpr std::size_t usual_text = 4096;
        {
            const std::lock_guard lock(mutex_);
            --lent_;
            if (kept_ != most && b.text.capacity() <= usual_text) {
                blocks_[kept_++] = std::move(b);
                return;
            }
        }
        ::operator delete(b.memory);
    }

private:
#ifdef __SANITIZE_ADDRESS__
    static constexpr std::size_t most = 0;  // so that uses after the end are seen
#else
    static constexpr std::size_t most = 16;
#endif

    const std::size_t size_;
    mutable asio_retry::detail::light_mutex mutex_;
    std::size_t lent_ = 0;
    std::size_t kept_ = 0;
    std::array<block, 16> blocks_;
};

}  // namespace asio_retry::http::detail

#endif
