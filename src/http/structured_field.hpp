// Takes lists and dictionaries of structured fields apart (RFC 9651), as far as they are flat.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_STRUCTURED_FIELD_HPP
#define ASIO_RETRY_SRC_HTTP_STRUCTURED_FIELD_HPP

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio_retry::http::detail {

/// `"default";r=50;t=30` of a list, or `limit=100;x` of a dictionary.
class field_member {
public:
    field_member() = default;

    /// The bare item of a list, or the key of a dictionary; strings without their quotes.
    std::string name;
    /// Of a dictionary; empty in a list.
    std::string value;
    /// Whether the value is a byte sequence; `value` is its base64 then, without the colons.
    bool value_is_bytes = false;
    std::vector<std::pair<std::string, std::string>> parameters;

    /// Empty if there is no such parameter. Of several the last counts.
    std::string_view parameter(std::string_view key) const noexcept;
};

/// The members of a list or a dictionary; nothing if it is malformed, or holds an inner list.
/** Items are strings, tokens, numbers, booleans, byte sequences and dates, none of which is looked
    into. Which of the two it is, RFC 9651 leaves to who knows the field: where a key is followed by
    `=` a dictionary is meant. */
std::optional<std::vector<field_member>> parse_structured_field(std::string_view text);

}  // namespace asio_retry::http::detail

#endif
