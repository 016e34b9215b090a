// SPDX-License-Identifier: BSL-1.0
#include "http/open_connection.hpp"

#include "http/connect_race.hpp"
#include "http/io_deadline.hpp"
#include <asio_retry/http/error.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <sstream>
#include <tuple>
#include <utility>

namespace asio_retry::http::detail {

namespace {

using asio::ip::tcp;

/// The addresses that need no lookup: numeric hosts, and those that the configuration fixes.
addresses known_addresses(const client_config& config, const target& to) {
    addresses found;
    error_code ec;
    for (const fixed_address& each : config.resolve()) {
        if (each.host() != to.host || each.port() != to.port) continue;
        const auto address = asio::ip::make_address(each.address(), ec);
        if (!ec) found.push_back(address);
    }
    if (!found.empty()) return found;
    const auto address = asio::ip::make_address(to.host, ec);
    if (!ec) found.push_back(address);
    return found;
}

std::string text_of(const tcp::endpoint& e) {
    const std::string address = e.address().to_string();
    const std::string host = e.address().is_v6() ? "[" + address + "]" : address;
    return host + ":" + std::to_string(e.port());
}

asio::awaitable<error_code> look_up_name(client_state* state,
                                         const target* to,
                                         steady_time deadline,
                                         addresses* found) {
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    resolver::question question(timers);
    state->names.ask(question, to->host);
    co_await question.answer(deadline);
    error_code ec;
    if (!question.take(ec, *found)) ec = error::connect_timeout;
    co_return ec;
}

/// The winner's socket, or the reason why there is none.
asio::awaitable<error_code> connect_to_any(client_state* state,
                                           const target* to,
                                           const addresses* known,
                                           steady_time deadline,
                                           std::optional<tcp::socket>* winner,
                                           shared_text* remote) {
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    connect_race race(state->executor, timers, *known, to->port);
    bool in_time = true;
    for (steady_time now = timers.now(); in_time && race.advance(now);) {
        co_await race.change(deadline);
        now = timers.now();
        in_time = now < deadline && !is_cancelled(co_await asio::this_coro::cancellation_state);
    }
    race.stop();
    while (race.is_running()) co_await race.change(steady_time::max());
    *remote = text_of(race.endpoint());
    *winner = race.take_winner();
    if (*winner) co_return error_code();
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
    ec = expect_peer(stream, to->host, state->config.tls().verify());
    if (ec) co_return ec;

    const auto executor = co_await asio::this_coro::executor;
    io_deadline limit(timer_service::of(executor));
    limit.arm(deadline, c->native_handle());
    const auto result = co_await c->async_handshake(asio::as_tuple(asio::deferred));
    while (!limit.disarmed()) limit.joined(co_await limit.fired());
    ec = std::get<0>(result);
    if (!ec) co_return ec;
    co_return limit.expired() ? error_code(error::connect_timeout) : handshake_error(stream, ec);
}

}  // namespace

asio::awaitable<opened> open_connection(client_state* state,
                                        const target* to,
                                        steady_time deadline) {
    const error_code aborted = asio::error::operation_aborted;
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    opened result;
    addresses known = known_addresses(state->config, *to);
    if (known.empty()) {
        result.error = co_await look_up_name(state, to, deadline, &known);
        if (is_cancelled(co_await asio::this_coro::cancellation_state)) result.error = aborted;
        if (result.error) co_return result;
    }
    std::optional<tcp::socket> socket;
    result.error = co_await connect_to_any(state, to, &known, deadline, &socket, &result.remote);
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) result.error = aborted;
    if (result.error) co_return result;

    error_code ignored;
    socket->set_option(tcp::no_delay(true), ignored);
    result.made = std::make_unique<connection>(std::move(*socket), result.remote, timers.now());
    if (!to->tls) co_return result;
    result.error = co_await shake_hands(state, to, result.made.get(), deadline);
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) result.error = aborted;
    co_return result;
}

}  // namespace asio_retry::http::detail
