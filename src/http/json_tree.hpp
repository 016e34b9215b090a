// A JSON document whose parts know where they stand in its text.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_JSON_TREE_HPP
#define ASIO_RETRY_SRC_HTTP_JSON_TREE_HPP

#include <boost/json/value.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::http::detail {

namespace json = boost::json;

/// A place in a text, as editors count: lines and characters from 1. 0 where there is none.
class text_position {
public:
    text_position() = default;
    text_position(std::uint32_t l, std::uint32_t c) noexcept : line(l), column(c) {}

    std::uint32_t line = 0;
    std::uint32_t column = 0;

    friend bool operator==(const text_position&, const text_position&) = default;
};

class json_member;

/// A value and where it begins. Strings, numbers, booleans and null are in `scalar`.
class json_node {
public:
    enum class kind : std::uint8_t { scalar, array, object };

    bool is_object() const noexcept { return type == kind::object; }
    bool is_array() const noexcept { return type == kind::array; }
    bool is_null() const noexcept { return type == kind::scalar && scalar.is_null(); }

    /// The first member with this key; null if there is none.
    const json_member* find(std::string_view key) const noexcept;
    /// The member at a path of keys such as "circuit_breaker.window".
    const json_member* find_path(std::string_view path) const noexcept;

    /// "a string", "a list" and so on, for texts.
    const char* type_name() const noexcept;

    kind type = kind::scalar;
    text_position at;
    json::value scalar;
    std::vector<json_member> members;
    std::vector<json_node> elements;
};

class json_member {
public:
    std::string key;
    text_position at;  // of the key
    json_node value;
};

/// Why a text is not JSON.
class json_error : public std::runtime_error {
public:
    json_error(const std::string& text, text_position p) : std::runtime_error(text), at(p) {}

    text_position at;
};

/// Reads a whole document (RFC 8259), with or without a byte order mark.
/** Keys may come twice: whether that is an error is not decided here. @throws json_error. */
json_node parse_json(std::string_view text);

}  // namespace asio_retry::http::detail

#endif
