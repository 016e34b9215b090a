// Limits that differ with the kind of failure: be patient with a busy server, not with a broken
// one.
#include <asio_retry/http/client.hpp>
#include <asio_retry/testing/fault_server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace http = asio_retry::http;
using asio_retry::backoff;
using asio_retry::failure_kind;
using asio_retry::kind_limits;
using namespace std::chrono_literals;

http::fetch_policy patient_with_busy_servers() {
    auto retry = http::fetch_policy::default_retry();
    retry
        .max_attempts(4)
        // "Too many requests": come back often, and ever later.
        .on(failure_kind::throttling,
            kind_limits().max_attempts(8).backoff(backoff::exponential(10ms, 100ms)))
        // An error of the server itself: once more, and that is it.
        .on(failure_kind::server, kind_limits().max_attempts(2).backoff(backoff::constant(5ms)))
        // Nobody there: five attempts, evenly spaced.
        .on(failure_kind::connect, kind_limits().max_attempts(5).backoff(backoff::constant(50ms)));
    return std::move(http::fetch_policy().retry(std::move(retry)));
}

// Answers how many attempts it took.
asio::awaitable<unsigned> fetch(std::string url) {
    http::client client(co_await asio::this_coro::executor,
                        http::client_config().policy(patient_with_busy_servers()));
    const auto result = co_await client.try_fetch(http::request("GET", url));
    std::cout << url << ": " << result.report().summary() << '\n';
    co_return result.report().attempts();
}

int main() {
    namespace testing = asio_retry::testing;
    testing::fault_script script;
    script.add(testing::fault_rule("/busy").fail_first(6, testing::fault::status(429)));
    script.add(testing::fault_rule("/broken").fail_first(6, testing::fault::status(500)));
    const testing::fault_server server(script);

    asio::io_context context;
    unsigned busy = 0;
    unsigned broken = 0;
    asio::co_spawn(context, fetch(server.url("/busy")), [&](const std::exception_ptr&, unsigned n) {
        busy = n;
    });
    asio::co_spawn(context,
                   fetch(server.url("/broken")),
                   [&](const std::exception_ptr&, unsigned n) { broken = n; });
    context.run();
    return busy == 7 && broken == 2 ? 0 : 1;
}
