// The circuit breaker beside a naive model of it, through every sequence of a few steps.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/circuit_breaker.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::breaker_control;
using asio_retry::breaker_options;
using asio_retry::breaker_permit;
using asio_retry::breaker_state;
using asio_retry::call_counts;
using asio_retry::circuit_breaker;
using asio_retry::steady_time;

constexpr auto tick = 1s;  // a tenth of the window
constexpr std::size_t most_permits = 2;

/// What happens: one letter each.
/** a: a call asks; s, f, c: the first outstanding call succeeds, fails, is cancelled; S, F, C: the
    second; t: a tick passes; w: a whole window; e: time until the open circuit expires; i, o, r:
    isolate, force_closed, reset. */
using steps = std::string;

/// A circuit breaker as one would write it who fears neither memory nor time.
class model {
public:
    explicit model(const breaker_options& o) : options_(o) {}

    void apply(char step, steady_time retry_at) {
        switch (step) {
            case 'a': return ask(retry_at);
            case 's':
            case 'S':
            case 'f':
            case 'F':
            case 'c':
            case 'C': return end(step);
            case 't': now_ += tick; return;
            case 'w': now_ += options_.window(); return;
            case 'e': now_ = retry_at; return;
            case 'i': return force(breaker_state::open);
            case 'o': return force(breaker_state::closed);
            case 'r':
                opened_ = 0;
                forced_ = false;
                become(breaker_state::closed);
                closed_since_.reset();
                return;
            default: FAIL() << step;
        }
    }

    bool can(char step) const {
        if (step == 'a') return permits_.size() < most_permits;
        if (std::string("sfc").find(step) != std::string::npos) return !permits_.empty();
        if (std::string("SFC").find(step) != std::string::npos) return permits_.size() > 1;
        if (step == 'e') return state_ == breaker_state::open && !forced_;
        return true;
    }

    /// How long it is to stay open, before jitter.
    std::chrono::nanoseconds open_time() const {
        auto d = options_.open_for();
        for (int i = 1; i < opened_; ++i) d = std::min(2 * d, options_.max_open_for());
        return d;
    }

    breaker_state state_ = breaker_state::closed;
    bool forced_ = false;
    bool admitted_ = false;
    bool just_opened_ = false;
    steady_time now_{1h};

    call_counts counts() const {
        call_counts sum;
        for (const result& r : results_) {
            if (r.tick + 10 <= tick_of(now_)) continue;
            ++sum.calls;
            if (r.failed) ++sum.failed;
        }
        return sum;
    }

private:
    class result {
    public:
        std::int64_t tick;
        bool failed;
    };

    static std::int64_t tick_of(steady_time t) { return t.time_since_epoch() / tick; }

    void become(breaker_state s) {
        state_ = s;
        ++age_;
        results_.clear();
        if (s == breaker_state::closed) closed_since_ = now_;
    }

    void force(breaker_state s) {
        if (forced_ && state_ == s) return;
        forced_ = true;
        opened_ = 0;
        become(s);
    }

    void open() {
        const bool lasted = !closed_since_ || now_ - *closed_since_ >= options_.window();
        opened_ = state_ == breaker_state::closed && lasted ? 1 : opened_ + 1;
        become(breaker_state::open);
        just_opened_ = true;
    }

    void ask(steady_time retry_at) {
        if (state_ == breaker_state::open && !forced_ && now_ >= retry_at) {
            become(breaker_state::half_open);
        }
        if (state_ == breaker_state::half_open) {
            const auto out = std::count(permits_.begin(), permits_.end(), age_);
            admitted_ =
                static_cast<std::size_t>(out) + results_.size() < options_.half_open_probes();
        } else {
            admitted_ = state_ == breaker_state::closed;
        }
        if (admitted_) permits_.push_back(age_);
    }

    void end(char step) {
        const bool first = step >= 'a';
        const auto permit = first ? permits_.begin() : permits_.begin() + 1;
        const int age = *permit;
        permits_.erase(permit);
        if (age != age_ || step == 'c' || step == 'C' || forced_) return;
        results_.push_back({tick_of(now_), step == 'f' || step == 'F'});
        if (state_ == breaker_state::half_open) return decide();
        const auto sum = counts();
        if (sum.calls >= options_.minimum_calls() && bad(sum.failed, sum.calls)) open();
    }

    bool bad(std::size_t failed, std::size_t all) const {
        return static_cast<double>(failed) >= options_.failure_rate() * static_cast<double>(all);
    }

    /// By looking at all that the probes to come may bring.
    void decide() {
        const std::size_t all = options_.half_open_probes();
        const auto failed = static_cast<std::size_t>(
            std::count_if(results_.begin(), results_.end(), [](auto& r) { return r.failed; }));
        std::size_t ways_to_open = 0;
        for (std::size_t more = 0; more <= all - results_.size(); ++more) {
            if (bad(failed + more, all)) ++ways_to_open;
        }
        if (ways_to_open == 0) {
            become(breaker_state::closed);
        } else if (ways_to_open == all - results_.size() + 1) {
            open();
        }
    }

    breaker_options options_;
    std::vector<int> permits_;  // each with the age of the state that gave it
    std::vector<result> results_;
    std::optional<steady_time> closed_since_;
    int age_ = 0;
    int opened_ = 0;
};

/// The breaker and its model, led through the same steps.
class pair {
public:
    explicit pair(const breaker_options& o) : real_(o, 3), model_(o) {}

    bool can(char step) const { return model_.can(step); }

    /// False if one of the steps makes no sense where it stands.
    bool apply_all(const steps& path) {
        for (const char step : path) {
            if (!can(step)) return false;
            apply(step);
        }
        return true;
    }

    void apply(char step) {
        model_.just_opened_ = false;
        model_.apply(step, real_.retry_at(model_.now_));
        const steady_time now = model_.now_;
        switch (step) {
            case 'a': ask(now); break;
            case 's':
            case 'S': take(step).succeed(now); break;
            case 'f':
            case 'F': take(step).fail(now); break;
            case 'c': take(step).cancel(); break;
            case 'C': take(step); break;
            case 'i': real_.isolate(now); break;
            case 'o': real_.force_closed(now); break;
            case 'r': real_.reset(now); break;
            default: break;
        }
        compare();
    }

private:
    void ask(steady_time now) {
        breaker_permit p = real_.acquire(now);
        ASSERT_EQ(static_cast<bool>(p), model_.admitted_);
        if (p) {
            permits_.push_back(std::move(p));
        } else {
            ASSERT_GT(p.retry_at(), now);
        }
    }

    breaker_permit take(char step) {
        const auto at = step >= 'a' ? permits_.begin() : permits_.begin() + 1;
        breaker_permit p = std::move(*at);
        permits_.erase(at);
        return p;
    }

    void compare() const {
        const steady_time now = model_.now_;
        const steady_time retry_at = real_.retry_at(now);
        ASSERT_EQ(real_.control() == breaker_control::forced, model_.forced_);
        const bool expired = model_.state_ == breaker_state::open && retry_at <= now;
        ASSERT_EQ(real_.state(now), expired ? breaker_state::half_open : model_.state_);
        if (model_.state_ == breaker_state::closed) {
            ASSERT_EQ(real_.counts(now), model_.counts());
            ASSERT_EQ(retry_at, now);
        }
        if (model_.just_opened_) {
            ASSERT_GE(retry_at - now, model_.open_time());
            ASSERT_LE(retry_at - now, model_.open_time() * 5 / 4);
        }
    }

    circuit_breaker real_;
    model model_;
    std::vector<breaker_permit> permits_;
};

/// Every sequence of `length` of these steps, after `prefix`.
class explorer {
public:
    explorer(const breaker_options& o, std::string alphabet)
        : options_(o), alphabet_(std::move(alphabet)) {}

    /// How many sequences there were.
    int explore(const steps& path, int length) {
        int sequences = 0;
        for (const char step : alphabet_) {
            pair p(options_);
            if (!p.apply_all(path) || !p.can(step)) continue;
            p.apply(step);
            if (::testing::Test::HasFatalFailure()) {
                ADD_FAILURE() << "after " << path << step;
                return sequences;
            }
            ++sequences;
            if (length > 1) sequences += explore(path + step, length - 1);
            if (::testing::Test::HasFailure()) break;
        }
        return sequences;
    }

private:
    breaker_options options_;
    std::string alphabet_;
};

breaker_options tiny(unsigned minimum, unsigned probes, double rate) {
    return breaker_options()
        .minimum_calls(minimum)
        .half_open_probes(probes)
        .failure_rate(rate)
        .window(10 * tick)
        .open_for(4s)
        .max_open_for(10s);
}

/// From each state, and with calls outstanding that an earlier state admitted.
const steps starts[] = {
    "",            // closed, nothing counted
    "afaa",        // one short of opening, two calls out
    "aafs",        // decided with both results in
    "afaf",        // open after two failures of two
    "afafe",       // open, and its time is over
    "aaFaF",       // open, with an old call outstanding
    "afafeaa",     // half open, two probes out
    "afafeafeaf",  // open for the third time in a row
};

TEST(CircuitBreakerModel, HoldsThroughEverySequenceOfCallsAndTime) {
    int sequences = 0;
    for (const auto& options : {tiny(2, 2, 0.5), tiny(2, 1, 0.5), tiny(2, 3, 1)}) {
        for (const steps& start : starts) {
            sequences += explorer(options, "asfcSFCte").explore(start, 5);
        }
    }
    RecordProperty("sequences", sequences);
    EXPECT_GT(sequences, 30'000);
}

TEST(CircuitBreakerModel, HoldsThroughEverySequenceWithForce) {
    int sequences = 0;
    for (const steps& start : starts) {
        sequences += explorer(tiny(2, 2, 0.5), "asfFCwior").explore(start, 4);
    }
    EXPECT_GT(sequences, 5'000);
}

}  // namespace
