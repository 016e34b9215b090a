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

/// Where a name leads, and the lookup that said so, if there was one.
class whereabouts {
public:
    whereabouts() = default;

    endpoints all;
    resolver::reply_ptr from;
};

endpoints in_order(const addresses& found, std::uint16_t port) {
    endpoints result;
    for (const auto& each : interleave(found)) result.emplace_back(each, port);
    return result;
}

asio::awaitable<error_code> find(client_state* state,
                                 const target* to,
                                 steady_time deadline,
                                 whereabouts* where) {
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    const addresses known = known_addresses(state->config, *to);
    if (!known.empty()) {
        where->all = in_order(known, to->port);
    } else {
        resolver::question question(timers);
        state->names.ask(question, to->host);
        where->from = question.take();
        if (!where->from) {
            co_await question.answer(deadline);
            where->from = question.take();
        }
        if (!where->from) co_return error::connect_timeout;
        if (where->from->error) co_return where->from->error;
        where->all = in_order(where->from->found, to->port);
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

/// Connected, and with TLS where the target wants it.
asio::awaitable<opened> open_at(client_state* state,
                                const target* to,
                                const whereabouts* where,
                                steady_time deadline) {
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    opened result;
    std::optional<tcp::socket> socket;
    result.error = co_await connect_to_any(state, &where->all, deadline, &socket, &result.remote);
    if (is_cancelled(co_await asio::this_coro::cancellation_state) || result.error) {
        co_return result;
    }
    error_code ignored;
    socket->set_option(tcp::no_delay(true), ignored);
    result.made = std::make_unique<connection>(std::move(*socket), result.remote, timers.now());
    result.made->has_alternatives = where->all.size() > 1;
    if (to->tls) result.error = co_await shake_hands(state, to, result.made.get(), deadline);
    co_return result;
}

}  // namespace

asio::awaitable<opened> open_connection(client_state* state,
                                        const target* to,
                                        steady_time deadline) {
    opened result;
    whereabouts where;
    result.error = co_await find(state, to, deadline, &where);
    bool cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
    if (!result.error && !cancelled) {
        result = co_await open_at(state, to, &where, deadline);
        cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
    }
    if (cancelled) result.error = asio::error::operation_aborted;
    if (result.error && !cancelled && where.from) state->names.forget(to->host, where.from);
    co_return result;
}

}  // namespace asio_retry::http::detail
