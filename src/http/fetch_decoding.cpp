// Decodes the body of a response that was read into memory, as a part of its attempt.
// SPDX-License-Identifier: BSL-1.0
#include "http/content_decoder.hpp"
#include "http/content_encoding.hpp"
#include "http/fetch_call.hpp"

#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <string_view>

namespace asio_retry::http::detail {

namespace {

/// Some milliseconds' worth of plain text, after which others have their turn.
constexpr std::size_t at_a_time = std::size_t{1024} * 1024;

}  // namespace

asio::awaitable<error_code> fetch_call::decode(steady_time deadline) {
    const response_reader& reader = lease_.get()->reader();
    content_decoder decoder(begin_.policy.max_body_size(), begin_.policy.max_expansion());
    error_code ec = decoder.begin(content_encoding(reader.headers()), reader.body().size());
    if (!ec && (!decoder.active() || reader.body().empty())) co_return ec;

    std::string_view encoded = reader.body();
    plain_.emplace();
    while (!ec) {
        ec = decoder.write_some(encoded, *plain_, at_a_time);
        if (ec || !decoder.stopped()) break;
        co_await asio::post(asio::deferred);
        if (is_cancelled(co_await asio::this_coro::cancellation_state)) {
            co_return asio::error::operation_aborted;
        }
        if (timers_.now() >= deadline) co_return asio_retry::error::attempt_timeout;
    }
    if (!ec) ec = decoder.finish();
    if (ec) call_->record().status = static_cast<int>(reader.status());
    co_return ec;
}

}  // namespace asio_retry::http::detail
