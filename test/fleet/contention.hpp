// Clients that all want to change one row, and come back by a backoff when another was faster.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio_retry/backoff.hpp>

#include <chrono>
#include <cstdint>

namespace asio_retry::fleet {

class contention_result {
public:
    double calls = 0;  ///< writes, until every client has had its way; the mean of the runs
    double completion_time = 0;  ///< in seconds; the mean of the runs
};

/// The model of M. Brooker's "Exponential Backoff And Jitter" (AWS, 2015): optimistic concurrency
/// control of one row, a network of 10 ms with a deviation of 2 ms each way, a read and a write
/// each attempt.
contention_result contend(unsigned clients,
                          const backoff& schedule,
                          unsigned runs,
                          std::uint64_t seed);

}  // namespace asio_retry::fleet
