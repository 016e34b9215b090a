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

#include <tuple>
#include <utility>

namespace asio_retry::http::detail {

const std::size_t client_state::size_of_place = sizeof(fetch_place);

namespace {

constexpr auto as_result = asio::as_tuple(asio::deferred);

/// A wait that is rare, out of the frame of those that have none.
asio::awaitable<wait_result> wait_for(timed_wait::operation wait) { co_return co_await std::move(wait); }

/// The frame holds what stands in one expression with a co_await.
timer_service& timers_of(const asio::any_io_executor& ex) { return timer_service::of(ex); }

}  // namespace

asio::awaitable<fetch_result> fetch(std::shared_ptr<client_state> state,
                                    request&& r,
                                    fetch_terms&& terms,
                                    std::string* operation) {
    auto place = make_place(state->places, *state, std::move(r), std::move(terms));
    fetch_start& begin = place->begin;
    const request& what = begin.what;
    const bool hedges = begin.policy.hedge() && !begin.error && may_repeat(what, begin.policy) &&
                        !what.sink() && (!what.source() || what.source()->is_replayable());
    return hedges ? run_hedged(std::move(state), std::move(begin), operation)
                  : run_fetch(std::move(state), std::move(place), operation);
}

// One coroutine, as frames cost: only what is rare (a new connection, a long body) has one of its own.
asio::awaitable<fetch_result> run_fetch(std::shared_ptr<client_state> state,
                                        fetch_place_ptr begin,
                                        std::string* operation,
                                        fetch_lane* lane) {
    const fetch_place_ptr place = std::move(begin);
    timer_service& timers = timers_of(co_await asio::this_coro::executor);
    const error_code aborted = asio::error::operation_aborted;
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    // Read again after the caller's own coroutines, which may replace it.
    asio::cancellation_state cancels = co_await asio::this_coro::cancellation_state;
    bool cancelled = is_cancelled(cancels);

    fetch_call& call = place->call.emplace(*state, place->begin, place->wire, timers, lane);
    pool_lease& lease = call.lease();
    io_deadline& limit = place->limit.emplace(timers);
    retry_action next = call.start(cancelled);
    while (next.what == retry_action::type::attempt) {
        if (call.gate().stands()) {
            passage p = call.enter_gate();
            if (p == passage::closed) {
                p = co_await call.gate().wait(&timers, call.deadline());
                next = call.leave_gate(p);
                cancelled = p == passage::cancelled;
            } else if (p != passage::open) {
                next = call.leave_gate(p);
            }
            if (next.what != retry_action::type::attempt) break;
        }
        const steady_time deadline = call.begin_attempt();
        error_code ec;
        if (call.has_hook()) [[unlikely]] {
            ec = co_await call.call_hook();
            cancels = co_await asio::this_coro::cancellation_state;
            if (is_cancelled(cancels)) ec = aborted;
        }

        if (!ec && !lease.has_place()) {
            pool_ticket& ticket = place->ticket.emplace(timers);
            lease = state->pool.acquire(call.to(), call.wish(), timers.now(), ticket);
            if (!lease.has_place()) {
                co_await wait_for(ticket.turn(deadline));
                lease = ticket.take();
                if (!lease.has_place()) ec = asio_retry::error::attempt_timeout;
                if (is_cancelled(cancels)) {
                    ec = aborted;
                    if (lease.get() != nullptr) lease.give_back(timers.now());
                }
            }
        }
        if (!ec) call.has_place();
        while (!ec && lease.get() != nullptr && !call.can_use(*lease.get())) {
            lease.next_idle(timers.now());
        }
        if (!ec && lease.get() == nullptr) {
            const steady_time connect_deadline = call.connect_deadline(deadline);
            opened fresh = co_await open_connection(state.get(), &call.to(), connect_deadline);
            call.remote(fresh.remote);
            lease.put(std::move(fresh.made));
            ec = fresh.error;
            if (ec == error::connect_timeout && connect_deadline == deadline) {
                ec = asio_retry::error::attempt_timeout;
            }
        }

        if (!ec) call.begin_exchange();
        if (!ec && call.is_long()) {
            ec = co_await call.exchange_at_length(deadline);
            cancels = co_await asio::this_coro::cancellation_state;
        } else if (!ec) {
            connection& c = *lease.get();
            response_reader& reader = c.reader();
            error_code send_error;
            limit.arm(deadline, c.native_handle());
            while (call.unsent().size() != 0 && !send_error && !cancelled) {
                const auto sent = co_await c.async_write_some(call.unsent(), as_result);
                send_error = std::get<0>(sent);
                call.sent() += std::get<1>(sent);
                cancelled = is_cancelled(cancels);
            }
            // Also after a failed write: a response that came before it says more than it does.
            while (!ec && !reader.done() && !cancelled && !limit.expired()) {
                const asio::mutable_buffer room = c.input().prepare(reader.wanted());
                const auto got = co_await c.async_read_some(room, as_result);
                ec = std::get<0>(got);
                c.input().commit(std::get<1>(got));
                // An end of the stream that the deadline made is no end of the response.
                if (ec == asio::error::eof && !limit.expired()) {
                    ec = reader.take_end(c.input());
                } else if (!ec) {
                    ec = reader.take(c.input());
                }
                cancelled = is_cancelled(cancels);
            }
            while (!limit.disarmed()) limit.joined(co_await wait_for(limit.fired()));
            if (!reader.done()) {
                if (send_error && !reader.started()) ec = send_error;
                if (limit.expired()) ec = asio_retry::error::attempt_timeout;
                if (cancelled) ec = aborted;
            }
        }

        cancelled = is_cancelled(cancels);
        next = call.end_attempt(ec, cancelled);
        if (next.what == retry_action::type::wait) {
            if (next.delay > nanoseconds::zero()) {
                timed_wait& backoff = place->backoff.emplace(timers);
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
            }
            if (goes_on) next = call.start(cancelled);
        }
    }
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return call.finish(next.why, operation);
}

}  // namespace asio_retry::http::detail
