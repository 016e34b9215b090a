// SPDX-License-Identifier: BSL-1.0
#include "http/send_watchfully.hpp"

#include "http/readiness.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

namespace asio_retry::http::detail {

namespace {

/// How much is sent at most before the peer is listened to.
constexpr std::size_t slice = std::size_t{256} * 1024;

enum class outlook { keep_sending, stop };

/// Reads what is there. A 100, or the first bytes of a header, are no reason to stop.
outlook listen(connection& c) {
    while (c.is_readable()) {
        error_code ec;
        const std::size_t n = c.read_now(c.input().prepare(c.reader().wanted()), ec);
        if (ec == asio::error::would_block) break;
        if (ec) return outlook::stop;
        c.input().commit(n);
        if (c.reader().take(c.input()) || c.reader().has_status()) return outlook::stop;
    }
    return outlook::keep_sending;
}

}  // namespace

asio::awaitable<error_code> send_watchfully(connection* c,
                                            asio::const_buffer bytes,
                                            std::size_t* sent,
                                            steady_time deadline) {
    timer_service& timers = timer_service::of(co_await asio::this_coro::executor);
    for (;;) {
        error_code ec;
        const std::size_t n = c->write_now(asio::buffer(bytes, slice), ec);
        *sent += n;
        bytes += n;
        if (bytes.size() == 0) co_return error_code();
        if (ec && ec != asio::error::would_block) co_return ec;

        // Also when it could go on at once: other calls want the thread as well.
        readiness ready(timers, c->socket());
        ready.start();
        co_await ready.change(deadline);
        ready.stop();
        while (ready.is_running()) co_await ready.change(steady_time::max());

        if (is_cancelled(co_await asio::this_coro::cancellation_state)) co_return error_code();
        if (timers.now() >= deadline) co_return asio_retry::error::attempt_timeout;
        if (listen(*c) == outlook::stop) co_return error_code();
    }
}

}  // namespace asio_retry::http::detail
