// The value of a field, whether it comes in one line or in several.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FIELD_VALUE_HPP
#define ASIO_RETRY_SRC_HTTP_FIELD_VALUE_HPP

#include <boost/beast/http/fields.hpp>

#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

/// All lines of a field as one (RFC 9110 5.3); empty if there is none.
inline std::string joined_lines(const boost::beast::http::fields& fields, const char* name) {
    std::string text;
    const auto [first, last] = fields.equal_range(name);
    for (auto line = first; line != last; ++line) {
        if (line != first) text += ", ";
        text.append(line->value().data(), line->value().size());
    }
    return text;
}

/// The one line of a field; nothing if there is none, or several.
inline std::optional<std::string_view> only_line(const boost::beast::http::fields& fields,
                                                 const char* name) noexcept {
    const auto [first, last] = fields.equal_range(name);
    if (first == last || std::next(first) != last) return std::nullopt;
    return std::string_view(first->value().data(), first->value().size());
}

}  // namespace asio_retry::http::detail

#endif
