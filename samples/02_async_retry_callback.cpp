// Retries any operation that takes a completion token; here with a callback, and no coroutine.
#include <asio_retry/async_retry.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <iostream>
#include <utility>

namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

int main() {
    asio::io_context context;
    tcp::acceptor server(context, tcp::v4());
    server.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));  // refuses until it listens
    asio::steady_timer opening(context, 100ms);
    opening.async_wait([&](auto) { server.listen(); });

    tcp::socket socket(context);
    const auto connect =
        asio_retry::operation([&](auto&& token) {
            return socket.async_connect(server.local_endpoint(),
                                        std::forward<decltype(token)>(token));
        })
            // A socket that failed to connect has to be closed before the next attempt.
            .reset([&] {
                asio_retry::error_code ignored;
                socket.close(ignored);
            });

    const auto policy = asio_retry::retry_policy().max_attempts(20).attempt_timeout(1s).backoff(
        asio_retry::backoff::exponential(20ms, 200ms));

    // Plain async_retry completes as the operation does; this one tells how it came about.
    asio_retry::retry_report report;
    asio_retry::async_try_retry(
        context.get_executor(), policy, connect, [&](asio_retry::retry_result<void> result) {
            report = result.report();
        });
    context.run();

    std::cout << report.summary() << '\n';
    return report.reason() == asio_retry::reason::success ? 0 : 1;
}
