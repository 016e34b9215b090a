// Reads from a store that is slow now and then: a read that takes long is made once more beside it.
#include <asio_retry/hedge.hpp>
#include <asio_retry/retry_budget.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace asio = boost::asio;
using namespace std::chrono_literals;

/// Stands for a read from one of several replicas: the first that is asked is at its garbage
/// collection.
asio::awaitable<std::string> read_row(const asio_retry::attempt& a, std::string key) {
    asio::steady_timer work(co_await asio::this_coro::executor);
    work.expires_after(a.number() == 1 ? 2s : 5ms);
    co_await work.async_wait(asio::use_awaitable);
    co_return key + " from replica " + std::to_string(a.number());
}

asio::awaitable<void> read_some() {
    // What the reads of this program share: a second read takes a place in the budget, and once
    // some reads have been observed their 95th percentile is the delay.
    const auto budget = std::make_shared<asio_retry::retry_budget>();
    const asio_retry::hedging reads(asio_retry::hedge_options().after(20ms).after_p95(), budget);

    const auto start = std::chrono::steady_clock::now();
    const std::string row = co_await asio_retry::hedge(reads, read_row, std::string("row 7"));
    const auto took = std::chrono::steady_clock::now() - start;
    std::cout << row << " after "
              << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms\n";
    if (took >= 1s) throw std::runtime_error("not hedged");
}

int main() {
    asio::io_context context;
    int exit_status = 1;
    asio::co_spawn(
        context, read_some(), [&](const std::exception_ptr& e) { exit_status = e ? 1 : 0; });
    context.run();
    return exit_status;
}
