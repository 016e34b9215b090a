// A policy file to begin with, and random tables of endpoints.
#pragma once

#include <asio_retry/http/endpoint_table.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace asio_retry::test {

inline constexpr const char* contract_file = R"({ "version": 1,
  "default":   { "max_attempts": 4, "attempt_timeout": "2s", "total_timeout": "10s", "connect_timeout": "1s",
                 "backoff": {"kind": "exponential", "base": "100ms", "factor": 2, "cap": "5s", "jitter": "full"},
                 "by_kind": {"throttling": {"max_attempts": 6, "backoff": {"kind": "exponential", "base": "1s", "cap": "20s"}}},
                 "max_retry_after": "30s", "retry_status": [408, 425, 429, 500, 502, 503, 504],
                 "idempotency": "by_method",
                 "retry_budget": {"capacity": 100, "retry_cost": 5, "timeout_cost": 10, "success_refund": 1, "refill_per_second": 1},
                 "circuit_breaker": {"failure_rate": 0.5, "minimum_calls": 20, "window": "30s", "open_for": "5s", "half_open_probes": 3},
                 "hedge": {"after": "200ms", "max_extra": 1}, "max_concurrency": 64, "queue": 128 },
  "endpoints": [ {"name": "payments", "match": {"origin": "https://pay.example", "path":
  "/v1/charges/*", "methods": ["POST"]},
                  "policy": {"idempotency": "generate_key", "max_attempts": 6}} ] })";

/// Policies with any option set to anything; the same for the same seed.
class policy_generator {
public:
    explicit policy_generator(unsigned seed) : random_(seed) {}

    http::endpoint_table table() {
        std::vector<http::endpoint> list;
        const auto defaults = policy(http::endpoint_policy());
        for (std::uint64_t n = below(4); n > 0; --n) {
            const auto name = "e" + std::to_string(n);
            list.emplace_back(
                name,
                http::endpoint_match().path("/" + name + (coin() ? "*" : "")),
                coin() ? defaults : policy(coin() ? defaults : http::endpoint_policy()));
        }
        return http::endpoint_table(defaults, list);
    }

    http::endpoint_policy policy(http::endpoint_policy p) {
        auto fetch = p.fetch();
        auto retry = fetch.retry();
        change(retry);
        change(fetch);
        p.fetch(fetch.retry(retry));
        if (seldom()) p.retry_budget(coin() ? std::nullopt : std::optional(budget()));
        if (seldom()) p.circuit_breaker(coin() ? std::nullopt : std::optional(breaker()));
        if (seldom()) p.concurrency(coin() ? std::nullopt : std::optional(limit()));
        return p;
    }

private:
    using nanoseconds = std::chrono::nanoseconds;

    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    bool coin() { return below(2) == 0; }
    bool seldom() { return below(3) == 0; }
    unsigned count() { return static_cast<unsigned>(1 + below(coin() ? 10 : 0xFFFFFFFE)); }
    double rate() { return static_cast<double>(1 + below(1000)) / 1000; }
    double tokens() { return static_cast<double>(below(100'000)) / 8; }

    nanoseconds duration() {
        static constexpr std::array<std::int64_t, 4> units{
            1, 1'000'000, 1'000'000'000, 3'600'000'000'000};
        return nanoseconds(static_cast<std::int64_t>(1 + below(100)) * units[below(4)]);
    }
    nanoseconds limit_or_none() { return below(4) == 0 ? nanoseconds::max() : duration(); }

    backoff schedule() {
        const auto base = duration();
        const auto cap = base + duration();
        const auto spread = static_cast<jitter>(below(3));
        switch (below(4)) {
            case 0: return backoff::constant(base).jitter(spread);
            case 1: return backoff::linear(base, cap).jitter(spread);
            case 2: return backoff::decorrelated(base, cap).jitter(spread);
            default: return backoff::exponential(base, cap, 1 + tokens()).jitter(spread);
        }
    }

    void change(retry_policy& p) {
        if (seldom()) p.max_attempts(count());
        if (seldom()) p.attempt_timeout(limit_or_none());
        if (seldom()) p.total_timeout(limit_or_none());
        if (seldom()) p.max_retry_after(limit_or_none());
        if (seldom()) p.max_history(count());
        if (seldom()) p.name(coin() ? "" : "a \"name\"\n\xC3\xBC");
        if (seldom()) p.backoff(schedule());
        for (const auto kind :
             {failure_kind::connect, failure_kind::timeout, failure_kind::server}) {
            if (!seldom()) continue;
            kind_limits limits;
            if (coin()) limits.max_attempts(count());
            if (coin()) limits.backoff(schedule());
            p.on(kind, limits);
        }
    }

    void change(http::fetch_policy& p) {
        if (seldom()) p.connect_timeout(limit_or_none());
        if (seldom())
            p.retry_status(coin() ? std::vector<unsigned>{} : std::vector<unsigned>{503, 599, 400});
        if (seldom()) p.idempotency(static_cast<http::idempotency>(below(3)));
        if (seldom()) p.server_veto(static_cast<http::server_veto>(below(2)));
        if (seldom()) p.pacing(static_cast<http::pacing>(below(2)));
        if (seldom()) p.attempt_header(coin() ? "" : "X-Attempt");
        if (seldom()) p.max_redirects(count());
        if (seldom()) p.max_header_size(count());
        if (seldom()) p.max_body_size(below(std::uint64_t{1} << 62U));
        if (!seldom()) return;
        hedge_options hedge;
        if (coin()) hedge.after(duration());
        if (coin()) hedge.after_p95();
        p.hedge(hedge.max_extra(static_cast<unsigned>(1 + below(8))));
    }

    budget_options budget() {
        budget_options o;
        o.capacity(tokens()).retry_cost(tokens()).success_refund(tokens());
        if (coin()) o.timeout_cost(tokens());
        if (coin()) o.floor(tokens()).failure_cost(tokens()).returns_retry_cost(coin());
        for (const auto kind :
             {failure_kind::connect, failure_kind::timeout, failure_kind::server}) {
            if (seldom()) o.cost(kind, tokens());
            if (seldom()) o.cost(kind, std::nullopt);
        }
        return o.refill_per_second(tokens());
    }

    breaker_options breaker() {
        breaker_options o;
        o.failure_rate(rate()).minimum_calls(count()).window(duration()).open_for(duration());
        if (coin()) o.max_open_for(duration()).half_open_probes(count());
        if (coin()) o.slow_call(limit_or_none()).slow_call_rate(rate());
        return o;
    }

    concurrency_options limit() {
        concurrency_options o;
        o.max_concurrency(count()).queue(count());
        if (coin()) o.adaptive_latency(limit_or_none()).min_concurrency(count());
        return o;
    }

    std::mt19937_64 random_;
};

}  // namespace asio_retry::test
