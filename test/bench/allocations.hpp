// Counts what the process takes from the heap.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TEST_BENCH_ALLOCATIONS_HPP
#define ASIO_RETRY_TEST_BENCH_ALLOCATIONS_HPP

#include <cstddef>

namespace bench {

/// Allocations since the start of the process.
std::size_t allocations() noexcept;
/// Bytes in use, as the allocator rounds them.
std::size_t bytes_in_use() noexcept;

}  // namespace bench

#endif
