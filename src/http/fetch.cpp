// SPDX-License-Identifier: BSL-1.0
#include "http/fetch.hpp"

#include "http/hedged_fetch.hpp"
#include "http/open_connection.hpp"
#include "http/verdicts.hpp"
#include <asio_retry/http/error.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstring>
#include <tuple>
#include <utility>

namespace asio_retry::http::detail {

const std::size_t client_state::size_of_place = sizeof(fetch_place);

namespace {

constexpr auto as_result = asio::as_tuple(asio::deferred);

/// A wait that is rare, out of the frame of those that have none.
asio::awaitable<wait_result> wait_for(timed_wait::operation wait) {
    co_return co_await std::move(wait);
}

/// The call has a place in the pool; idle connections that will not do are passed over.
void take_place(fetch_place* place) {
    fetch_call& call = *place->call;
    call.has_place();
    while (call.lease().get() != nullptr && !call.can_use(*call.lease().get())) {
        call.lease().next_idle(place->timers.now());
    }
}

/// After `acquire` has given nothing: the lease or an error, when it is the caller's turn.
asio::awaitable<error_code> wait_for_turn(fetch_place* place) {
    pool_lease& lease = place->call->lease();
    co_await place->ticket->turn(place->deadline);
    lease = place->ticket->take();
    if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
        if (lease.get() != nullptr) lease.give_back(place->timers.now());
        co_return asio::error::operation_aborted;
    }
    co_return lease.has_place() ? error_code() : error_code(asio_retry::error::attempt_timeout);
}

/// A new connection, or one that has come free for a call without a place.
asio::awaitable<error_code> connect(fetch_place* place) {
    fetch_call* const call = &*place->call;
    if (!call->lease().has_place()) {
        if (const error_code ec = co_await wait_for_turn(place)) co_return ec;
        take_place(place);
        if (call->lease().get() != nullptr) co_return error_code();
    }
    const steady_time connect_deadline = call->connect_deadline(place->deadline);
    opened fresh = co_await open_connection(place->state.get(), &call->to(), connect_deadline);
    call->remote(fresh.remote);
    call->proxy_asks(fresh.retry_after);
    call->lease().put(std::move(fresh.made));
    const bool out_of_time =
        fresh.error == error::connect_timeout && connect_deadline == place->deadline;
    co_return out_of_time ? error_code(asio_retry::error::attempt_timeout) : fresh.error;
}

/// Where the next bytes of the response go. A few connections wait with a buffer, and read most
/// responses at once. Those beyond them wait with some room in the call, and have a buffer only
/// while there is something to read; not with TLS, which keeps more memory than that anyway.
asio::mutable_buffer room_in(fetch_place& place) {
    constexpr std::size_t most_buffers = client_state::most_waiting_buffers;
    connection& c = *place.call->lease().get();
    place.reads_first_bytes = !c.is_tls() && !c.input().has_room(most_buffers);
    if (place.reads_first_bytes) return asio::buffer(place.first_bytes);
    return c.input().prepare(c.reader().wanted());
}

/// Writes some of the request, or reads some of the response. One for both, as each place where
/// something is awaited has its own room in the frame.
template <typename Token>
auto async_step(fetch_place& place, bool writes, Token&& token) {
    return asio::async_initiate<Token, void(error_code, std::size_t)>(
        [&place, writes](auto handler) {
            connection& c = *place.call->lease().get();
            if (writes) {
                c.async_write_some(place.call->unsent(), std::move(handler));
            } else {
                c.async_read_some(room_in(place), std::move(handler));
            }
        },
        token);
}

/// Writes what the socket takes at once, which saves a turn of the event loop. False if nothing
/// does.
bool write_at_once(fetch_call& call, error_code& send_error) {
    connection& c = *call.lease().get();
    if (c.is_tls()) return false;
    error_code ec;
    const std::size_t count = c.write_now(call.unsent(), ec);
    if (ec == asio::error::would_block) return false;
    send_error = ec;
    call.sent() += count;
    return true;
}

/// What has been read goes to the reader.
error_code take(connection& c, std::size_t count, error_code ec, const io_deadline& limit) {
    c.input().commit(count);
    // An end of the stream that the deadline made is no end of the response.
    if (ec == asio::error::eof && !limit.expired()) return c.reader().take_end(c.input());
    return ec ? ec : c.reader().take(c.input());
}

/// Reads what else has come.
error_code take_the_rest(connection& c, const io_deadline& limit) {
    constexpr int most = 16;  // reads, as others wait for their turn
    for (int i = 0; i != most && !c.reader().done(); ++i) {
        const auto room = c.input().prepare(c.reader().wanted());
        error_code ec;
        const std::size_t count = c.read_now(room, ec);
        if (ec == asio::error::would_block) break;
        ec = take(c, count, ec, limit);
        if (ec) return ec;
        if (count < room.size()) break;
    }
    return {};
}

/// Has the processor load what the next steps need, while it parses. With hundreds of calls in
/// progress, a call that waited has left the cache.
void load_early(const void* from, std::size_t size) noexcept {
    constexpr std::size_t line = 64;
    for (std::size_t i = 0; i < size; i += line)
        __builtin_prefetch(static_cast<const char*>(from) + i, 1);
}

error_code take(fetch_place& place, const std::tuple<error_code, std::size_t>& got) {
    connection& c = *place.call->lease().get();
    load_early(&c, sizeof c);
    load_early(&place, sizeof place - sizeof place.first_bytes);
    const std::size_t count = std::get<1>(got);
    if (place.reads_first_bytes && count != 0) {
        std::memcpy(c.input().prepare(count).data(), place.first_bytes.data(), count);
    }
    error_code ec = take(c, count, std::get<0>(got), *place.limit);
    if (!ec && place.reads_first_bytes && count == place.first_bytes.size())
        ec = take_the_rest(c, *place.limit);
    c.input().rest();
    return ec;
}

}  // namespace

asio::awaitable<fetch_result> fetch(std::shared_ptr<client_state> state,
                                    request&& r,
                                    fetch_terms&& terms,
                                    std::string* operation) {
    client_state& shared = *state;
    auto place = make_place(std::move(state), shared, std::move(r), std::move(terms));
    place->operation = operation;
    fetch_start& begin = place->begin;
    const request& what = begin.what;
    const bool hedges = begin.policy.hedge() && !begin.error && may_repeat(what, begin.policy) &&
                        !what.sink() && (!what.source() || what.source()->is_replayable());
    return hedges ? run_hedged(place->state, std::move(begin), operation)
                  : run_fetch(std::move(place));
}

// One coroutine, as frames cost: only what is rare (a new connection, a long body) has one of its
// own.
asio::awaitable<fetch_result> run_fetch(fetch_place_ptr begin) {
    const fetch_place_ptr place = std::move(begin);
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    // Read again after the caller's own coroutines, which may replace it.
    asio::cancellation_state cancels = co_await asio::this_coro::cancellation_state;
    bool cancelled = is_cancelled(cancels);

    fetch_call& call =
        place->call.emplace(*place->state, place->begin, place->wire, place->timers, place->lane);
    io_deadline& limit = place->limit.emplace(place->timers);
    retry_action next = call.start(cancelled);
    while (next.what == retry_action::type::attempt) {
        if (call.gate().stands()) {
            passage p = call.enter_gate();
            if (p == passage::closed) {
                p = co_await call.gate().wait(&place->timers, call.deadline());
                next = call.leave_gate(p);
                cancelled = p == passage::cancelled;
            } else if (p != passage::open) {
                next = call.leave_gate(p);
            }
            if (next.what != retry_action::type::attempt) break;
        }
        place->deadline = call.begin_attempt();
        error_code& ec = place->error = error_code();
        if (call.has_hook()) [[unlikely]] {
            ec = co_await call.call_hook();
            cancels = co_await asio::this_coro::cancellation_state;
            if (is_cancelled(cancels)) ec = asio::error::operation_aborted;
        }

        if (!ec && !call.lease().has_place()) {
            pool_ticket& ticket = place->ticket.emplace(place->timers);
            call.lease() =
                place->state->pool.acquire(call.to(), call.wish(), place->timers.now(), ticket);
        }
        if (!ec && call.lease().has_place()) take_place(place.get());
        if (!ec && call.lease().get() == nullptr) ec = co_await connect(place.get());

        if (!ec) call.begin_exchange();
        if (!ec && call.is_long()) {
            ec = co_await call.exchange_at_length(place->deadline);
            cancels = co_await asio::this_coro::cancellation_state;
        } else if (!ec) {
            response_reader& reader = call.lease().get()->reader();
            error_code& send_error = place->send_error = error_code();
            limit.arm(place->deadline, call.lease().get()->native_handle());
            // Reads also after a failed write: a response that came before it says more than it
            // does.
            while (!ec && !reader.done() && !cancelled) {
                const bool writes = call.unsent().size() != 0 && !send_error;
                if (writes && write_at_once(call, send_error)) continue;
                if (!writes && limit.expired()) break;
                const auto done = co_await async_step(*place, writes, as_result);
                if (writes) {
                    send_error = std::get<0>(done);
                    call.sent() += std::get<1>(done);
                } else {
                    ec = take(*place, done);
                }
                cancelled = is_cancelled(cancels);
            }
            while (!limit.disarmed()) limit.joined(co_await wait_for(limit.fired()));
            if (!reader.done()) {
                if (send_error && !reader.started()) ec = send_error;
                if (limit.expired()) ec = asio_retry::error::attempt_timeout;
                if (cancelled) ec = asio::error::operation_aborted;
            }
        }

        if (!ec && call.may_be_encoded()) [[unlikely]] {
            ec = co_await call.decode(place->deadline);
        }
        cancelled = is_cancelled(cancels);
        next = call.end_attempt(ec, cancelled);
        if (next.what == retry_action::type::wait) {
            if (next.delay > nanoseconds::zero()) {
                timed_wait& backoff = place->backoff.emplace(place->timers);
                co_await wait_for(backoff.until(call.wake_time()));
                cancelled = is_cancelled(cancels);
            }
            next = call.wait_done(cancelled);
        }
        if (next.what == retry_action::type::finish) {
            bool goes_on = call.goes_on(next.why);
            if (!goes_on && call.may_renew(next.why)) {
                goes_on = co_await call.renew();
                cancels = co_await asio::this_coro::cancellation_state;
                cancelled = is_cancelled(cancels);
                goes_on = goes_on || cancelled;  // to an end of its own
            }
            if (goes_on) next = call.start(cancelled);
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return call.finish(next.why, place->operation);
}

}  // namespace asio_retry::http::detail
