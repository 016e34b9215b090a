// Calls to a server that is slow once in a hundred, with and without a second attempt.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "fleet/virtual_time.hpp"
#include <asio_retry/retry_budget.hpp>

#include <cstdint>
#include <optional>

namespace asio_retry::fleet {

class hedging_setup {
public:
    std::uint64_t calls = 200'000;
    double offered = 100;  ///< calls a second
    double slow = 0.01;    ///< of the requests
    nanoseconds fast_least = 5ms;
    nanoseconds fast_most = 15ms;
    nanoseconds slow_latency = 1s;
    bool hedge = true;
    std::optional<budget_options> budget = budget_options();
    std::uint64_t seed = 1;
};

class hedging_result {
public:
    std::uint64_t calls = 0;
    std::uint64_t requests = 0;
    nanoseconds p50{0};
    nanoseconds p99{0};
    nanoseconds p999{0};
};

/// A second attempt follows where the first takes longer than the observed p95, if the budget pays.
hedging_result run_hedging(const hedging_setup& setup);

}  // namespace asio_retry::fleet
