// SPDX-License-Identifier: BSL-1.0
#include "fleet/outage.hpp"

#include <asio_retry/detail/retry_fsm.hpp>

#include <algorithm>
#include <deque>

namespace asio_retry::fleet {

namespace {

/// One worker and a queue without end, first come, first served, wanted or not.
class server {
public:
    explicit server(const outage_setup& s)
        : setup_(s),
          down_(epoch + s.outage_at),
          up_(down_ + s.outage_for),
          work_(from_seconds(1 / s.capacity)) {}

    class reply {
    public:
        steady_time at;
        std::optional<failure_kind> failure;
    };

    reply take(steady_time now, dice& random) {
        const bool out = now >= down_ && now < up_;
        if (out && setup_.kind == outage_kind::refuse) return {now, failure_kind::connect};
        steady_time start = std::max(now, free_);
        if (setup_.kind == outage_kind::stall && start >= down_ && start < up_) start = up_;
        free_ = start + work_;
        const bool fails =
            out && setup_.kind == outage_kind::fail && random.chance(setup_.failure_rate);
        if (free_ > now + setup_.timeout) return {now + setup_.timeout, failure_kind::timeout};
        return {free_, fails ? std::optional(failure_kind::server) : std::nullopt};
    }

private:
    const outage_setup& setup_;
    steady_time down_;
    steady_time up_;
    nanoseconds work_;
    steady_time free_ = epoch;
};

class call {
public:
    detail::retry_fsm fsm;
    std::size_t client = 0;
    std::size_t second = 0;
    std::optional<failure_kind> retried;  // what the last retry was paid for
    std::optional<failure_kind> failed;   // how the attempt in progress ends
};

enum class step : std::uint8_t { call_begins, attempt_begins, attempt_ends };

class event {
public:
    step what;
    std::size_t call;
};

class fleet_run {
public:
    explicit fleet_run(const outage_setup& s)
        : setup_(s), server_(s), random_(s.seed), arrivals_(~s.seed) {
        policy_.max_attempts(s.max_attempts).attempt_timeout(s.timeout).backoff(s.schedule);
        result_.seconds.resize(static_cast<std::size_t>(s.length / 1s) + 1);
        for (std::size_t i = 0; s.budget && i < s.clients; ++i) budgets_.emplace_back(*s.budget);
    }

    outage_result run() {
        events_.add(epoch, {step::call_begins, 0});
        while (!events_.empty()) {
            const auto [now, e] = events_.next();
            result_.length = now - epoch;
            switch (e.what) {
                case step::call_begins: call_begins(now); break;
                case step::attempt_begins: attempt_begins(now, e.call); break;
                case step::attempt_ends: attempt_ends(now, e.call); break;
            }
        }
        result_.recovery = recovery();
        return std::move(result_);
    }

private:
    std::size_t second_of(steady_time t) const {
        return std::min(static_cast<std::size_t>((t - epoch) / 1s), result_.seconds.size() - 1);
    }

    void call_begins(steady_time now) {
        if (now - epoch >= setup_.length) return;
        events_.add(now + from_seconds(arrivals_.exponential(1 / setup_.offered)),
                    {step::call_begins, 0});
        const std::size_t i = free_.empty() ? calls_.size() : free_.back();
        if (free_.empty()) {
            calls_.emplace_back();
        } else {
            free_.pop_back();
        }
        call& c = calls_[i] = call();
        c.client = arrivals_.below(setup_.clients);
        c.second = second_of(now);
        ++result_.calls;
        ++result_.seconds[c.second].calls;
        c.fsm.start(policy_, now);
        attempt_begins(now, i);
    }

    void attempt_begins(steady_time now, std::size_t i) {
        ++result_.requests;
        ++result_.seconds[second_of(now)].requests;
        const auto reply = server_.take(now, random_);
        calls_[i].failed = reply.failure;
        events_.add(reply.at, {step::attempt_ends, i});
    }

    void attempt_ends(steady_time now, std::size_t i) {
        call& c = calls_[i];
        retry_budget* const budget = setup_.budget ? &budgets_[c.client] : nullptr;
        if (!c.failed) {
            ++result_.succeeded;
            ++result_.seconds[c.second].succeeded;
            if (budget != nullptr) {
                c.retried ? budget->call_succeeded(*c.retried, now) : budget->call_succeeded(now);
            }
            return free_.push_back(i);
        }
        if (budget != nullptr) budget->attempt_failed(*c.failed, now);
        const auto next =
            c.fsm.attempt_done(policy_, now, *c.failed, [this] { return random_.bits(); });
        const bool goes_on = next.what == detail::retry_action::type::wait &&
                             (budget == nullptr || budget->try_spend(*c.failed, now));
        if (!goes_on) return free_.push_back(i);
        c.retried = c.failed;
        c.fsm.wait_done(now + next.delay);
        events_.add(now + next.delay, {step::attempt_begins, i});
    }

    /// From the second after the last bad one; a run that ends badly has not recovered.
    std::optional<nanoseconds> recovery() const {
        const auto end = static_cast<std::size_t>(setup_.length / 1s);
        const auto over = static_cast<std::size_t>((setup_.outage_at + setup_.outage_for) / 1s);
        std::size_t good_from = end;
        for (std::size_t s = end; s-- > 0;) {
            const auto& one = result_.seconds[s];
            if (one.succeeded * 100.0 < one.calls * 99.0) break;
            good_from = s;
        }
        if (good_from + 5 > end) return std::nullopt;
        return std::max<nanoseconds>(0s, (good_from - std::min(good_from, over)) * 1s);
    }

    const outage_setup& setup_;
    server server_;
    dice random_;
    dice arrivals_;  // on their own, so that the same calls are made whatever the policy
    retry_policy policy_;
    std::deque<retry_budget> budgets_;
    std::deque<call> calls_;
    std::vector<std::size_t> free_;  // places of calls that are over
    event_queue<event> events_;
    outage_result result_;
};

}  // namespace

outage_result run_outage(const outage_setup& setup) { return fleet_run(setup).run(); }

}  // namespace asio_retry::fleet
