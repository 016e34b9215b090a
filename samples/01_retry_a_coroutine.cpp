// Retries a coroutine: asks a server that takes a moment to come up, until it answers.
#include <asio_retry/retry.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

// One attempt, written as if nothing ever failed.
asio::awaitable<std::string> ask(tcp::endpoint server) {
    tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect(server, asio::use_awaitable);
    std::string line;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n', asio::use_awaitable);
    co_return line;
}

asio::awaitable<void> client(tcp::endpoint server) {
    const auto policy =
        asio_retry::retry_policy().max_attempts(20).attempt_timeout(1s).total_timeout(10s).backoff(
            asio_retry::backoff::exponential(20ms, 200ms));

    // The argument is kept in the call and passed to each attempt.
    const auto result = co_await asio_retry::try_retry(policy, ask, server);

    for (const auto& a : result.report().history()) {
        std::cout << "attempt " << a.number << ": " << (a.error ? a.error.message() : "ok") << '\n';
    }
    std::cout << "the server says: " << result.value();
}

// Refuses connections for the first 100 ms.
asio::awaitable<void> late_server(tcp::acceptor acceptor) {
    asio::steady_timer timer(acceptor.get_executor(), 100ms);
    co_await timer.async_wait(asio::use_awaitable);
    acceptor.listen();
    auto socket = co_await acceptor.async_accept(asio::use_awaitable);
    const std::string greeting = "hello\n";
    co_await asio::async_write(socket, asio::buffer(greeting), asio::use_awaitable);
}

int main() {
    asio::io_context context;
    tcp::acceptor acceptor(context, tcp::v4());
    acceptor.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));

    int exit_status = 1;
    const auto endpoint = acceptor.local_endpoint();
    asio::co_spawn(context, late_server(std::move(acceptor)), asio::detached);
    asio::co_spawn(context, client(endpoint), [&](const std::exception_ptr& e) {
        if (!e) exit_status = 0;
    });
    context.run();
    return exit_status;
}
