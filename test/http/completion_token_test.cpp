// Tokens of async_fetch that change another, and what they bind to a call.
#include "http/support/fetcher.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <future>
#include <tuple>

namespace asio_retry::test {
namespace {

TEST(Client, ServesTokensThatChangeAnother) {
    const connection_script fine{expect_request(), send(last_response(200, "ok")), close()};
    scripted_server server({fine, fine, fine, fine});
    asio::io_context context;
    asio::thread_pool pool(1);
    http::client c(context.get_executor(), http::client_config().policy(only_once()));
    const request get("GET", server.url());

    int status = 0;
    c.async_fetch(get, asio::as_tuple([&](std::tuple<error_code, http::response> done) {
                      status = static_cast<int>(std::get<1>(done).status());
                  }));
    context.run_for(20s);
    EXPECT_EQ(status, 200);

    c.async_fetch(get, asio::detached);
    context.restart();
    context.run_for(20s);
    EXPECT_EQ(server.requests().size(), 2U);

    const auto strand = asio::make_strand(pool);
    std::promise<bool> on_strand;
    c.async_fetch(get, asio::bind_executor(strand, [&](error_code ec, const http::response&) {
                      on_strand.set_value(!ec && strand.running_in_this_thread());
                  }));
    context.restart();
    context.run_for(20s);
    EXPECT_TRUE(on_strand.get_future().get());

    http::response last;
    const auto awaits =
        [](http::client* client, request r, http::response* to) -> asio::awaitable<void> {
        auto [ec, got] =
            co_await client->async_fetch(std::move(r), asio::as_tuple(asio::use_awaitable));
        *to = std::move(got);
    };
    asio::co_spawn(context, awaits(&c, get, &last), asio::detached);
    context.restart();
    context.run_for(20s);
    EXPECT_EQ(last.body(), "ok");
}

TEST(Client, ACancellationReachesTheCallOfAnyToken) {
    scripted_server server({{expect_request(), stall()}});
    asio::io_context context;
    http::client c(context.get_executor(), http::client_config().policy(only_once()));
    asio::cancellation_signal signal;
    error_code ended;
    c.async_fetch(request("GET", server.url()),
                  asio::bind_cancellation_slot(
                      signal.slot(), [&](error_code ec, const http::response&) { ended = ec; }));
    while (server.requests().empty()) context.run_for(1ms);
    asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
    context.run_for(20s);
    EXPECT_EQ(ended, asio::error::operation_aborted);
}

}  // namespace
}  // namespace asio_retry::test
