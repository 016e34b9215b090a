// SPDX-License-Identifier: BSL-1.0
#include "http/body_feed.hpp"

#include <asio_retry/detail/outcome.hpp>
#include <asio_retry/http/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>

namespace asio_retry::http::detail {

asio::awaitable<error_code> body_feed::next() {
    data_ = {};
    if (!reader_) {
        if (const error_code ec = open()) co_return ec;
    }
    std::size_t count = 0;
    auto pending = read(&count);
    if (const error_code ec = co_await std::move(pending)) co_return ec;
    if (count == 0 && !chunked_) co_return error::body_length;
    frame(count);
    co_return error_code();
}

error_code body_feed::open() {
    try {
        error_code ec;
        reader_ = source_.open(ec);
        if (!ec) memory_ = std::make_unique_for_overwrite<char[]>(piece + 2 * margin);
        return ec;
    } catch (...) {
        return asio_retry::detail::error_of(std::current_exception());
    }
}

asio::awaitable<error_code> body_feed::read(std::size_t* count) {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(piece, left_));
    try {
        *count = co_await reader_(asio::mutable_buffer(memory_.get() + margin, most));
    } catch (...) {
        co_return asio_retry::detail::error_of(std::current_exception());
    }
    co_return *count <= most ? error_code() : error_code(error::body_length);
}

/// RFC 9112 7.1; the last chunk has size 0.
void body_feed::frame(std::size_t count) {
    char* begin = memory_.get() + margin;
    char* end = begin + count;
    if (!chunked_) {
        left_ -= count;
        data_ = {begin, count};
        return;
    }
    char digits[margin];
    const auto written = std::to_chars(digits, digits + sizeof(digits), count, 16);
    const auto size = static_cast<std::size_t>(written.ptr - digits);
    begin -= size + 2;
    std::memcpy(begin, digits, size);
    std::memcpy(begin + size, "\r\n", 2);
    std::memcpy(end, "\r\n", 2);
    end += 2;
    ended_ = count == 0;
    data_ = {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace asio_retry::http::detail
