// One client and several threads.
#include "support/scripted_server.hpp"
#include <asio_retry/http/client.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

namespace asio_retry::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using http::request;

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
    http::client c(threads.get_executor(),
                   http::client_config().pool(http::pool_limits().per_origin(6)));
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

}  // namespace
}  // namespace asio_retry::test
