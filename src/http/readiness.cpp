// SPDX-License-Identifier: BSL-1.0
#include "http/readiness.hpp"

namespace asio_retry::http::detail {

void readiness::start() {
    running_ = 2;
    const auto arrived = [this](const error_code&) { arrive(); };
    socket_.async_wait(asio::ip::tcp::socket::wait_read, arrived);
    socket_.async_wait(asio::ip::tcp::socket::wait_write, arrived);
}

void readiness::stop() {
    error_code ignored;
    socket_.cancel(ignored);
}

bool readiness::is_running() {
    const std::lock_guard lock(mutex_);
    return running_ != 0;
}

/// Wakes under the lock, so that this is not gone before it is done.
void readiness::arrive() {
    const std::lock_guard lock(mutex_);
    --running_;
    changed_.wake();
}

}  // namespace asio_retry::http::detail
