// SPDX-License-Identifier: BSL-1.0
#include "http/long_exchange.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>

namespace asio_retry::http::detail {

namespace {

/// How much is written at most at a time.
constexpr std::size_t slice = std::size_t{256} * 1024;

}  // namespace

asio::awaitable<error_code> long_exchange::run(steady_time deadline) {
    const auto executor = co_await asio::this_coro::executor;
    duplex both(timer_service::of(executor), executor, connection_);
    error_code ec;
    std::exception_ptr thrown;
    try {
        ec = co_await exchange(&both, deadline);
    } catch (...) {
        thrown = std::current_exception();
    }
    // What is under way refers to this frame.
    both.stop();
    while (both.is_running()) co_await both.change(steady_time::max());
    if (thrown) std::rethrow_exception(thrown);
    if (const auto last = both.written()) has_sent(*last);
    const bool is_whole = !ec && connection_.reader().done();
    const bool cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
    co_return cancelled && !is_whole ? error_code(asio::error::operation_aborted) : ec;
}

asio::awaitable<error_code> long_exchange::exchange(duplex* both, steady_time deadline) {
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    response_reader& reader = connection_.reader();
    for (;;) {
        if (!both->is_reading()) both->read(connection_.input().prepare(reader.wanted()));
        if (!both->is_writing() && may_send(timers.now())) {
            if (const error_code ec = co_await send(both)) co_return ec;
        }
        // Before the wait as well: it may have come while the source or the sink was at work.
        if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return error_code();
        co_await both->change(std::min(deadline, wake_));
        if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return error_code();
        if (const auto w = both->written()) has_sent(*w);
        if (const auto r = both->received()) {
            connection_.input().commit(r->count);
            error_code ec = co_await delivery_.take(r->error, deadline);
            if (ec && !reader.started() && send_error_) ec = send_error_;
            if (ec || reader.done()) co_return ec;
        }
        if (timers.now() >= deadline) co_return asio_retry::error::attempt_timeout;
    }
}

/// A body that the server has not asked for waits, but not for ever (RFC 9110 10.1.1).
bool long_exchange::may_send(steady_time now) noexcept {
    const response_reader& reader = connection_.reader();
    wake_ = steady_time::max();
    if (sent_all_ || send_error_) return false;
    if (reader.has_status() && reader.status() / 100 != 2) return false;
    if (continue_wait_ == nanoseconds::zero() || head_left_ != 0) return true;
    if (reader.has_informed()) return true;
    if (continue_until_ == steady_time{}) continue_until_ = saturating_add(now, continue_wait_);
    if (now >= continue_until_) return true;
    wake_ = continue_until_;
    return false;
}

asio::awaitable<error_code> long_exchange::send(duplex* both) {
    if (unsent_.size() == 0 && piece_.size() == 0) {
        error_code ec = co_await feed_->next();
        own_fault_ = static_cast<bool>(ec);
        if (ec) co_return ec;
        piece_ = feed_->data();
    }
    const bool head_only = continue_wait_ != nanoseconds::zero() && head_left_ != 0;
    const asio::const_buffer next = unsent_.size() != 0 ? unsent_ : piece_;
    both->write(asio::buffer(next, head_only ? head_left_ : slice));
    co_return error_code();
}

void long_exchange::has_sent(const duplex::result& r) noexcept {
    if (unsent_.size() != 0) {
        unsent_ += r.count;
        sent_ += r.count;
        head_left_ -= std::min(head_left_, r.count);
    } else {
        piece_ += r.count;
    }
    send_error_ = r.error;
    sent_all_ = unsent_.size() == 0 && piece_.size() == 0 && (feed_ == nullptr || feed_->is_last());
}

}  // namespace asio_retry::http::detail
