// A fetch that meets two faults on its way, with the retries logged: all parts of the package.
#include <asio_retry/http/client.hpp>
#include <asio_retry/spdlog_observer.hpp>
#include <asio_retry/testing/fault_server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <spdlog/spdlog.h>

#include <chrono>
#include <memory>
#include <string>

using namespace std::chrono_literals;

boost::asio::awaitable<void> run(asio_retry::http::client* client,
                                 std::string url,
                                 unsigned* status) {
    const auto response = co_await client->get(url);
    *status = response.status();
}

int main() {
    asio_retry::testing::fault_script script;
    script.defaults().fail_first(2);
    const asio_retry::testing::fault_server server(script);

    auto retries = asio_retry::http::fetch_policy::default_retry();
    retries.backoff(asio_retry::backoff::constant(1ms));
    retries.observer(std::make_shared<asio_retry::spdlog_observer>(spdlog::default_logger()));
    asio_retry::http::fetch_policy policy;
    policy.retry(retries);
    asio_retry::http::client_config config;
    config.policy(policy);

    boost::asio::io_context context;
    asio_retry::http::client client(context.get_executor(), config);
    unsigned status = 0;
    boost::asio::co_spawn(context, run(&client, server.url("/"), &status), boost::asio::detached);
    context.run();
    return status == 200 && server.counts().of("GET", "/").received == 3 ? 0 : 1;
}
