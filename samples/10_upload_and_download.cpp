// Sends a file that is read while it is sent, and downloads one that breaks off in the middle.
#include <asio_retry/http/client.hpp>
#include <asio_retry/testing/fault_server.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace http = asio_retry::http;

asio::awaitable<void> transfer(std::string url, std::string path) {
    http::client client(co_await asio::this_coro::executor);

    // A file is opened again for each attempt; nothing of it is kept in memory.
    http::request upload("PUT", url);
    upload.body(http::body_source::file(path));
    const auto put = co_await client.try_fetch(std::move(upload));
    std::cout << "upload: " << put.report().summary() << '\n';

    // The copy appears when it is whole, and not before.
    const std::string copy = path + ".copy";
    http::request download("GET", url);
    const auto got = co_await client.try_download(std::move(download), copy);
    for (const auto& each : got.report().history()) {
        std::cout << "  attempt " << each.number << ": "
                  << (each.error ? each.error.message() : std::to_string(each.status)) << '\n';
    }
    std::cout << "download: " << got.report().summary() << ", " << fs::file_size(copy)
              << " bytes\n";
}

int main() {
    using asio_retry::testing::fault;
    using asio_retry::testing::fault_kind;
    asio_retry::testing::fault_script script;
    script.defaults().body_size(200'000).fail_first(1, fault(fault_kind::truncate));
    const asio_retry::testing::fault_server server(script);

    const fs::path directory = fs::temp_directory_path() / "asio_retry_sample_10";
    fs::create_directories(directory);
    const std::string path = (directory / "data").string();
    std::ofstream(path) << std::string(500'000, 'x');

    asio::io_context context;
    int exit_status = 1;
    asio::co_spawn(context, transfer(server.url("/data"), path), [&](const std::exception_ptr& e) {
        exit_status = e ? 1 : 0;
    });
    context.run();
    fs::remove_all(directory);
    return exit_status;
}
