// Logs every attempt with spdlog, through an observer that a policy carries.
#include <asio_retry/http/client.hpp>
#include <asio_retry/spdlog_observer.hpp>
#include <asio_retry/testing/fault_server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <string>

namespace asio = boost::asio;
namespace http = asio_retry::http;

// What becomes of the fetches stands in the log.
asio::awaitable<void> fetch_and_order(http::fetch_policy policy, std::string origin) {
    http::client client(co_await asio::this_coro::executor, http::client_config().policy(policy));
    co_await client.try_fetch(http::request("GET", origin + "/page"));

    // A POST that may have been carried out is not sent again; the log says so.
    co_await client.try_fetch(http::request("POST", origin + "/order"));
}

int main() {
    namespace testing = asio_retry::testing;
    testing::fault_script script;
    script.defaults().fail_first(2, testing::fault::status(503));
    const testing::fault_server server(script);

    const auto logger = spdlog::stdout_logger_mt("fetch");
    logger->set_pattern("%L %v");
    logger->set_level(spdlog::level::debug);

    auto retry = http::fetch_policy::default_retry();
    retry.observer(std::make_shared<asio_retry::spdlog_observer>(logger));

    asio::io_context context;
    int exit_status = 1;
    asio::co_spawn(context,
                   fetch_and_order(http::fetch_policy().retry(retry), server.origin()),
                   [&](const std::exception_ptr& e) { exit_status = e ? 1 : 0; });
    context.run();
    return exit_status;
}
