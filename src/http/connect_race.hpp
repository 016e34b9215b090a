// Connects to the first of several addresses that answers (Happy Eyeballs, RFC 8305).
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CONNECT_RACE_HPP
#define ASIO_RETRY_SRC_HTTP_CONNECT_RACE_HPP

#include "http/core.hpp"
#include "http/failed_addresses.hpp"
#include "http/resolver.hpp"
#include <asio_retry/error.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace asio_retry::http::detail {

/// The order to try addresses in: as the lookup sorted them, but the families in turn (RFC 8305 4).
addresses interleave(const addresses& sorted);

/// Connection attempts side by side, begun one after the other: the next when the last has failed,
/// or has had its head start. Stands in the waiting call, which drives it:
/**     while (race.advance(now)) co_await race.change(deadline);
        ... or, to give up:
        race.stop();
        while (race.is_running()) co_await race.change(steady_time::max());  */
class connect_race {
public:
    /// RFC 8305 8: how long one address has before the next one is tried beside it.
    static constexpr nanoseconds head_start = std::chrono::milliseconds(250);

    /// `to` in the order of trying.
    connect_race(asio::any_io_executor ex, timer_service& timers, endpoints to)
        : executor_(std::move(ex)), changed_(timers), to_(std::move(to)) {}

    /// Starts what is due. False once there is a winner, or nothing is left to try.
    bool advance(steady_time now);

    /// Waits until something has happened or is due, or `deadline` has come.
    timed_wait::operation change(steady_time deadline);

    /// Closes all but the winner; there will be no other any more.
    void stop();
    /// Whether any are under way. Until it answers false the race must stay where it is.
    bool is_running();

    /// The connected socket, if there is one.
    std::optional<asio::ip::tcp::socket> take_winner();
    /// The winner's address, else the one tried last.
    asio::ip::tcp::endpoint endpoint();
    /// Those that failed, or that one begun later has outrun; all that were tried if none has won.
    endpoints losers();
    /// Why there is no winner: the last error.
    error_code error();

private:
    class runner {
    public:
        runner(const asio::any_io_executor& ex, asio::ip::tcp::endpoint e)
            : socket(ex), endpoint(std::move(e)) {}

        asio::ip::tcp::socket socket;
        asio::ip::tcp::endpoint endpoint;
        bool failed = false;
    };

    void start(const asio::ip::tcp::endpoint& to);
    void arrive(runner& r, const error_code& ec);

    asio::any_io_executor executor_;
    timed_wait changed_;
    const endpoints to_;
    std::mutex mutex_;  // sockets are only touched by the waiting call
    std::deque<runner> runners_;
    runner* winner_ = nullptr;
    error_code error_;
    steady_time next_start_{};
    std::size_t running_ = 0;
    bool next_is_due_ = false;  // before its time, as one has failed
    bool stopped_ = false;
};

}  // namespace asio_retry::http::detail

#endif
