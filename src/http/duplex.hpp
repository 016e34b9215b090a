// Writes to a connection and reads from it at the same time.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_DUPLEX_HPP
#define ASIO_RETRY_SRC_HTTP_DUPLEX_HPP

#include "http/connection.hpp"
#include "http/core.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <mutex>
#include <optional>

namespace asio_retry::http::detail {

/// One write and one read, each under way or not. Stands in the waiting call, which drives it:
/**     both.write(bytes); both.read(room);
        co_await both.change(deadline);
        if (auto w = both.written()) ...
        ... and in the end, always:
        both.stop();
        while (both.is_running()) co_await both.change(steady_time::max());
    The operations run on a strand: those of a TLS stream share its state. */
class duplex {
public:
    class result {
    public:
        error_code error;
        std::size_t count = 0;
    };

    duplex(timer_service& timers, const asio::any_io_executor& ex, connection& c);

    /// Precondition of each: none is under way, and the result of the last has been taken.
    void write(asio::const_buffer bytes);
    void read(asio::mutable_buffer room);

    bool is_writing() const noexcept { return writing_; }
    bool is_reading() const noexcept { return reading_; }

    /// Waits until something has ended, until `t` at the latest.
    timed_wait::operation change(steady_time t) noexcept { return changed_.until(t); }

    /// What came of a write or read that has ended, once.
    std::optional<result> written();
    std::optional<result> received();

    /// Shuts the socket down if anything is under way: that ends it.
    void stop();
    /// Whether anything is under way. Until this answers false it must stay where it is.
    bool is_running();

private:
    class side {
    public:
        bool running = false;
        bool ended = false;
        result what;
    };

    void start(side& s);
    void arrive(side& s, const error_code& ec, std::size_t count);
    std::optional<result> take(side& s, bool& flag);

    timed_wait changed_;
    asio::any_io_executor strand_;
    connection& connection_;
    std::mutex mutex_;
    side write_;
    side read_;
    // For the waiting call only: started, and the result not taken yet.
    bool writing_ = false;
    bool reading_ = false;
};

}  // namespace asio_retry::http::detail

#endif
