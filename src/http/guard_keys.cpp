// The keys of `retry_budget`, `circuit_breaker` and `hedge`.
// SPDX-License-Identifier: BSL-1.0
#include "http/policy_keys.hpp"

#include <limits>

namespace asio_retry::http::detail {

namespace {

using maybe_value = std::optional<json::value>;

constexpr double most_tokens = 1e9;
constexpr double least_rate = 1e-6;
constexpr unsigned most = std::numeric_limits<unsigned>::max();

json::object tokens_schema() { return number_schema(0, most_tokens); }
json::object rate_schema() { return number_schema(least_rate, 1); }

/// A setter of numbers and its getter, as the functions of a key.
template <typename Options, Options& (Options::*Set)(double)>
void read_number(const json_place& at, Options& o) {
    const double value = at.number();
    at.set([&] { (o.*Set)(value); });
}
template <typename Options, double (Options::*Get)() const noexcept>
maybe_value write_number(const Options& o) {
    return number_value((o.*Get)());
}
template <typename Options, Options& (Options::*Set)(unsigned)>
void read_count(const json_place& at, Options& o) {
    const auto value = static_cast<unsigned>(at.whole_number(1, most));
    at.set([&] { (o.*Set)(value); });
}
template <typename Options, unsigned (Options::*Get)() const noexcept>
maybe_value write_count(const Options& o) {
    return maybe_value((o.*Get)());
}

template <double (budget_options::*Get)() const noexcept>
constexpr auto write_tokens = write_number<budget_options, Get>;

void read_costs(const json_place& at, budget_options& o) {
    std::array<std::string_view, retried_kinds.size()> names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = to_string(retried_kinds[i]);
    if (at.is_null()) {
        for (const auto kind : retried_kinds) {
            if (kind != failure_kind::timeout) o.cost(kind, std::nullopt);
        }
        return;
    }
    each_member(at, names, [&](const json_member& member) {
        const auto kind = failure_kind_from_string(member.key);
        if (!kind || *kind >= failure_kind::permanent) return false;
        const json_place here(at, member);
        if (here.is_null()) {
            o.cost(*kind, std::nullopt);
        } else {
            const double tokens = here.number();
            here.set([&] { o.cost(*kind, tokens); });
        }
        return true;
    });
}

json::object costs_schema() {
    json::object properties;
    for (const auto kind : retried_kinds) {
        properties.emplace(to_string(kind), or_null(tokens_schema()));
    }
    return or_null(
        {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}});
}

/// `timeout_cost` is the cost of timeouts, and written as that.
maybe_value write_costs(const budget_options& o) {
    json::object costs;
    for (const auto kind : retried_kinds) {
        const auto own = o.own_cost(kind);
        if (kind == failure_kind::timeout || !own) continue;
        costs.emplace(to_string(kind), number_value(*own));
    }
    return costs.empty() ? std::nullopt : maybe_value(std::move(costs));
}

constexpr std::array<json_key<budget_options>, 9> all_budget_keys{{
    {"capacity",
     "How many tokens it holds at most, and at first.",
     tokens_schema,
     read_number<budget_options, &budget_options::capacity>,
     write_tokens<&budget_options::capacity>},
    {"retry_cost",
     "What a retry costs, and a hedge.",
     tokens_schema,
     read_number<budget_options, &budget_options::retry_cost>,
     write_tokens<&budget_options::retry_cost>},
    {"timeout_cost",
     "What a retry after a timeout costs; null: as retry_cost says.",
     [] { return or_null(tokens_schema()); },
     [](const json_place& at, budget_options& o) {
         if (at.is_null()) {
             o.cost(failure_kind::timeout, std::nullopt);
         } else {
             read_number<budget_options, &budget_options::timeout_cost>(at, o);
         }
     },
     [](const budget_options& o) {
         const auto own = o.own_cost(failure_kind::timeout);
         return own ? maybe_value(number_value(*own)) : maybe_value(nullptr);
     }},
    {"cost",
     "What a retry after a failure of a kind costs; null: as retry_cost says.",
     costs_schema,
     read_costs,
     write_costs},
    {"failure_cost",
     "What every failed attempt takes, retried or not.",
     tokens_schema,
     read_number<budget_options, &budget_options::failure_cost>,
     write_tokens<&budget_options::failure_cost>},
    {"floor",
     "A retry needs more than this in the budget.",
     tokens_schema,
     read_number<budget_options, &budget_options::floor>,
     write_tokens<&budget_options::floor>},
    {"success_refund",
     "What a successful call earns.",
     tokens_schema,
     read_number<budget_options, &budget_options::success_refund>,
     write_tokens<&budget_options::success_refund>},
    {"returns_retry_cost",
     "Whether a call that succeeds in a retry earns the cost of that retry instead.",
     boolean_schema,
     [](const json_place& at, budget_options& o) { o.returns_retry_cost(at.boolean()); },
     [](const budget_options& o) { return maybe_value(o.returns_retry_cost()); }},
    {"refill_per_second",
     "What time alone earns.",
     [] { return number_schema(0, 1e5); },
     read_number<budget_options, &budget_options::refill_per_second>,
     write_tokens<&budget_options::refill_per_second>},
}};

template <typename Set>
void read_duration(const json_place& at, const Set& set) {
    const auto d = at.duration();
    at.set([&] { set(d); });
}

constexpr std::array<json_key<breaker_options>, 8> all_breaker_keys{{
    {"failure_rate",
     "The part of failures at which it opens.",
     rate_schema,
     read_number<breaker_options, &breaker_options::failure_rate>,
     write_number<breaker_options, &breaker_options::failure_rate>},
    {"minimum_calls",
     "How many results the window must hold before rates count.",
     [] { return count_schema(1, most); },
     read_count<breaker_options, &breaker_options::minimum_calls>,
     write_count<breaker_options, &breaker_options::minimum_calls>},
    {"window",
     "How far back results count; at least twice the attempt timeout.",
     duration_schema,
     [](const json_place& at, breaker_options& o) {
         read_duration(at, [&](auto d) { o.window(d); });
     },
     [](const breaker_options& o) { return maybe_value(duration_value(o.window())); }},
    {"open_for",
     "How long it stays open at first; up to a quarter is added at random.",
     duration_schema,
     [](const json_place& at, breaker_options& o) {
         read_duration(at, [&](auto d) { o.open_for(d); });
     },
     [](const breaker_options& o) { return maybe_value(duration_value(o.open_for())); }},
    {"max_open_for",
     "How long it stays open at most, where it opens again and again.",
     duration_schema,
     [](const json_place& at, breaker_options& o) {
         read_duration(at, [&](auto d) { o.max_open_for(d); });
     },
     [](const breaker_options& o) { return maybe_value(duration_value(o.max_open_for())); }},
    {"half_open_probes",
     "How many calls decide whether it closes again.",
     [] { return count_schema(1, most); },
     read_count<breaker_options, &breaker_options::half_open_probes>,
     write_count<breaker_options, &breaker_options::half_open_probes>},
    {"slow_call",
     "A call that takes longer is slow, whatever its result; null: none is.",
     limit_schema,
     [](const json_place& at, breaker_options& o) {
         const auto d = at.limit();
         at.set([&] { o.slow_call(d); });
     },
     [](const breaker_options& o) { return maybe_value(limit_value(o.slow_call())); }},
    {"slow_call_rate",
     "The part of slow calls at which it opens.",
     rate_schema,
     read_number<breaker_options, &breaker_options::slow_call_rate>,
     write_number<breaker_options, &breaker_options::slow_call_rate>},
}};

constexpr std::array<json_key<hedge_draft>, 3> all_hedge_keys{{
    {"after",
     "How long the first attempt may take before another is started; null: as after_p95 says.",
     limit_schema,
     [](const json_place& at, hedge_draft& h) {
         h.after.reset();
         if (at.is_null()) return;
         const auto d = at.duration();
         at.set([&] { h.after = hedge_options().after(d).after(); });
     },
     [](const hedge_draft& h) {
         return h.after ? maybe_value(duration_value(*h.after)) : std::nullopt;
     }},
    {"after_p95",
     "Whether the delay is the 95th percentile of the latencies of late; before there are enough "
     "of "
     "them it is `after`. null: where there is no `after`.",
     [] { return or_null(boolean_schema()); },
     [](const json_place& at, hedge_draft& h) {
         h.after_p95.reset();
         if (!at.is_null()) h.after_p95 = at.boolean();
     },
     [](const hedge_draft& h) {
         return h.after ? maybe_value(h.after_p95.value_or(false)) : std::nullopt;
     }},
    {"max_extra",
     "How many attempts may be started beside the first.",
     [] { return count_schema(1, hedge_options::most_extra); },
     [](const json_place& at, hedge_draft& h) {
         h.max_extra = static_cast<unsigned>(at.whole_number(1, hedge_options::most_extra));
     },
     [](const hedge_draft& h) { return maybe_value(h.max_extra); }},
}};

}  // namespace

json_keys<budget_options> budget_keys() { return all_budget_keys; }

json_keys<breaker_options> breaker_keys() { return all_breaker_keys; }

hedge_options hedge_draft::finish() const {
    hedge_options o;
    if (after) o.after(*after);
    if (after_p95.value_or(false)) o.after_p95();
    return o.max_extra(max_extra);
}

json_keys<hedge_draft> hedge_keys() { return all_hedge_keys; }

}  // namespace asio_retry::http::detail
