// Replaces the allocation functions: operator new, and aligned_alloc, which Asio recycles through.
// SPDX-License-Identifier: BSL-1.0
#include "bench/allocations.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::size_t> count{0};

}  // namespace

std::size_t bench::allocations() noexcept { return count; }
std::size_t bench::bytes_in_use() noexcept {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

void* operator new(std::size_t size) {
    count.fetch_add(1, std::memory_order_relaxed);
    if (void* p = std::malloc(size)) return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

extern "C" void* memalign(std::size_t alignment, std::size_t size) noexcept;
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    count.fetch_add(1, std::memory_order_relaxed);
    return memalign(alignment, size);
}
