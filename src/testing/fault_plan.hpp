// A script made ready to be asked: which fault does the n-th request to a path meet?
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_TESTING_FAULT_PLAN_HPP
#define ASIO_RETRY_SRC_TESTING_FAULT_PLAN_HPP

#include <asio_retry/testing/fault_script.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio_retry::testing::detail {

/// A rule with the defaults filled in.
struct fault_behaviour {
    std::string prefix;
    std::string method;                            // "" is any
    std::vector<std::pair<fault, double>> ladder;  // each fault with the sum of the rates up to it
    unsigned max_in_a_row = 0;                     // 0 is no bound
    std::vector<fault> sequence;
    std::chrono::nanoseconds latency_least{0};
    std::chrono::nanoseconds latency_most{0};
    std::chrono::nanoseconds drip_interval{std::chrono::milliseconds(50)};
    std::string retry_after;
    std::string body = "hello\n";
    bool body_is_pattern = false;
    std::uint64_t body_size = 0;
    bool chunked = false;
};

struct fault_decision {
    fault what;
    std::chrono::nanoseconds latency{0};
    std::shared_ptr<const fault_behaviour> behaviour;
};

/// Immutable, and so shared freely.
class fault_plan {
public:
    explicit fault_plan(const fault_script& script);

    /// `ordinal` counts the requests to this method and path from 1.
    fault_decision decide(std::string_view method,
                          std::string_view path,
                          std::uint64_t ordinal) const;

private:
    static fault_behaviour resolve(const fault_rule& rule, const fault_rule& defaults);

    std::uint64_t seed_;
    std::vector<std::shared_ptr<const fault_behaviour>> behaviours_;  // the defaults come last
};

}  // namespace asio_retry::testing::detail

#endif
