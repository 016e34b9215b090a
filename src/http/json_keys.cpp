// SPDX-License-Identifier: BSL-1.0
#include "http/json_keys.hpp"

#include <asio_retry/detail/duration_text.hpp>

#include <boost/json/array.hpp>

#include <cmath>
#include <utility>

namespace asio_retry::http::detail {

json::object duration_schema() { return {{"$ref", "#/$defs/duration"}}; }

json::object limit_schema() { return or_null(duration_schema()); }

json::object count_schema(std::uint64_t least, std::uint64_t most) {
    return {{"type", "integer"}, {"minimum", least}, {"maximum", most}};
}

json::object number_schema(double least, double most) {
    return {{"type", "number"}, {"minimum", number_value(least)}, {"maximum", number_value(most)}};
}

json::object boolean_schema() { return {{"type", "boolean"}}; }

json::object text_schema() { return {{"type", "string"}}; }

json::object choice_schema(std::span<const std::string_view> words) {
    json::array list;
    for (const auto& each : words) list.push_back(text_value(each));
    return {{"enum", std::move(list)}};
}

json::object or_null(json::object schema) {
    return {{"anyOf", json::array{std::move(schema), json::object{{"type", "null"}}}}};
}

json::value duration_value(std::chrono::nanoseconds d) {
    return text_value(asio_retry::detail::format_duration(d));
}

json::value limit_value(std::chrono::nanoseconds d) {
    return d == std::chrono::nanoseconds::max() ? json::value(nullptr) : duration_value(d);
}

json::value number_value(double d) {
    constexpr double exact = 9007199254740992;  // 2^53
    if (std::abs(d) < exact && d == std::floor(d)) return static_cast<std::int64_t>(d);
    return d;
}

json::value text_value(std::string_view text) {
    return json::value(json::string_view(text.data(), text.size()));
}

}  // namespace asio_retry::http::detail
