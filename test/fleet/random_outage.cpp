// SPDX-License-Identifier: BSL-1.0
#include "fleet/random_outage.hpp"

#include <algorithm>

namespace asio_retry::fleet {

namespace {

budget_options draw_budget(dice& random) {
    switch (random.below(4)) {
        case 0: return budget_options();
        case 1: return budget_options().returns_retry_cost(true);
        case 2: return budget_options::grpc_throttle(random.uniform(2, 20), 0.1);
        default: return budget_options::ratio(random.uniform(0.05, 0.5), random.uniform(0, 2));
    }
}

double least_cost(const budget_options& b) { return std::min(b.retry_cost(), b.timeout_cost()); }

}  // namespace

outage_setup draw_outage(std::uint64_t seed) {
    dice random(seed);
    outage_setup s;
    s.seed = seed;
    s.offered = random.uniform(5, 40);
    s.capacity = s.offered * random.uniform(0.5, 4);
    s.timeout = from_seconds(random.uniform(0.05, 2));
    s.length = 10s;
    s.outage_at = from_seconds(random.uniform(0, 8));
    s.outage_for = from_seconds(random.uniform(0, 8));
    s.kind = static_cast<outage_kind>(random.below(3));
    s.failure_rate = random.uniform();
    s.clients = 1 + random.below(4);
    s.max_attempts = static_cast<unsigned>(2 + random.below(7));
    s.schedule = backoff::exponential(from_seconds(random.uniform(0.001, 0.5)));
    s.budget = draw_budget(random);
    return s;
}

double allowed_requests(const outage_setup& setup, const outage_result& r) {
    const budget_options& b = *setup.budget;
    const auto clients = static_cast<double>(setup.clients);
    const auto calls = static_cast<double>(r.calls);
    const auto succeeded = static_cast<double>(r.succeeded);
    const double earned =
        succeeded * b.success_refund() + clients * seconds(r.length) * b.refill_per_second();
    // Where retries are free, it is the failures that took the tokens above the floor.
    const double cost = least_cost(b) > 0 ? least_cost(b) : b.failure_cost();
    const double retries = (clients * (b.capacity() - b.floor()) + earned) / cost;
    // A retry that brings success is returned: at most one for each call.
    const double returned = b.returns_retry_cost() ? succeeded : 0;
    return calls + retries + returned + clients * 0.001;
}

double allowed_in_the_long_run(const budget_options& b) {
    return 1 + b.success_refund() / least_cost(b);
}

}  // namespace asio_retry::fleet
