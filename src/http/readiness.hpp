// Waits until a socket can be written to or read from, whichever comes first.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_READINESS_HPP
#define ASIO_RETRY_SRC_HTTP_READINESS_HPP

#include "http/core.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <mutex>

namespace asio_retry::http::detail {

/// For a body that the peer does not take: an answer may have come. Stands in the waiting call:
/**     readiness ready(timers, socket);
        ready.start();
        co_await ready.change(deadline);
        ready.stop();
        while (ready.is_running()) co_await ready.change(steady_time::max());  */
class readiness {
public:
    readiness(timer_service& timers, asio::ip::tcp::socket& socket) noexcept
        : changed_(timers), socket_(socket) {}

    void start();
    timed_wait::operation change(steady_time t) noexcept { return changed_.until(t); }
    void stop();
    /// Until this answers false it must stay where it is.
    bool is_running();

private:
    void arrive();

    timed_wait changed_;
    asio::ip::tcp::socket& socket_;
    std::mutex mutex_;
    int running_ = 0;
};

}  // namespace asio_retry::http::detail

#endif
