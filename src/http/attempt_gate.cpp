// SPDX-License-Identifier: BSL-1.0
#include "http/attempt_gate.hpp"

#include <boost/asio/this_coro.hpp>

namespace asio_retry::http::detail {

passage attempt_gate::pass(steady_time now, steady_time deadline) noexcept {
    turn_ = now;
    if (pacer_ != nullptr) {
        const auto turn = pacer_->take_turn(now, deadline);
        if (!turn) return passage::too_late;
        turn_ = *turn;
        if (turn_ > now) return passage::closed;
    }
    if (limit_ != nullptr) {
        place_ = limit_->try_acquire(now);
        if (!place_) return passage::closed;
    }
    has_passed_ = true;
    return passage::open;
}

asio::awaitable<passage> attempt_gate::wait(timer_service* timers, steady_time deadline) {
    if (turn_ > timers->now()) {
        timed_wait turn(*timers);
        co_await turn.until(turn_);
        if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
            co_return fail(passage::cancelled);
        }
    }
    if (limit_ != nullptr) {
        concurrency_ticket ticket(*timers);
        place_ = limit_->acquire(timers->now(), ticket);
        if (!place_) {
            if (!ticket.is_queued()) co_return fail(passage::full);
            co_await ticket.turn(deadline);
            place_ = ticket.take(timers->now());
            if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
                place_.release();
                co_return fail(passage::cancelled);
            }
            if (!place_) co_return fail(passage::too_late);
        }
    }
    has_passed_ = true;
    co_return passage::open;
}

passage attempt_gate::fail(passage why) noexcept {
    if (pacer_ != nullptr) pacer_->give_back(turn_);
    return why;
}

void attempt_gate::leave_unused() noexcept {
    has_passed_ = false;
    place_.release();
    if (pacer_ != nullptr) pacer_->give_back(turn_);
}

void attempt_gate::leave(const verdict& v, const error_code& ec, steady_time now) noexcept {
    has_passed_ = false;
    if (v.is_failure() && v.kind() < failure_kind::permanent) {
        place_.fail(now);
    } else if (!v.is_failure() || (v.kind() == failure_kind::permanent && !ec)) {
        place_.succeed(now);
    } else {
        place_.release();
    }
}

}  // namespace asio_retry::http::detail
