// A client whose requests all belong to one endpoint, and what its guards are set to.
#pragma once

#include "http/support/fetcher.hpp"
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/retry_budget.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace asio_retry::test {

using http::endpoint_handle;
using http::endpoint_policy;
using http::endpoint_registry;
using http::endpoint_table;

inline steady_time now() { return std::chrono::steady_clock::now(); }

/// A client whose requests all belong to one endpoint.
class guarded : public fetcher {
public:
    explicit guarded(const endpoint_policy& p) : guarded(with_registry(p)) {}

    endpoint_handle endpoint(const scripted_server& s) { return endpoints->find("GET", s.url()); }

    std::shared_ptr<endpoint_registry> endpoints;

private:
    explicit guarded(std::shared_ptr<endpoint_registry> r)
        : fetcher(http::client_config().endpoints(r)), endpoints(std::move(r)) {}

    static std::shared_ptr<endpoint_registry> with_registry(const endpoint_policy& p) {
        return std::make_shared<endpoint_registry>(endpoint_table(p));
    }
};

inline endpoint_policy plain(retry_policy retry = no_wait()) {
    return std::move(endpoint_policy().fetch(at_once(std::move(retry))));
}

inline budget_options tokens(double n) {
    return std::move(
        budget_options().capacity(n).retry_cost(5).success_refund(0).refill_per_second(0));
}

inline breaker_options sensitive() {
    return std::move(breaker_options().minimum_calls(2).failure_rate(0.5).open_for(60s));
}

inline concurrency_options at_most(std::uint32_t n, std::uint32_t queue) {
    return std::move(concurrency_options().max_concurrency(n).queue(queue));
}

inline const connection_script busy = {expect_request(), send(last_response(503)), close()};
inline const connection_script fine = {expect_request(), send(last_response(200)), close()};

inline scripted_server_options repeated() {
    return std::move(scripted_server_options().repeat_last());
}

/// A response after which everybody has to wait so long.
inline connection_script spent(const std::string& reset) {
    return {expect_request(),
            send(last_response(
                200, "", "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: " + reset + "\r\n")),
            close()};
}

inline endpoint_policy paced(retry_policy retry = no_wait()) {
    return std::move(endpoint_policy().fetch(at_once(std::move(retry)).pacing(http::pacing::on)));
}

}  // namespace asio_retry::test
