// One client and several threads.
#include "support/scripted_server.hpp"
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/http/client.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace asio_retry::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using http::request;

std::shared_ptr<http::endpoint_registry> endpoints_of(const http::endpoint_policy& p) {
    return std::make_shared<http::endpoint_registry>(http::endpoint_table(p));
}

TEST(ClientThreads, MayCancelEachOthersCalls) {
    scripted_server server({{expect_request(), stall()}}, scripted_server_options().repeat_last());
    asio::thread_pool threads(2);
    http::client c(threads.get_executor());
    for (int i = 0; i < 30; ++i) {
        asio::cancellation_signal signal;
        std::promise<error_code> end;
        c.async_fetch(request("GET", server.url()),
                      asio::bind_cancellation_slot(
                          signal.slot(),
                          [&end](error_code ec, const http::response&) { end.set_value(ec); }));
        std::this_thread::sleep_for(std::chrono::microseconds(100 * i));
        signal.emit(asio::cancellation_type::total);
        auto ended = end.get_future();
        ASSERT_EQ(ended.wait_for(10s), std::future_status::ready);
        EXPECT_EQ(ended.get(), asio::error::operation_aborted);
    }
    threads.join();
}

/// With timeouts besides, so that everything meets everything.
TEST(ClientThreads, ShareAPoolThatIsTooSmall) {
    connection_script script;
    for (int i = 0; i < 50; ++i) {
        script.push_back(expect_request());
        script.push_back(i % 7 == 3 ? send(response(503)) : send(response(200, "ok")));
        if (i == 20) script.push_back(pause(1200ms));
    }
    script.push_back(close());
    scripted_server server({script}, scripted_server_options().repeat_last());
    asio::thread_pool threads(4);
    http::client c(
        threads.get_executor(),
        http::client_config()
            .pool(http::pool_limits().per_origin(6))
            .endpoints(endpoints_of(http::endpoint_policy().retry_budget(std::nullopt))));
    auto retry = retry_policy().backoff(backoff::none()).attempt_timeout(1s);
    const auto policy = http::fetch_policy().retry(retry.max_attempts(1'000'000));
    constexpr int calls = 200;
    std::atomic<int> ok = 0;
    std::atomic<int> ended = 0;
    for (int i = 0; i < calls; ++i) {
        c.async_try_fetch(request("GET", server.url()), policy, [&](const http::fetch_result& r) {
            if (r.ok()) ++ok;
            ++ended;
        });
    }
    threads.join();
    EXPECT_EQ(ended, calls);
    EXPECT_EQ(ok, calls);
}

/// Hedges, queues, cancellations, and a table that changes meanwhile.
TEST(ClientThreads, ShareGuardsThatAreReplaced) {
    connection_script script;
    for (int i = 0; i < 50; ++i) {
        script.push_back(expect_request());
        if (i % 5 == 2) script.push_back(pause(10ms));
        script.push_back(send(response(i % 9 == 4 ? 503 : 200, "ok")));
    }
    script.push_back(close());
    scripted_server server({script}, scripted_server_options().repeat_last());
    const auto policy = [](unsigned attempts) {
        auto retry = retry_policy().backoff(backoff::none()).attempt_timeout(5s);
        auto fetch = http::fetch_policy()
                         .retry(retry.max_attempts(attempts))
                         .pacing(http::pacing::on)
                         .hedge(hedge_options().after(3ms).max_extra(2));
        return http::endpoint_policy()
            .fetch(fetch)
            .circuit_breaker(breaker_options().minimum_calls(1'000'000))
            .concurrency(concurrency_options().max_concurrency(8).queue(1000));
    };
    const auto endpoints = endpoints_of(policy(3));
    asio::thread_pool threads(4);
    http::client c(threads.get_executor(), http::client_config().endpoints(endpoints));
    constexpr std::size_t calls = 300;
    std::vector<asio::cancellation_signal> signals(calls);
    std::atomic<std::size_t> ended = 0;
    std::atomic<std::size_t> ok = 0;
    for (std::size_t i = 0; i < calls; ++i) {
        c.async_try_fetch(
            request("GET", server.url()),
            asio::bind_cancellation_slot(signals[i].slot(), [&](const http::fetch_result& r) {
                if (r.ok()) ++ok;
                ++ended;
            }));
        if (i % 10 == 0) endpoints->replace(http::endpoint_table(policy(i % 20 == 0 ? 2 : 3)));
        if (i % 4 == 0) signals[i / 2].emit(asio::cancellation_type::total);
    }
    threads.join();
    EXPECT_EQ(ended, calls);
    EXPECT_GT(ok, calls / 4);
    for (const auto& each : endpoints->states()) {
        EXPECT_EQ(each.concurrency_limit()->running(), 0U);
        EXPECT_EQ(each.concurrency_limit()->waiting(), 0U);
    }
}

}  // namespace
}  // namespace asio_retry::test
