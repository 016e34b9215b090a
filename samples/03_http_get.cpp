// Gets a page from a server that fails twice before it answers.
#include <asio_retry/http/client.hpp>
#include <asio_retry/testing/fault_server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <iostream>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace http = asio_retry::http;

asio::awaitable<void> get_pages(std::string a, std::string b) {
    http::client client(co_await asio::this_coro::executor);

    // Also a 404 is a response; what is thrown is a retry_error, when no response came at all.
    const auto page = co_await client.get(a);
    std::cout << page.url() << ": " << page.status() << ", " << page.body().size() << " bytes\n";

    // The same over the same connection, without exceptions and with the whole story.
    http::request request("GET", b);
    request.header("Accept", "text/plain");
    const auto result = co_await client.try_fetch(std::move(request));
    for (const auto& each : result.report().history()) {
        std::cout << "  attempt " << each.number << ": " << each.status
                  << (each.reused ? ", connection reused" : "") << '\n';
    }
    std::cout << b << ": " << result.report().summary() << '\n';
}

int main() {
    asio_retry::testing::fault_script script;
    script.defaults().fail_first(2, asio_retry::testing::fault::status(503));
    const asio_retry::testing::fault_server server(script);

    asio::io_context context;
    int exit_status = 1;
    asio::co_spawn(context,
                   get_pages(server.url("/a"), server.url("/b")),
                   [&](const std::exception_ptr& e) { exit_status = e ? 1 : 0; });
    context.run();
    return exit_status;
}
