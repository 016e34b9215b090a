// A server that works on everything it queued, its outage, and clients that retry.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "fleet/virtual_time.hpp"
#include <asio_retry/backoff.hpp>
#include <asio_retry/retry_budget.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace asio_retry::fleet {

/// What the outage does to a request.
enum class outage_kind : std::uint8_t {
    stall,   ///< it is queued, and nothing is worked on
    refuse,  ///< it is refused at once
    fail     ///< it is worked on, and fails by chance
};

class outage_setup {
public:
    double offered = 200;   ///< calls a second
    double capacity = 300;  ///< requests a second
    nanoseconds timeout = 1s;
    nanoseconds outage_at = 10s;
    nanoseconds outage_for = 10s;
    outage_kind kind = outage_kind::stall;
    double failure_rate = 1;    ///< of requests in an outage that makes them fail
    nanoseconds length = 120s;  ///< how long calls are made
    std::size_t clients = 1;    ///< that share the load, each with a budget of its own
    unsigned max_attempts = 3;
    backoff schedule;
    std::optional<budget_options> budget;
    std::uint64_t seed = 1;
};

class outage_result {
public:
    /// Of each second of the run, by the start of the call or request.
    class second {
    public:
        std::uint32_t calls = 0;
        std::uint32_t requests = 0;
        std::uint32_t succeeded = 0;
    };

    std::vector<second> seconds;
    nanoseconds length{0};  ///< until the last call had ended
    std::uint64_t calls = 0;
    std::uint64_t requests = 0;
    std::uint64_t succeeded = 0;

    /// How long after the outage calls began to succeed for good (99 of 100), if they did.
    std::optional<nanoseconds> recovery;
};

outage_result run_outage(const outage_setup& setup);

}  // namespace asio_retry::fleet
