// Reads a request's body from its source, a piece at a time, and puts it into the form of the wire.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_BODY_FEED_HPP
#define ASIO_RETRY_SRC_HTTP_BODY_FEED_HPP

#include "http/core.hpp"
#include <asio_retry/http/body_source.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

namespace asio_retry::http::detail {

/// For one attempt. With a length as it is, without one in chunks.
class body_feed {
public:
    /// How much is read at a time.
    static constexpr std::size_t piece = std::size_t{64} * 1024;

    /// `length` as it was announced in the head. The source is opened with the first `next`.
    body_feed(const body_source& s, std::optional<std::uint64_t> length) noexcept
        : source_(s), left_(length.value_or(unknown)), chunked_(!length) {}

    /// Gets the next piece. Precondition: not `is_last()`.
    asio::awaitable<error_code> next();

    asio::const_buffer data() const noexcept { return data_; }
    /// Whether `data` is the end of the body.
    bool is_last() const noexcept { return ended_ || left_ == 0; }

private:
    static constexpr std::uint64_t unknown = std::numeric_limits<std::uint64_t>::max();
    /// Room for a chunk's size line before the piece, and for the line end behind it.
    static constexpr std::size_t margin = 16;

    error_code open();
    asio::awaitable<error_code> read(std::size_t* count);
    void frame(std::size_t count);

    const body_source& source_;
    body_source::reader reader_;
    std::unique_ptr<char[]> memory_;
    asio::const_buffer data_;
    std::uint64_t left_;
    bool chunked_;
    bool ended_ = false;
};

}  // namespace asio_retry::http::detail

#endif
