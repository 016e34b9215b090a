// The concurrency limit beside a naive model of it, through every sequence of a few steps.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/concurrency_limit.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;

/// n: a caller comes; 1, 2: the first or second that runs ends; c, C: the first or second that
/// waits gives up; t: a caller tries without waiting.
constexpr char alphabet[] = "n12cCt";

class model {
public:
    model(std::size_t places, std::size_t queue) : places_(places), queue_(queue) {}

    bool can(char step) const {
        switch (step) {
            case '1': return !running.empty();
            case '2': return running.size() > 1;
            case 'c': return !waiting.empty();
            case 'C': return waiting.size() > 1;
            default: return callers < 9;
        }
    }

    void apply(char step) {
        switch (step) {
            case 'n':
                if (running.size() < places_) {
                    running.push_back(callers++);
                } else if (waiting.size() < queue_) {
                    waiting.push_back(callers++);
                } else {
                    refused.push_back(callers++);
                }
                break;
            case 't': (running.size() < places_ ? running : refused).push_back(callers++); break;
            case '1':
            case '2':
                running.erase(running.begin() + (step - '1'));
                if (!waiting.empty()) {
                    running.push_back(waiting.front());
                    waiting.erase(waiting.begin());
                }
                break;
            default: waiting.erase(waiting.begin() + (step == 'c' ? 0 : 1)); break;
        }
    }

    int callers = 0;
    std::vector<int> running;
    std::vector<int> waiting;
    std::vector<int> refused;

private:
    std::size_t places_;
    std::size_t queue_;
};

class pair {
public:
    pair(detail::timer_service& timers, std::uint32_t places, std::uint32_t queue)
        : timers_(timers),
          model_(places, queue),
          limit_(concurrency_options().max_concurrency(places).queue(queue)) {}

    bool can(char step) const { return model_.can(step); }

    void apply(char step) {
        switch (step) {
            case 'n': {
                caller& c = callers_.emplace_back();
                c.ticket.emplace(timers_);
                c.lease = limit_.acquire({}, *c.ticket);
                if (!c.ticket->is_queued()) c.ticket.reset();
                break;
            }
            case 't': callers_.emplace_back().lease = limit_.try_acquire({}); break;
            case '1':
            case '2': who(model_.running, step - '1').end(); break;
            default: who(model_.waiting, step == 'c' ? 0 : 1).ticket.reset(); break;
        }
        model_.apply(step);
        compare();
    }

private:
    /// One that was given a place finds it in its ticket, as its wait would.
    class caller {
    public:
        void end() {
            if (ticket) lease = ticket->take({});
            ASSERT_TRUE(lease);
            ticket.reset();
            lease.release();
        }
        std::optional<concurrency_ticket> ticket;
        concurrency_lease lease;
    };

    caller& who(const std::vector<int>& list, int place) {
        return callers_.at(static_cast<std::size_t>(list.at(static_cast<std::size_t>(place))));
    }

    void compare() {
        ASSERT_EQ(limit_.running(), model_.running.size());
        ASSERT_EQ(limit_.waiting(), model_.waiting.size());
        for (const int i : model_.refused) {
            const caller& c = callers_.at(static_cast<std::size_t>(i));
            ASSERT_FALSE(c.lease || c.ticket);
        }
        for (const int i : model_.running) {
            const caller& c = callers_.at(static_cast<std::size_t>(i));
            ASSERT_TRUE(c.lease || (c.ticket && c.ticket->is_queued() && !c.ticket->is_linked()));
        }
        for (const int i : model_.waiting) {
            const caller& c = callers_.at(static_cast<std::size_t>(i));
            ASSERT_TRUE(c.ticket && c.ticket->is_queued() && c.ticket->is_linked());
        }
    }

    detail::timer_service& timers_;
    model model_;
    concurrency_limit limit_;
    std::deque<caller> callers_;
};

class ConcurrencyLimitModel : public ::testing::Test {
public:
    void explore(std::uint32_t places, std::uint32_t queue, const std::string& path, int length) {
        for (const char step : std::string(alphabet)) {
            pair p(timers, places, queue);
            for (const char each : path) p.apply(each);
            if (!p.can(step)) continue;
            p.apply(step);
            ++sequences;
            ASSERT_FALSE(HasFatalFailure()) << "after " << path << step;
            if (length > 1) explore(places, queue, path + step, length - 1);
            if (HasFailure()) return;
        }
    }

    stage s;
    detail::timer_service& timers{detail::timer_service::of(s.executor())};
    int sequences = 0;
};

TEST_F(ConcurrencyLimitModel, HoldsThroughEverySequence) {
    explore(1, 2, "", 7);
    explore(2, 2, "nnnn", 6);
    explore(2, 0, "", 6);
    EXPECT_GT(sequences, 20'000);
}

}  // namespace
}  // namespace asio_retry
