// SPDX-License-Identifier: BSL-1.0
#include "http/hedged_fetch.hpp"

#include "http/fetch.hpp"
#include "http/verdicts.hpp"
#include <asio_retry/detail/hedge_contest.hpp>
#include <asio_retry/detail/hedge_race.hpp>
#include <asio_retry/retry_budget.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <utility>

namespace asio_retry::http::detail {

namespace {

bool was_cut_off(const attempt_record& r) { return r.kind == failure_kind::cancelled; }

/// The response is a verdict that another server would repeat.
bool is_final(const fetch_result& r) {
    return r.ok() || (r.has_value() && !r.error() && r.reason() == reason::permanent_failure);
}

}  // namespace

hedged_fetch::hedged_fetch(std::shared_ptr<client_state> state,
                           fetch_start begin,
                           timer_service& timers)
    : state_(std::move(state)),
      begin_(std::move(begin)),
      options_(*begin_.policy.hedge()),
      timers_(timers),
      changed_(timers),
      start_(timers.now()),
      delay_(asio_retry::detail::hedge_delay(options_, begin_.endpoint.latency())) {
    begin_.endpoint.counters().calls.fetch_add(1, std::memory_order_relaxed);
}

asio::awaitable<void> hedged_fetch::lane(unsigned n) {
    entries_.push_back(std::make_unique<entry>(n, start_, timers_.now(), share_, changed_));
    return run(this, entries_.back().get());
}

asio::awaitable<void> hedged_fetch::run(hedged_fetch* self, entry* e) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    try {
        auto place = make_place(self->state_, self->begin_);
        place->operation = &e->operation;
        place->lane = &e->lane;
        auto call = run_fetch(std::move(place));
        e->result.emplace(co_await std::move(call));
    } catch (...) {
        e->exception = std::current_exception();
    }
}

steady_time hedged_fetch::due(unsigned n) const {
    const steady_time since = entries_.front()->lane.running_since();
    if (!delay_ || n > options_.max_extra() || since == steady_time::max()) {
        return steady_time::max();
    }
    return saturating_add(since, asio_retry::detail::saturating_multiply(*delay_, n));
}

bool hedged_fetch::has_room() const noexcept {
    const auto& limit = begin_.endpoint.concurrency_limit();
    return !limit || (limit->waiting() == 0 && limit->running() < limit->limit());
}

/// An attempt that would have to queue helps nobody.
bool hedged_fetch::admits(unsigned, steady_time now) {
    const auto& budget = begin_.policy.retry().retry_budget();
    if (!has_room() || (budget && !budget->try_spend(now))) return false;
    begin_.endpoint.counters().hedges.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool hedged_fetch::decides(unsigned n) {
    const auto& result = entries_[n]->result;
    if (!result || !is_final(*result)) return false;
    winner_ = n;
    // Of an attempt that was cut off at least so much is known.
    const nanoseconds took = entries_.front()->lane.first_took(timers_.now());
    if (result->ok() && took > nanoseconds::zero()) begin_.endpoint.latency().record(took);
    return true;
}

retry_report hedged_fetch::merge(const fetch_result& end) const {
    std::vector<attempt_record> all;
    std::size_t forgotten = 0;
    unsigned attempts = 0;
    for (const auto& e : entries_) {
        if (!e->result) continue;
        const retry_report& report = e->result->report();
        forgotten += report.forgotten();
        attempts += report.attempts();
        for (attempt_record r : report.history()) {
            r.number = e->lane.number_of(r.number);
            r.started += e->lane.started();
            all.push_back(std::move(r));
        }
    }
    std::stable_sort(
        all.begin(), all.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    error_code last = end.report().last_error();
    if (end.ok()) {
        for (const auto& r : all) {
            if (r.error && !was_cut_off(r)) last = r.error;
        }
    }
    const std::size_t bound = begin_.policy.retry().max_history();
    if (all.size() > bound) {
        forgotten += all.size() - bound;
        all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(bound));
    }
    return {end.reason(),
            last,
            attempts,
            timers_.now() - start_,
            std::move(all),
            forgotten,
            end.report().retry_after()};
}

/// Which lane speaks where none has won: one that was cancelled, as only the caller can have done
/// that then; else the first.
unsigned hedged_fetch::last_word() const noexcept {
    for (unsigned n = 0; n < entries_.size(); ++n) {
        const auto& result = entries_[n]->result;
        if (result && result->reason() == reason::cancelled) return n;
    }
    return 0;
}

fetch_result hedged_fetch::finish(std::string* operation) {
    entry& end = *entries_[winner_.value_or(last_word())];
    if (!end.result) std::rethrow_exception(end.exception);
    retry_report report = merge(*end.result);
    if (operation != nullptr) *operation = end.operation;
    count_end(begin_.endpoint.counters(), report.reason());
    if (!end.result->ok() && begin_.policy.retry().observer()) {
        begin_.policy.retry().observer()->gave_up(end.lane.operation, report);
    }
    std::optional<response> value;
    for (const auto& e : entries_) {
        const bool wanted = e.get() == &end || !value;
        if (wanted && e->result && e->result->has_value()) value = std::move(**e->result);
    }
    return {std::move(value), end.result->error(), end.result->cause(), std::move(report)};
}

asio::awaitable<fetch_result> run_hedged(std::shared_ptr<client_state> state,
                                         fetch_start begin,
                                         std::string* operation) {
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
        auto place = make_place(std::move(state), std::move(begin));
        place->operation = operation;
        auto call = run_fetch(std::move(place));
        co_return co_await std::move(call);
    }
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    hedged_fetch contest(std::move(state), std::move(begin), timers);
    auto race = asio_retry::detail::run_race_apart<asio::any_io_executor>(&contest, &timers);
    co_await std::move(race);
    co_return contest.finish(operation);
}

}  // namespace asio_retry::http::detail
