// SPDX-License-Identifier: BSL-1.0
#include "http/json_print.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <array>
#include <charconv>
#include <utility>

namespace asio_retry::http::detail {

namespace {

namespace json = boost::json;

constexpr std::size_t widest = 100;

/// As people write it, which Boost.JSON does not: 0.5 rather than 5E-1.
std::string number(double d) {
    std::array<char, 32> buffer;
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), d);
    return std::string(buffer.data(), written.ptr);
}

std::string quoted(json::string_view key) { return json::serialize(json::value(key)); }

class printer {
public:
    std::string print(const json::value& value) {
        write(value, 0, 0);
        return std::move(text_);
    }

private:
    /// `used` is how much of the line is taken already.
    void write(const json::value& value, std::size_t indent, std::size_t used) {
        const std::string flat = one_line(value);
        const bool is_leaf = !value.is_array() && !value.is_object();
        if (is_leaf || (indent > 0 && used + flat.size() < widest)) {
            text_ += flat;
        } else if (value.is_array()) {
            each(value.get_array(), '[', ']', indent, [&](const json::value& v) {
                write(v, indent + 2, indent + 2);
            });
        } else {
            each(value.get_object(), '{', '}', indent, [&](const json::key_value_pair& pair) {
                const std::string key = quoted(pair.key()) + ": ";
                text_ += key;
                write(pair.value(), indent + 2, indent + 2 + key.size());
            });
        }
    }

    template <typename Range, typename Write>
    void each(
        const Range& range, char open, char close, std::size_t indent, const Write& write_one) {
        text_ += open;
        bool is_first = true;
        for (const auto& one : range) {
            text_.append(is_first ? "\n" : ",\n").append(indent + 2, ' ');
            write_one(one);
            is_first = false;
        }
        if (!is_first) text_.append("\n").append(indent, ' ');
        text_ += close;
    }

    std::string text_;
};

}  // namespace

std::string one_line(const boost::json::value& value) {
    std::string text;
    const char* comma = "";
    if (value.is_array()) {
        for (const auto& one : value.get_array()) {
            text.append(comma).append(one_line(one));
            comma = ", ";
        }
        return "[" + text + "]";
    }
    if (value.is_object()) {
        for (const auto& pair : value.get_object()) {
            text.append(comma).append(quoted(pair.key())).append(": ");
            text.append(one_line(pair.value()));
            comma = ", ";
        }
        return "{" + text + "}";
    }
    return value.is_double() ? number(value.get_double()) : json::serialize(value);
}

std::string pretty(const boost::json::value& value) { return printer().print(value); }

}  // namespace asio_retry::http::detail
