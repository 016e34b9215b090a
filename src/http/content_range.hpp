// Which part of a representation a response holds (RFC 9110 14.4), and how to ask for one.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CONTENT_RANGE_HPP
#define ASIO_RETRY_SRC_HTTP_CONTENT_RANGE_HPP

#include <boost/beast/http/fields.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

/// The bytes from `first` to `last`, both included.
class byte_span {
public:
    constexpr byte_span(std::uint64_t f, std::uint64_t l) noexcept : first(f), last(l) {}

    constexpr std::uint64_t size() const noexcept { return last - first + 1; }

    friend bool operator==(const byte_span&, const byte_span&) = default;

    std::uint64_t first;
    std::uint64_t last;
};

/// A Content-Range in bytes.
class content_range {
public:
    content_range() = default;

    /// Nothing in `bytes */10`: the range asked for is not there.
    std::optional<byte_span> span;
    /// The size of the whole; nothing in `bytes 0-4/*`.
    std::optional<std::uint64_t> complete_length;

    friend bool operator==(const content_range&, const content_range&) = default;
};

/// Nothing if the value is malformed, contradicts itself, counts in another unit than bytes, or has
/// a number above 2^63 - 1.
std::optional<content_range> parse_content_range(std::string_view value) noexcept;

/// The same of a header; nothing also if there is no such field, or several.
std::optional<content_range> content_range_of(const boost::beast::http::fields& fields) noexcept;

/// The value of Range that asks for all from byte `first` on: "bytes=7-".
std::string range_from(std::uint64_t first);

}  // namespace asio_retry::http::detail

#endif
