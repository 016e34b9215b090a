// SPDX-License-Identifier: BSL-1.0
#include "http/open_connection.hpp"

#include "http/connect_race.hpp"
#include "http/io_deadline.hpp"
#include "http/proxy_tunnel.hpp"
#include "http/route.hpp"
#include "http/unix_socket.hpp"
#include <asio_retry/http/error.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <optional>
#include <tuple>
#include <utility>

namespace asio_retry::http::detail {

namespace {

using asio::ip::tcp;

/// Where a name leads, and the lookup that said so, if there was one.
class whereabouts {
public:
    whereabouts() = default;

    endpoints all;
    resolver::reply_ptr from;
};

asio::awaitable<error_code> find(client_state* state,
                                 const target* to,
                                 steady_time deadline,
                                 whereabouts* where) {
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    const next_stop at(*to);
    const addresses known = known_addresses(state->config, at);
    if (!known.empty()) {
        where->all = in_order(known, at.port);
    } else {
        resolver::question question(timers);
        state->names.ask(question, at.host);
        where->from = question.take();
        if (!where->from) {
            co_await question.answer(deadline);
            where->from = question.take();
        }
        if (!where->from) co_return error::connect_timeout;
        if (where->from->error) co_return where->from->error;
        where->all = in_order(where->from->found, at.port);
    }
    state->failures.put_last(where->all, timers.now());
    co_return error_code();
}

/// The winner's socket, or the reason why there is none.
asio::awaitable<error_code> connect_to_any(client_state* state,
                                           const endpoints* to,
                                           steady_time deadline,
                                           std::optional<tcp::socket>* winner,
                                           shared_text* remote) {
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    connect_race race(state->executor, timers, *to);
    bool in_time = true;
    bool cancelled = false;
    for (steady_time now = timers.now(); in_time && !cancelled && race.advance(now);) {
        co_await race.change(deadline);
        now = timers.now();
        in_time = now < deadline;
        cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
    }
    race.stop();
    while (race.is_running()) co_await race.change(steady_time::max());
    *remote = text_of(race.endpoint());
    *winner = race.take_winner();
    if (!cancelled) {
        for (const auto& each : race.losers()) state->failures.failed(text_of(each), timers.now());
    }
    if (*winner) {
        state->failures.worked(remote->view());
        co_return error_code();
    }
    co_return in_time ? race.error() : error_code(error::connect_timeout);
}

asio::awaitable<error_code> shake_hands(client_state* state,
                                        const target* to,
                                        connection* c,
                                        steady_time deadline) {
    error_code ec;
    asio::ssl::context* const context = state->tls.get(ec);
    if (context == nullptr) co_return ec;
    auto& stream = c->start_tls(*context);
    ec = expect_peer(stream, *to, state->config.tls().verify(), state->tls.sessions());
    if (ec) co_return ec;

    const auto executor = co_await asio::this_coro::executor;
    io_deadline limit(timer_service::of(executor));
    limit.arm(deadline, c->native_handle());
    const auto result = co_await c->async_handshake(asio::as_tuple(asio::deferred));
    while (!limit.disarmed()) limit.joined(co_await limit.fired());
    ec = std::get<0>(result);
    if (!ec) ec = check_protocol(stream);
    if (!ec) {
        c->end_use();
        co_return ec;
    }
    state->tls.sessions()->forget(server_of(*to));
    co_return limit.expired() ? error_code(error::connect_timeout) : handshake_error(stream, ec);
}

/// Has a new connection lead to the server, with TLS if it wants that.
asio::awaitable<error_code> equip(client_state* state,
                                  const target* to,
                                  opened* result,
                                  steady_time deadline) {
    error_code ec;
    connection* const c = result->made.get();
    if (!to->tls) co_return ec;
    if (to->via != nullptr) {
        tunnel_reply reply;
        ec = co_await open_tunnel(c, to, &state->config.user_agent(), &reply, deadline);
        result->retry_after = reply.retry_after();
        if (ec || is_cancelled(co_await asio::this_coro::cancellation_state)) co_return ec;
    }
    co_return co_await shake_hands(state, to, c, deadline);
}

asio::awaitable<opened> open_tcp(client_state* state, const target* to, steady_time deadline) {
    opened result;
    whereabouts where;
    std::optional<tcp::socket> socket;
    result.error = co_await find(state, to, deadline, &where);
    if (result.error || is_cancelled(co_await asio::this_coro::cancellation_state)) {
        co_return result;
    }
    result.error = co_await connect_to_any(state, &where.all, deadline, &socket, &result.remote);
    bool cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
    if (!result.error && !cancelled) {
        error_code ignored;
        socket->set_option(tcp::no_delay(true), ignored);
        timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
        result.made = std::make_unique<connection>(
            std::move(*socket), result.remote, timers.now(), &state->input_blocks);
        result.made->has_alternatives = where.all.size() > 1;
        result.error = co_await equip(state, to, &result, deadline);
        cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
    }
    if (result.error && !cancelled && where.from) {
        state->names.forget(next_stop(*to).host, where.from);
    }
    co_return result;
}

asio::awaitable<opened> open_unix(client_state* state,
                                  const target* to,
                                  const std::string* path,
                                  steady_time deadline) {
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    opened result;
    result.remote = "unix:" + *path;
    auto socket = connect_to_path(state->executor, *path, result.error);
    if (result.error) co_return result;
    result.made = std::make_unique<connection>(
        std::move(*socket), result.remote, timers.now(), &state->input_blocks);
    result.error = co_await equip(state, to, &result, deadline);
    co_return result;
}

}  // namespace

asio::awaitable<opened> open_connection(client_state* state,
                                        const target* to,
                                        steady_time deadline) {
    const std::string* const path = socket_to(state->config, *to);
    auto opening =
        path != nullptr ? open_unix(state, to, path, deadline) : open_tcp(state, to, deadline);
    opened result = co_await std::move(opening);
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
        result.error = asio::error::operation_aborted;
    }
    co_return result;
}

}  // namespace asio_retry::http::detail
