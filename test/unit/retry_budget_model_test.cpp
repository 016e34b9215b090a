// The retry budget beside a naive model of it, through every sequence of a few steps.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/retry_budget.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace {

using namespace std::chrono_literals;
using asio_retry::budget_options;
using asio_retry::failure_kind;
using asio_retry::retry_budget;
using asio_retry::steady_time;

// A rate at which the fixed point is exact, and the time in which it earns one token.
constexpr double exact_rate = 1e6 / 1024;
constexpr auto token_time = 1'024'000ns;

/// r: a retry after a server failure; t: after a timeout; h: a hedge; s: success; S: success in a
/// retry after a timeout; f: an attempt fails; p: it fails for good; b: a retry is given back; w: a
/// token's time passes.
constexpr char alphabet[] = "rthsSfpbw";

class model {
public:
    explicit model(const budget_options& o) : options_(o), level_(o.capacity()) {}

    bool apply(char step) {
        const auto& o = options_;
        switch (step) {
            case 'r': return spend(o.cost(failure_kind::server));
            case 't': return spend(o.timeout_cost());
            case 'h': return spend(o.retry_cost());
            case 's': add(o.success_refund()); break;
            case 'S': add(o.returns_retry_cost() ? o.timeout_cost() : o.success_refund()); break;
            case 'f': add(-o.failure_cost()); break;
            case 'b': add(o.cost(failure_kind::server)); break;
            case 'w':
                now_ += token_time;
                add(o.refill_per_second() / exact_rate);
                break;
            default: break;
        }
        return true;
    }

    double level() const { return level_; }
    steady_time now() const { return now_; }

private:
    bool spend(double cost) {
        if (level_ < cost || level_ <= options_.floor()) return false;
        level_ -= cost;
        return true;
    }
    void add(double tokens) { level_ = std::clamp(level_ + tokens, 0.0, options_.capacity()); }

    budget_options options_;
    double level_;
    steady_time now_{token_time * 1'000'000};
};

bool apply(retry_budget& b, char step, steady_time now) {
    switch (step) {
        case 'r': return b.try_spend(failure_kind::server, now);
        case 't': return b.try_spend(failure_kind::timeout, now);
        case 'h': return b.try_spend(now);
        case 's': b.call_succeeded(now); break;
        case 'S': b.call_succeeded(failure_kind::timeout, now); break;
        case 'f': b.attempt_failed(failure_kind::server, now); break;
        case 'p': b.attempt_failed(failure_kind::permanent, now); break;
        case 'b': b.give_back(failure_kind::server, now); break;
        default: break;
    }
    return true;
}

void explore(const budget_options& options, const std::string& path, int length, int& sequences) {
    for (const char step : std::string(alphabet)) {
        model m(options);
        retry_budget b(options);
        bool same = true;
        for (const char each : path + step) {
            const bool expected = m.apply(each);
            same = apply(b, each, m.now()) == expected && b.available(m.now()) == m.level();
        }
        ++sequences;
        ASSERT_TRUE(same) << "after " << path << step << ": " << b.available(m.now()) << ", not "
                          << m.level();
        if (length > 1) explore(options, path + step, length - 1, sequences);
        if (::testing::Test::HasFatalFailure()) return;
    }
}

TEST(RetryBudgetModel, HoldsThroughEverySequence) {
    const budget_options small = budget_options().capacity(3).retry_cost(1).timeout_cost(2);
    const budget_options all[] = {
        budget_options(small).success_refund(0.5).refill_per_second(0),
        budget_options(small).success_refund(1).refill_per_second(exact_rate),
        budget_options(small).returns_retry_cost(true).refill_per_second(exact_rate / 2),
        budget_options(small).failure_cost(1).floor(1.5).refill_per_second(0),
        budget_options::grpc_throttle(3, 0.25),
    };
    int sequences = 0;
    for (const auto& options : all) explore(options, "", 5, sequences);
    EXPECT_EQ(sequences, 5 * (9 + 9 * 9 + 9 * 9 * 9 + 9 * 9 * 9 * 9 + 9 * 9 * 9 * 9 * 9));
}

}  // namespace
