// A circuit breaker round an operation that is no HTTP: while the server is down, calls fail in
// microseconds and leave it alone; when it is back, the first probes find out.
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/retry.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <memory>

namespace asio = boost::asio;
using asio::ip::tcp;
using asio_retry::breaker_change;
using namespace std::chrono_literals;

int touched = 0;  // how often the server was really called

asio::awaitable<void> ping(tcp::endpoint server) {
    ++touched;
    tcp::socket socket(co_await asio::this_coro::executor);
    co_await socket.async_connect(server, asio::use_awaitable);
}

// Calls every 10 ms until the server answers. How many calls that took.
asio::awaitable<int> keep_calling(tcp::endpoint server, asio_retry::retry_policy policy) {
    asio::steady_timer pause(co_await asio::this_coro::executor);
    for (int calls = 1;; ++calls) {
        const auto result = co_await asio_retry::try_retry(policy, ping, server);
        if (result || calls == 1000) co_return calls;
        if (result.report().reason() == asio_retry::reason::circuit_open && calls % 4 == 0) {
            const auto left = result.report().retry_after().value_or(0ns);
            std::cout << "  refused; a probe may pass in "
                      << std::chrono::duration_cast<std::chrono::milliseconds>(left).count()
                      << " ms\n";
        }
        pause.expires_after(10ms);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

// Refuses connections for the first 300 ms.
asio::awaitable<void> late_server(tcp::acceptor& acceptor) {
    asio::steady_timer timer(acceptor.get_executor(), 300ms);
    co_await timer.async_wait(asio::use_awaitable);
    acceptor.listen();
}

int main() {
    asio::io_context context;
    tcp::acceptor acceptor(context, tcp::v4());
    acceptor.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));

    // One for all calls to this server, from whichever thread.
    const auto options =
        asio_retry::breaker_options().minimum_calls(5).open_for(60ms).half_open_probes(1);
    const auto breaker = std::make_shared<asio_retry::circuit_breaker>(options);
    breaker->on_change([](const breaker_change& c) {
        std::cout << to_string(c.from) << " -> " << to_string(c.to) << '\n';
    });
    const auto policy = asio_retry::retry_policy::never().circuit_breaker(breaker);

    int calls = 0;
    asio::co_spawn(context, late_server(acceptor), asio::detached);
    asio::co_spawn(context,
                   keep_calling(acceptor.local_endpoint(), policy),
                   [&](const std::exception_ptr&, int n) { calls = n; });
    context.run();

    const auto state = breaker->state(std::chrono::steady_clock::now());
    std::cout << calls << " calls, of which " << touched << " reached for the server\n";
    return state == asio_retry::breaker_state::closed && touched < calls ? 0 : 1;
}
