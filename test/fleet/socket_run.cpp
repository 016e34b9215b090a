// One client of a real server through its outage: 20 calls a second, whatever becomes of them.
// Usage: socket_run URL one|retry|budget SECONDS     (the script real_sockets runs all three)
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/http/client.hpp>
#include <asio_retry/http/endpoint_registry.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = asio_retry::http;
using namespace std::chrono_literals;

constexpr auto interval = 50ms;

class second {
public:
    int calls = 0;
    int succeeded = 0;
    unsigned attempts = 0;
};

class run {
public:
    run(asio::io_context& context,
        std::string url,
        const http::endpoint_policy& policy,
        std::size_t length)
        : client_(context.get_executor(), configuration(policy)),
          url_(std::move(url)),
          seconds_(length) {}

    asio::awaitable<void> make_calls() {
        asio::steady_timer next(co_await asio::this_coro::executor);
        const auto start = std::chrono::steady_clock::now();
        const int calls = static_cast<int>(seconds_.size()) * static_cast<int>(1s / interval);
        for (int i = 0; i < calls; ++i) {
            next.expires_at(start + i * interval);
            co_await next.async_wait(asio::use_awaitable);
            auto call = one_call(seconds_[static_cast<std::size_t>(i * interval / 1s)]);
            asio::co_spawn(next.get_executor(), std::move(call), asio::detached);
        }
    }

    void print(const std::string& policy) const {
        second sum;
        for (const second& s : seconds_) {
            sum.calls += s.calls;
            sum.succeeded += s.succeeded;
            sum.attempts += s.attempts;
        }
        std::cout << policy << ": " << sum.calls << " calls, " << sum.attempts << " requests, "
                  << sum.succeeded << " succeeded; a second:";
        for (const second& s : seconds_) std::cout << ' ' << s.succeeded;
        std::cout << '\n';
    }

private:
    static http::client_config configuration(const http::endpoint_policy& policy) {
        http::client_config c;
        c.endpoints(std::make_shared<http::endpoint_registry>(http::endpoint_table(policy)));
        c.pool(http::pool_limits().per_origin(10'000).total(10'000));
        return c;
    }

    asio::awaitable<void> one_call(second& into) {
        ++into.calls;
        const auto result = co_await client_.try_fetch(http::request("GET", url_));
        into.attempts += result.report().attempts();
        if (result.report().reason() == asio_retry::reason::success) ++into.succeeded;
    }

    http::client client_;
    std::string url_;
    std::vector<second> seconds_;
};

/// An endpoint has the default budget unless it is told to have none.
http::endpoint_policy policy_of(const std::string& name) {
    auto retries = asio_retry::retry_policy().attempt_timeout(1s);
    if (name == "one") retries.max_attempts(1);
    http::endpoint_policy policy;
    policy.fetch(http::fetch_policy().retry(retries));
    if (name != "budget") policy.retry_budget(std::nullopt);
    return policy;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    asio::io_context context(1);
    run all(context, argv[1], policy_of(argv[2]), std::strtoul(argv[3], nullptr, 10));
    asio::co_spawn(context, all.make_calls(), asio::detached);
    context.run();
    all.print(argv[2]);
    return 0;
}
