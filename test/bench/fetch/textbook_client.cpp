// SPDX-License-Identifier: BSL-1.0
#include "bench/fetch/contestants.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <chrono>

namespace bench {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

asio::awaitable<void> fetch_all(const job& j, tally& t) {
    tcp::resolver resolver(co_await asio::this_coro::executor);
    beast::tcp_stream stream(co_await asio::this_coro::executor);
    const std::string port = std::to_string(j.port);
    const auto found = co_await resolver.async_resolve(j.host, port, asio::use_awaitable);
    stream.expires_after(std::chrono::seconds(30));
    co_await stream.async_connect(found, asio::use_awaitable);

    beast::flat_buffer buffer;
    while (t.begin()) {
        http::request<http::empty_body> request(http::verb::get, j.path, 11);
        request.set(http::field::host, j.host);
        request.set(http::field::user_agent, "textbook");
        stream.expires_after(std::chrono::seconds(30));
        co_await http::async_write(stream, request, asio::use_awaitable);
        http::response<http::string_body> response;
        co_await http::async_read(stream, buffer, response, asio::use_awaitable);
        t.end(response.result_int(), response.body().size());
    }
}

}  // namespace

void run_textbook_beast(const job& j, tally& t) {
    asio::io_context io(1);
    for (std::size_t i = 0; i < j.connections; ++i) {
        asio::co_spawn(io, fetch_all(j, t), asio::detached);
    }
    io.run();
}

}  // namespace bench
