// SPDX-License-Identifier: BSL-1.0
#include "http/connect_race.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <utility>

namespace asio_retry::http::detail {

addresses interleave(const addresses& sorted) {
    addresses first;
    addresses second;
    for (const auto& a : sorted)
        (a.is_v6() == sorted.front().is_v6() ? first : second).push_back(a);
    addresses result;
    for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
        if (i < first.size()) result.push_back(first[i]);
        if (i < second.size()) result.push_back(second[i]);
    }
    return result;
}

bool connect_race::advance(steady_time now) {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (winner_ != nullptr) return false;
            if (runners_.size() == to_.size()) return running_ != 0;
            if (running_ != 0 && now < next_start_ && !next_is_due_) return true;
            next_is_due_ = false;
        }
        next_start_ = saturating_add(now, head_start);
        start(to_[runners_.size()]);
    }
}

timed_wait::operation connect_race::change(steady_time deadline) {
    const bool more = runners_.size() < to_.size() && next_start_ != steady_time{};
    return changed_.until(more ? std::min(deadline, next_start_) : deadline);
}

void connect_race::start(const asio::ip::tcp::endpoint& to) {
    runner* r = nullptr;
    {
        const std::lock_guard lock(mutex_);
        r = &runners_.emplace_back(executor_, to);
        ++running_;
    }
    error_code ec;
    r->socket.open(r->endpoint.protocol(), ec);
    if (ec) return arrive(*r, ec);
    r->socket.async_connect(r->endpoint,
                            [this, r](const error_code& result) { arrive(*r, result); });
}

/// Wakes under the lock, so that the race is not gone before it is done.
void connect_race::arrive(runner& r, const error_code& ec) {
    const std::lock_guard lock(mutex_);
    --running_;
    if (ec) {
        error_ = ec;
        r.failed = true;
        next_is_due_ = true;
    } else if (winner_ == nullptr && !stopped_) {
        winner_ = &r;
    }
    changed_.wake();
}

void connect_race::stop() {
    next_start_ = {};
    const runner* kept = nullptr;
    {
        const std::lock_guard lock(mutex_);
        kept = winner_;
        stopped_ = true;
    }
    for (runner& r : runners_) {
        if (&r == kept) continue;
        error_code ignored;
        r.socket.close(ignored);
    }
}

bool connect_race::is_running() {
    const std::lock_guard lock(mutex_);
    return running_ != 0;
}

std::optional<asio::ip::tcp::socket> connect_race::take_winner() {
    const std::lock_guard lock(mutex_);
    if (winner_ == nullptr) return std::nullopt;
    return std::move(winner_->socket);
}

asio::ip::tcp::endpoint connect_race::endpoint() {
    const std::lock_guard lock(mutex_);
    if (winner_ != nullptr) return winner_->endpoint;
    return runners_.empty() ? asio::ip::tcp::endpoint() : runners_.back().endpoint;
}

endpoints connect_race::losers() {
    const std::lock_guard lock(mutex_);
    endpoints result;
    bool outrun = true;
    for (const runner& r : runners_) {
        if (&r == winner_) {
            outrun = false;
        } else if (outrun || r.failed) {
            result.push_back(r.endpoint);
        }
    }
    return result;
}

error_code connect_race::error() {
    const std::lock_guard lock(mutex_);
    return error_;
}

}  // namespace asio_retry::http::detail
