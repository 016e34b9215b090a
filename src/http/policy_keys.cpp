// SPDX-License-Identifier: BSL-1.0
#include "http/policy_keys.hpp"

#include <boost/json/array.hpp>

#include <limits>
#include <utility>

namespace asio_retry::http::detail {

namespace {

using maybe_value = std::optional<json::value>;

constexpr unsigned most = std::numeric_limits<unsigned>::max();
constexpr auto largest_size = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

constexpr std::array<std::string_view, 3> idempotencies{"by_method", "always", "generate_key"};
constexpr std::array<std::string_view, 2> vetoes{"obeyed", "ignored"};
constexpr std::array<std::string_view, 2> switches{"off", "on"};

json::object any_count() { return count_schema(0, most); }

unsigned count(const json_place& at, unsigned least) {
    return static_cast<unsigned>(at.whole_number(least, most));
}

/// An object that is read onto what is inherited, or onto its defaults where that is off.
template <typename Options, typename Draft = Options>
void read_guard(const json_place& at, json_keys<Draft> keys, std::optional<Options>& option) {
    if (at.is_null()) {
        option.reset();
        return;
    }
    Draft draft(option.value_or(Options()));
    if (!read_keys(at, keys, draft)) return;
    if constexpr (std::is_same_v<Draft, Options>) {
        option = draft;
    } else {
        option = draft.finish();
    }
}

void read_hedge(const json_place& at, policy_draft& p) {
    std::optional<hedge_options> option = p.fetch.hedge();
    if (at.is_null()) {
        p.fetch.hedge(std::nullopt);
        return;
    }
    hedge_draft draft(option.value_or(hedge_options()));
    if (!read_keys(at, hedge_keys(), draft)) return;
    const json_member* observing = at.node().find("after_p95");
    if (!draft.after && observing != nullptr && !draft.after_p95.value_or(true)) {
        json_place(at, *observing).refuse("leaves hedging without a delay; set \"after\" too");
    }
    p.fetch.hedge(draft.finish());
}

void read_by_kind(const json_place& at, policy_draft& p) {
    if (at.is_null()) {
        for (const auto kind : retried_kinds) p.retry.on(kind, kind_limits());
        return;
    }
    std::array<std::string_view, retried_kinds.size()> names;
    for (std::size_t i = 0; i < names.size(); ++i) names[i] = to_string(retried_kinds[i]);
    each_member(at, names, [&](const json_member& member) {
        const auto kind = failure_kind_from_string(member.key);
        if (!kind) return false;
        if (*kind >= failure_kind::permanent) {
            at.refuse_key(member, "is a kind of failure that is never retried");
        }
        const json_place here(at, member);
        kind_draft draft(here.is_null() ? kind_limits() : p.retry.on(*kind));
        if (here.is_null() || read_keys(here, kind_keys(), draft)) {
            p.retry.on(*kind, draft.finish());
        }
        return true;
    });
}

json::object by_kind_schema() {
    json::object properties;
    for (const auto kind : retried_kinds) {
        properties.emplace(to_string(kind), or_null({{"$ref", "#/$defs/kind"}}));
    }
    return or_null(
        {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}});
}

maybe_value write_by_kind(const policy_draft& p) {
    json::object kinds;
    for (const auto kind : retried_kinds) {
        if (p.retry.on(kind) == kind_limits()) continue;
        kinds.emplace(to_string(kind), write_keys(kind_keys(), kind_draft(p.retry.on(kind))));
    }
    return kinds.empty() ? std::nullopt : maybe_value(std::move(kinds));
}

void read_statuses(const json_place& at, policy_draft& p) {
    at.require_list();
    std::vector<unsigned> statuses;
    const auto& list = at.node().elements;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const json_place here(at, list[i], i);
        statuses.push_back(static_cast<unsigned>(here.whole_number(400, 599)));
    }
    p.fetch.retry_status(std::move(statuses));
}

json::object statuses_schema() { return {{"type", "array"}, {"items", count_schema(400, 599)}}; }

maybe_value write_statuses(const policy_draft& p) {
    const auto& list = p.fetch.retry_status();
    return json::array(list.begin(), list.end());
}

void read_limit(const json_place& at, policy_draft& p) {
    p.has_limit = !at.is_null();
    if (p.has_limit) p.limit.max_concurrency(count(at, 1));
}

/// What is said of a limit counts only where there is one.
maybe_value if_limited(const policy_draft& p, json::value value) {
    return p.has_limit ? maybe_value(std::move(value)) : std::nullopt;
}

template <typename Guard, typename Draft = Guard>
maybe_value write_guard(const std::optional<Guard>& guard, json_keys<Draft> keys) {
    if (!guard) return json::value(nullptr);
    return maybe_value(write_keys(keys, Draft(*guard)));
}

constexpr std::array<json_key<policy_draft>, 24> all_policy_keys{{
    {"max_attempts",
     "How many attempts a call may make, the first included; 1 means no retry.",
     [] { return count_schema(1, most); },
     [](const json_place& at, policy_draft& p) { p.retry.max_attempts(count(at, 1)); },
     [](const policy_draft& p) { return maybe_value(p.retry.max_attempts()); }},
    {"attempt_timeout",
     "Bound on one attempt, its body included; null: none.",
     limit_schema,
     [](const json_place& at, policy_draft& p) {
         const auto d = at.limit();
         at.set([&] { p.retry.attempt_timeout(d); });
     },
     [](const policy_draft& p) { return maybe_value(limit_value(p.retry.attempt_timeout())); }},
    {"total_timeout",
     "Bound on the whole call, delays included; null: none.",
     limit_schema,
     [](const json_place& at, policy_draft& p) { p.retry.total_timeout(at.limit()); },
     [](const policy_draft& p) { return maybe_value(limit_value(p.retry.total_timeout())); }},
    {"connect_timeout",
     "Bound on making one connection: name lookup, connect and TLS handshake; null: none.",
     limit_schema,
     [](const json_place& at, policy_draft& p) {
         const auto d = at.limit();
         at.set([&] { p.fetch.connect_timeout(d); });
     },
     [](const policy_draft& p) { return maybe_value(limit_value(p.fetch.connect_timeout())); }},
    {"backoff",
     "The delays between attempts.",
     [] { return json::object{{"$ref", "#/$defs/backoff"}}; },
     [](const json_place& at, policy_draft& p) {
         p.retry.backoff(read_backoff(at, p.retry.backoff()));
     },
     [](const policy_draft& p) { return maybe_value(write_backoff(p.retry.backoff())); }},
    {"by_kind",
     "Limits and schedules of single kinds of failure; null: none.",
     by_kind_schema,
     read_by_kind,
     write_by_kind},
    {"max_retry_after",
     "The longest wait that a server may ask for before the call gives up; null: any.",
     limit_schema,
     [](const json_place& at, policy_draft& p) { p.retry.max_retry_after(at.limit()); },
     [](const policy_draft& p) { return maybe_value(limit_value(p.retry.max_retry_after())); }},
    {"retry_status",
     "The statuses that are failures worth a retry.",
     statuses_schema,
     read_statuses,
     write_statuses},
    {"idempotency",
     "Which requests may be sent again: those whose method says so or that carry a key; all; all, "
     "with a key made up where one is needed.",
     [] { return choice_schema(idempotencies); },
     [](const json_place& at, policy_draft& p) {
         p.fetch.idempotency(static_cast<idempotency>(at.one_of(idempotencies)));
     },
     [](const policy_draft& p) {
         return maybe_value(
             text_value(idempotencies[static_cast<std::size_t>(p.fetch.idempotency())]));
     }},
    {"server_veto",
     "Whether a response can forbid to repeat its request (X-Should-Retry: false, say).",
     [] { return choice_schema(vetoes); },
     [](const json_place& at, policy_draft& p) {
         p.fetch.server_veto(static_cast<server_veto>(at.one_of(vetoes)));
     },
     [](const policy_draft& p) {
         return maybe_value(text_value(vetoes[static_cast<std::size_t>(p.fetch.server_veto())]));
     }},
    {"attempt_header",
     "The field in which a repeated request carries the number of its attempt; empty: none.",
     text_schema,
     [](const json_place& at, policy_draft& p) {
         auto name = at.text();
         at.set([&] { p.fetch.attempt_header(std::move(name)); });
     },
     [](const policy_draft& p) { return maybe_value(text_value(p.fetch.attempt_header())); }},
    {"hedge",
     "Starts another attempt beside a first one that is slow; null: never.",
     [] { return or_null({{"$ref", "#/$defs/hedge"}}); },
     read_hedge,
     [](const policy_draft& p) { return write_guard(p.fetch.hedge(), hedge_keys()); }},
    {"pacing",
     "Whether attempts wait for their turn where the server tells its rate limit.",
     [] { return choice_schema(switches); },
     [](const json_place& at, policy_draft& p) {
         p.fetch.pacing(static_cast<pacing>(at.one_of(switches)));
     },
     [](const policy_draft& p) {
         return maybe_value(text_value(switches[static_cast<std::size_t>(p.fetch.pacing())]));
     }},
    {"max_redirects",
     "How many redirects in a row are followed.",
     any_count,
     [](const json_place& at, policy_draft& p) { p.fetch.max_redirects(count(at, 0)); },
     [](const policy_draft& p) { return maybe_value(p.fetch.max_redirects()); }},
    {"max_header_size",
     "Bound on a response's header, in bytes.",
     [] { return count_schema(1, largest_size); },
     [](const json_place& at, policy_draft& p) {
         p.fetch.max_header_size(at.whole_number(1, largest_size));
     },
     [](const policy_draft& p) { return maybe_value(p.fetch.max_header_size()); }},
    {"max_body_size",
     "Bound on a response's body, in bytes.",
     [] { return count_schema(0, largest_size); },
     [](const json_place& at, policy_draft& p) {
         p.fetch.max_body_size(at.whole_number(0, largest_size));
     },
     [](const policy_draft& p) { return maybe_value(p.fetch.max_body_size()); }},
    {"max_history",
     "How many attempts the report of a call remembers.",
     [] { return count_schema(1, most); },
     [](const json_place& at, policy_draft& p) { p.retry.max_history(count(at, 1)); },
     [](const policy_draft& p) { return maybe_value(p.retry.max_history()); }},
    {"name",
     "What calls are called in logs and error texts; empty: method and URL.",
     text_schema,
     [](const json_place& at, policy_draft& p) { p.retry.name(at.text()); },
     [](const policy_draft& p) { return maybe_value(text_value(p.retry.name())); }},
    {"retry_budget",
     "What all calls to an origin may spend on retries; null: no bound.",
     [] { return or_null({{"$ref", "#/$defs/retry_budget"}}); },
     [](const json_place& at, policy_draft& p) { read_guard(at, budget_keys(), p.budget); },
     [](const policy_draft& p) { return write_guard(p.budget, budget_keys()); }},
    {"circuit_breaker",
     "Fails calls at once while an origin keeps failing; null: never.",
     [] { return or_null({{"$ref", "#/$defs/circuit_breaker"}}); },
     [](const json_place& at, policy_draft& p) { read_guard(at, breaker_keys(), p.breaker); },
     [](const policy_draft& p) { return write_guard(p.breaker, breaker_keys()); }},
    {"max_concurrency",
     "How many requests to an origin may be under way at once; null: any number.",
     [] { return or_null(count_schema(1, most)); },
     read_limit,
     [](const policy_draft& p) {
         return maybe_value(p.has_limit ? json::value(p.limit.max_concurrency())
                                        : json::value(nullptr));
     }},
    {"queue",
     "How many more may wait for their turn; those beyond fail at once. null: 128.",
     [] { return or_null(any_count()); },
     [](const json_place& at, policy_draft& p) {
         p.limit.queue(at.is_null() ? concurrency_options().queue() : count(at, 0));
     },
     [](const policy_draft& p) { return if_limited(p, p.limit.queue()); }},
    {"min_concurrency",
     "The lowest that an adaptive limit sinks. null: 1.",
     [] { return or_null(count_schema(1, most)); },
     [](const json_place& at, policy_draft& p) {
         p.limit.min_concurrency(at.is_null() ? 1 : count(at, 1));
     },
     [](const policy_draft& p) { return if_limited(p, p.limit.min_concurrency()); }},
    {"adaptive_latency",
     "A call that takes longer shows overload and lowers the limit; null: the limit is fixed.",
     limit_schema,
     [](const json_place& at, policy_draft& p) {
         const auto d = at.limit();
         at.set([&] { p.limit.adaptive_latency(d); });
     },
     [](const policy_draft& p) { return if_limited(p, limit_value(p.limit.adaptive_latency())); }},
}};

}  // namespace

policy_draft::policy_draft(const endpoint_policy& p)
    : retry(p.fetch().retry()),
      fetch(p.fetch()),
      budget(p.retry_budget()),
      breaker(p.circuit_breaker()),
      limit(p.concurrency().value_or(concurrency_options())),
      has_limit(p.concurrency().has_value()) {}

endpoint_policy policy_draft::finish() const {
    fetch_policy how = fetch;
    endpoint_policy policy;
    policy.fetch(how.retry(retry)).retry_budget(budget).circuit_breaker(breaker);
    if (has_limit) policy.concurrency(limit);
    return policy;
}

json_keys<policy_draft> policy_keys() { return all_policy_keys; }

}  // namespace asio_retry::http::detail
