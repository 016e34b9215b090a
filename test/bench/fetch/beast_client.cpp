// SPDX-License-Identifier: BSL-1.0
#include "bench/fetch/contestants.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <tuple>

namespace bench {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

using executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<asio::ip::tcp, executor>;
constexpr auto as_result = asio::as_tuple(asio::deferred);

asio::ip::tcp::endpoint endpoint_of(const job& j) {
    return {asio::ip::make_address(j.host), j.port};
}

http::request<http::empty_body> request_of(const job& j) {
    http::request<http::empty_body> request(http::verb::get, j.path, 11);
    request.set(http::field::host, j.host + ":" + std::to_string(j.port));
    request.set(http::field::user_agent, "beast");
    return request;
}

/// Exchanges over one connection for as long as it stands and there is something to ask for.
template <typename Stream>
asio::awaitable<void, executor> fetch_over(Stream& stream, const job& j, tally& t) {
    const auto request = request_of(j);
    beast::flat_buffer buffer;
    buffer.reserve(std::size_t{16} * 1024);
    bool keep_alive = true;
    while (keep_alive && t.begin()) {
        auto [write_error, sent] = co_await http::async_write(stream, request, as_result);
        if (write_error) co_return;
        http::response<http::string_body> response;
        auto [read_error, got] = co_await http::async_read(stream, buffer, response, as_result);
        if (read_error) co_return;
        t.end(response.result_int(), response.body().size());
        keep_alive = response.keep_alive();
    }
}

asio::awaitable<void, executor> fetch_plain(const job& j, tally& t) {
    while (t.has_more()) {
        tcp_socket socket(co_await asio::this_coro::executor);
        const auto connected = co_await socket.async_connect(endpoint_of(j), as_result);
        if (std::get<0>(connected)) co_return;
        socket.set_option(asio::ip::tcp::no_delay(true));
        co_await fetch_over(socket, j, t);
    }
}

asio::awaitable<void, executor> fetch_tls(asio::ssl::context& context, const job& j, tally& t) {
    while (t.has_more()) {
        asio::ssl::stream<tcp_socket> stream(co_await asio::this_coro::executor, context);
        stream.set_verify_callback(asio::ssl::host_name_verification(j.host));
        const auto connected =
            co_await stream.next_layer().async_connect(endpoint_of(j), as_result);
        if (std::get<0>(connected)) co_return;
        stream.next_layer().set_option(asio::ip::tcp::no_delay(true));
        const auto shaken =
            co_await stream.async_handshake(asio::ssl::stream_base::client, as_result);
        if (std::get<0>(shaken)) co_return;
        co_await fetch_over(stream, j, t);
    }
}

}  // namespace

void run_beast(const job& j, tally& t) {
    asio::io_context io(1);
    asio::ssl::context context(asio::ssl::context::tls_client);
    if (j.tls()) context.load_verify_file(j.ca);
    context.set_verify_mode(asio::ssl::verify_peer);
    for (std::size_t i = 0; i < j.connections; ++i) {
        if (j.tls()) {
            asio::co_spawn(io, fetch_tls(context, j, t), asio::detached);
        } else {
            asio::co_spawn(io, fetch_plain(j, t), asio::detached);
        }
    }
    io.run();
}

}  // namespace bench
