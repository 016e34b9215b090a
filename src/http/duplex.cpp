// SPDX-License-Identifier: BSL-1.0
#include "http/duplex.hpp"

#include <asio_retry/detail/spawned_attempt.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <sys/socket.h>

#include <utility>

namespace asio_retry::http::detail {

duplex::duplex(timer_service& timers, const asio::any_io_executor& ex, connection& c)
    : changed_(timers), strand_(asio_retry::detail::attempt_executor(ex)), connection_(c) {}

void duplex::write(asio::const_buffer bytes) {
    writing_ = true;
    start(write_);
    asio::post(strand_, [this, bytes] {
        connection_.async_write_some(
            bytes, asio::bind_executor(strand_, [this](const error_code& ec, std::size_t n) {
                arrive(write_, ec, n);
            }));
    });
}

void duplex::read(asio::mutable_buffer room) {
    reading_ = true;
    start(read_);
    asio::post(strand_, [this, room] {
        connection_.async_read_some(
            room, asio::bind_executor(strand_, [this](const error_code& ec, std::size_t n) {
                arrive(read_, ec, n);
            }));
    });
}

void duplex::start(side& s) {
    const std::lock_guard lock(mutex_);
    s.running = true;
}

/// Wakes under the lock, so that this is not gone before it is done.
void duplex::arrive(side& s, const error_code& ec, std::size_t count) {
    const std::lock_guard lock(mutex_);
    s.running = false;
    s.ended = true;
    s.what.error = ec;
    s.what.count = count;
    changed_.wake();
}

std::optional<duplex::result> duplex::take(side& s, bool& flag) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(s.ended, false)) return std::nullopt;
    flag = false;
    return s.what;
}

std::optional<duplex::result> duplex::written() { return take(write_, writing_); }
std::optional<duplex::result> duplex::received() { return take(read_, reading_); }

void duplex::stop() {
    if (is_running()) ::shutdown(connection_.native_handle(), SHUT_RDWR);
}

bool duplex::is_running() {
    const std::lock_guard lock(mutex_);
    return write_.running || read_.running;
}

}  // namespace asio_retry::http::detail
