// SPDX-License-Identifier: BSL-1.0
#include "http/fetch_start.hpp"

#include <utility>

namespace asio_retry::http::detail {

endpoint_handle endpoint_of(client_state& state, const request& r, const target& to) {
    const auto scheme = to.tls ? url_scheme::https : url_scheme::http;
    return state.endpoints->find(endpoint_key(r.method(), scheme, to.host, to.port, to.path));
}

fetch_policy with_guards(fetch_policy p, const endpoint_handle& e) {
    const bool budget = e.retry_budget() && !p.retry().retry_budget();
    const bool breaker = e.circuit_breaker() && !p.retry().circuit_breaker();
    if (!budget && !breaker) return p;
    retry_policy retry = p.retry();
    if (budget) retry.retry_budget(e.retry_budget());
    if (breaker) retry.circuit_breaker(e.circuit_breaker());
    p.retry(std::move(retry));
    return p;
}

void count_end(endpoint_counters& c, reason why) noexcept {
    if (why == reason::success) {
        c.successes.fetch_add(1, std::memory_order_relaxed);
    } else if (why == reason::budget_exhausted || why == reason::circuit_open ||
               why == reason::queue_full) {
        c.refusals.fetch_add(1, std::memory_order_relaxed);
    }
}

fetch_start::fetch_start(client_state& state, request&& r, fetch_terms&& t)
    : what(std::move(r)),
      to(state.targets.parse(what.url(), state.config, error)),
      terms(std::move(t)),
      endpoint(terms.endpoint) {
    look_up(state);
}

void fetch_start::redirect(client_state& state, request r) {
    what = std::move(r);
    const auto from = std::exchange(to, state.targets.parse(what.url(), state.config, error));
    endpoint = same_origin(*from, *to) ? terms.endpoint : endpoint_handle();
    look_up(state);
}

void fetch_start::look_up(client_state& state) {
    if (!error && !endpoint) endpoint = endpoint_of(state, what, *to);
    if (terms.policy) {
        policy = endpoint ? with_guards(*terms.policy, endpoint) : *terms.policy;
    } else {
        policy = endpoint ? endpoint.policy() : state.config.policy();
    }
    if (what.observer()) {
        retry_policy watched = policy.retry();
        policy.retry(std::move(watched.observer(what.observer())));
    }
}

}  // namespace asio_retry::http::detail
