// SPDX-License-Identifier: BSL-1.0
#include "fleet/hedging.hpp"

#include <asio_retry/detail/latency_window.hpp>

#include <algorithm>
#include <vector>

namespace asio_retry::fleet {

namespace {

enum class step : std::uint8_t { call_begins, hedge_due, call_ends };

class event {
public:
    step what = step::call_begins;
    steady_time begin{};
    steady_time end{};  // of the first attempt, or of the call
};

class hedging_run {
public:
    explicit hedging_run(const hedging_setup& s)
        : setup_(s), random_(s.seed), budget_(s.budget.value_or(budget_options())) {}

    hedging_result run() {
        events_.add(epoch, event());
        while (!events_.empty()) {
            const auto [now, e] = events_.next();
            switch (e.what) {
                case step::call_begins: call_begins(now); break;
                case step::hedge_due: hedge_due(now, e); break;
                case step::call_ends: call_ends(now, e); break;
            }
        }
        std::sort(latencies_.begin(), latencies_.end());
        result_.p50 = percentile(0.5);
        result_.p99 = percentile(0.99);
        result_.p999 = percentile(0.999);
        return result_;
    }

private:
    nanoseconds request() {
        ++result_.requests;
        const bool slow = random_.chance(setup_.slow);
        const double fast = random_.uniform(seconds(setup_.fast_least), seconds(setup_.fast_most));
        return slow ? setup_.slow_latency : from_seconds(fast);
    }

    void call_begins(steady_time now) {
        if (++result_.calls < setup_.calls) {
            events_.add(now + from_seconds(random_.exponential(1 / setup_.offered)), event());
        }
        const nanoseconds took = request();
        const auto p95 = setup_.hedge ? window_.p95() : std::nullopt;
        const bool waits_long = p95 && took > *p95;
        events_.add(now + (waits_long ? *p95 : took),
                    {waits_long ? step::hedge_due : step::call_ends, now, now + took});
    }

    void hedge_due(steady_time now, event e) {
        if (!setup_.budget || budget_.try_spend(now)) e.end = std::min(e.end, now + request());
        e.what = step::call_ends;
        events_.add(e.end, e);
    }

    void call_ends(steady_time now, const event& e) {
        budget_.call_succeeded(now);
        window_.record(now - e.begin);
        latencies_.push_back(now - e.begin);
    }

    nanoseconds percentile(double p) const {
        const auto n = static_cast<double>(latencies_.size());
        return latencies_[static_cast<std::size_t>(p * (n - 1))];
    }

    const hedging_setup& setup_;
    dice random_;
    retry_budget budget_;
    detail::latency_window window_;
    event_queue<event> events_;
    std::vector<nanoseconds> latencies_;
    hedging_result result_;
};

}  // namespace

hedging_result run_hedging(const hedging_setup& setup) { return hedging_run(setup).run(); }

}  // namespace asio_retry::fleet
