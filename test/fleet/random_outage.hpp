// Outages of all sorts, drawn from a seed, and how many requests a budget allows in them.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "fleet/outage.hpp"

namespace asio_retry::fleet {

/// A short run with one outage: its kind, length and depth, the load, the server and the policy are
/// drawn.
outage_setup draw_outage(std::uint64_t seed);

/// How many requests at most this budget allows for what was offered: a burst, and a part of the
/// calls.
double allowed_requests(const outage_setup& setup, const outage_result& result);

/// The most requests for each call in the long run: 1 + budget.
double allowed_in_the_long_run(const budget_options& budget);

}  // namespace asio_retry::fleet
