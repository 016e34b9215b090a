// SPDX-License-Identifier: BSL-1.0
#include "http/content_range.hpp"

#include "http/field_value.hpp"

#include <boost/beast/core/string.hpp>

#include <charconv>
#include <limits>
#include <system_error>

namespace asio_retry::http::detail {

namespace {

bool skip(std::string_view& text, char c) noexcept {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

/// 1*DIGIT
std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    std::uint64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc() || number > most) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return number;
}

std::optional<byte_span> take_span(std::string_view& text) noexcept {
    const auto first = take_number(text);
    if (!first || !skip(text, '-')) return std::nullopt;
    const auto last = take_number(text);
    if (!last || *last < *first) return std::nullopt;
    return byte_span(*first, *last);
}

}  // namespace

std::optional<content_range> parse_content_range(std::string_view value) noexcept {
    constexpr std::string_view unit = "bytes ";
    if (!boost::beast::iequals(value.substr(0, unit.size()), unit)) return std::nullopt;
    value.remove_prefix(unit.size());
    content_range range;
    if (!skip(value, '*')) {
        range.span = take_span(value);
        if (!range.span) return std::nullopt;
    }
    if (!skip(value, '/')) return std::nullopt;
    if (!range.span || !skip(value, '*')) {
        range.complete_length = take_number(value);
        if (!range.complete_length) return std::nullopt;
        if (range.span && range.span->last >= *range.complete_length) return std::nullopt;
    }
    return value.empty() ? std::optional(range) : std::nullopt;
}

std::optional<content_range> content_range_of(const boost::beast::http::fields& fields) noexcept {
    const auto value = only_line(fields, "Content-Range");
    return value ? parse_content_range(*value) : std::nullopt;
}

std::string range_from(std::uint64_t first) { return "bytes=" + std::to_string(first) + '-'; }

}  // namespace asio_retry::http::detail
