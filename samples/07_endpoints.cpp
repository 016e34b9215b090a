// Treats each upstream as it needs: endpoints from a file, and the same in code.
#include <asio_retry/http/client.hpp>
#include <asio_retry/http/endpoint_registry.hpp>
#include <asio_retry/http/policy_file.hpp>
#include <asio_retry/testing/fault_server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace http = asio_retry::http;
using asio_retry::retry_policy;

/// What 07_policies.json says of payments, in code.
http::endpoint payments() {
    const auto match = http::endpoint_match().path("/v1/charges/*").methods({"POST"});
    auto fetch = http::fetch_policy()
                     .retry(retry_policy(http::fetch_policy::default_retry()).max_attempts(6))
                     .idempotency(http::idempotency::generate_key)
                     .attempt_header("X-Retry-Attempt");
    return http::endpoint("payments", match, http::endpoint_policy().fetch(std::move(fetch)));
}

asio::awaitable<void> send(std::shared_ptr<http::client> client,
                           std::string method,
                           std::string url) {
    // Under the policy of the endpoint that matches best, with what its calls share.
    auto call = client->try_fetch(http::request(method, url));
    const auto result = co_await std::move(call);
    std::cout << method << ' ' << url << ": " << result.report().summary() << '\n';
}

int main(int argc, char** argv) {
    asio_retry::testing::fault_script script;
    script.defaults().fail_first(2, asio_retry::testing::fault::status(503));
    const asio_retry::testing::fault_server server(script);

    const std::string file = argc > 1 ? argv[1] : "07_policies.json";
    const auto endpoints = std::make_shared<http::endpoint_registry>(http::load_policies(file));

    asio::io_context context;
    const auto client = std::make_shared<http::client>(context.get_executor(),
                                                       http::client_config().endpoints(endpoints));
    int exit_status = 0;
    const auto finished = [&](const std::exception_ptr& e) { exit_status |= e ? 1 : 0; };
    asio::co_spawn(context, send(client, "POST", server.url("/v1/charges/7")), finished);
    asio::co_spawn(context, send(client, "GET", server.url("/v1/search?q=x")), finished);
    asio::co_spawn(context, send(client, "GET", server.url("/v1/accounts")), finished);
    context.run();

    // At any time, under load too: calls in flight keep what they began with, and an endpoint whose
    // name stays keeps its guards. watch_policies does so whenever the file changes.
    endpoints->replace(http::endpoint_table(http::endpoint_policy(), {payments()}));
    std::cout << http::print_policies(endpoints->table());
    return exit_status;
}
