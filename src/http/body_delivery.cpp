// SPDX-License-Identifier: BSL-1.0
#include "http/body_delivery.hpp"

#include "http/content_encoding.hpp"
#include <asio_retry/detail/outcome.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <limits>

namespace asio_retry::http::detail {

namespace {

/// A piece has some more at most.
constexpr std::size_t enough = std::size_t{48} * 1024;

}  // namespace

body_delivery::body_delivery(connection& c,
                             body_sink* sink,
                             const fetch_policy& policy,
                             timer_service& timers,
                             std::string url)
    : connection_(c), sink_(sink), policy_(policy), timers_(timers), url_(std::move(url)) {
    if (sink_ != nullptr) c.reader().pause_behind_head();
}

asio::awaitable<error_code> body_delivery::take(error_code end, steady_time deadline) {
    response_reader& reader = connection_.reader();
    error_code ec = end;
    if (end == asio::error::eof) {
        ec = reader.take_end(connection_.input());
    } else if (!end) {
        ec = reader.take(connection_.input());
    }
    if (sink_ == nullptr) co_return ec;
    if (!ec && !decided_ && reader.has_status()) ec = co_await decide();
    if (!ec && delivers_) ec = co_await write(deadline);
    if (!ec && delivers_ && reader.done()) ec = co_await finish();
    co_return ec;
}

asio::awaitable<error_code> body_delivery::decide() {
    response_reader& reader = connection_.reader();
    decided_ = true;
    const response head = reader.head(url_);
    if (sink_->takes(head)) {
        if (const error_code ec = begin_decoding(head)) co_return ec;
        if (const error_code ec = co_await begin(&head)) co_return ec;
        delivers_ = true;
    } else if (const error_code ec = reader.limit_body(policy_.max_body_size())) {
        co_return ec;
    }
    co_return reader.take(connection_.input());
}

asio::awaitable<error_code> body_delivery::begin(const response* head) {
    try {
        auto pending = sink_->begin(*head);
        co_return co_await std::move(pending);
    } catch (...) {
        co_return blame(std::current_exception());
    }
}

/// What was read may be the whole of a body that is many times as large.
asio::awaitable<error_code> body_delivery::write(steady_time deadline) {
    connection_.reader().move_body(decoder_ ? read_ : piece_);
    std::string_view rest = read_;
    for (;;) {
        if (const error_code ec = next_piece(rest)) co_return ec;
        if (piece_.empty()) co_return error_code();
        if (const error_code ec = co_await write_piece()) co_return ec;
        if (!has_more()) co_return error_code();
        if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
            co_return asio::error::operation_aborted;
        }
        if (timers_.now() >= deadline) co_return asio_retry::error::attempt_timeout;
    }
}

asio::awaitable<error_code> body_delivery::write_piece() {
    received_ += piece_.size();
    try {
        auto pending = sink_->write(asio::buffer(piece_));
        co_await std::move(pending);
    } catch (...) {
        co_return blame(std::current_exception());
    }
    if (observer_ != nullptr) {
        const std::uint64_t kept = sink_->kept();
        auto size = connection_.reader().body_size();
        if (decoder_) size.reset();
        if (size) *size += kept;
        observer_->body_received(operation_, kept + received_, size);
    }
    co_return error_code();
}

error_code body_delivery::begin_decoding(const response& head) {
    if (policy_.compressed() == compression::off || sink_->wants_encoded()) return {};
    decoder_.emplace(std::numeric_limits<std::uint64_t>::max(), policy_.max_expansion());
    const error_code ec = decoder_->begin(content_encoding(head.headers()));
    if (!ec && !decoder_->active()) decoder_.reset();
    return ec;
}

/// Decodes some of what was read, if it is encoded.
error_code body_delivery::next_piece(std::string_view& read) {
    if (!decoder_) return {};
    piece_.clear();
    return decoder_->write_some(read, piece_, enough);
}

asio::awaitable<error_code> body_delivery::finish() {
    if (decoder_) {
        if (const error_code ec = decoder_->finish()) co_return ec;
    }
    const response whole = connection_.reader().head(url_);
    try {
        auto pending = sink_->end(whole);
        co_return co_await std::move(pending);
    } catch (...) {
        co_return blame(std::current_exception());
    }
}

error_code body_delivery::blame(const std::exception_ptr& e) noexcept {
    own_fault_ = true;
    return asio_retry::detail::error_of(e);
}

}  // namespace asio_retry::http::detail
