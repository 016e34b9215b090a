// SPDX-License-Identifier: BSL-1.0
#include "http/json_place.hpp"

#include "http/hidden_credentials.hpp"
#include "http/json_print.hpp"
#include <asio_retry/detail/duration_text.hpp>
#include <asio_retry/detail/spelling.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

namespace asio_retry::http::detail {

namespace {

bool is_plain(std::string_view key) {
    return !key.empty() && std::all_of(key.begin(), key.end(), [](unsigned char c) {
        return c == '_' || c == '$' || c == '-' || (c >= '0' && c <= '9') ||
               ((c | 32U) >= 'a' && (c | 32U) <= 'z');
    });
}

std::string step_to(std::string_view key) {
    if (is_plain(key)) return "." + std::string(key);
    return "[" + json::serialize(json::value(json::string_view(key.data(), key.size()))) + "]";
}

/// The value as it may stand in a text: short.
std::string shown(const json_node& node) {
    if (node.type != json_node::kind::scalar) return node.type_name();
    std::string text = pretty(node.scalar);
    return text.size() <= 60 ? text : node.type_name();
}

/// 2.0 is 2, as JSON Schema has it.
std::optional<std::uint64_t> as_whole_number(const json_node& node) {
    constexpr double largest_exact = 9007199254740992.0;  // 2^53
    const json::value& v = node.scalar;
    if (node.type != json_node::kind::scalar) return std::nullopt;
    if (v.is_uint64()) return v.get_uint64();
    if (v.is_int64() && v.get_int64() >= 0) return static_cast<std::uint64_t>(v.get_int64());
    if (!v.is_double()) return std::nullopt;
    const double value = v.get_double();
    const bool is_whole = value >= 0 && value <= largest_exact && std::trunc(value) == value;
    return is_whole ? std::optional(static_cast<std::uint64_t>(value)) : std::nullopt;
}

}  // namespace

std::string json_place::path() const {
    if (parent_ == nullptr) return "$";
    if (key_.data() == nullptr) return parent_->path() + "[" + std::to_string(index_) + "]";
    return parent_->path() + step_to(key_);
}

// A value may be a URL, or quoted in the complaint of a setter.

void json_place::refuse(const std::string& what) const {
    throw json_fault(at_, hide_credentials(path()), hide_credentials(what));
}

void json_place::refuse_key(const json_member& member, const std::string& what) const {
    throw json_fault(
        member.at, hide_credentials(path() + step_to(member.key)), hide_credentials(what));
}

std::string json_place::without_name(std::string_view what) {
    const auto colon = what.find(": ");
    const bool is_name = colon != std::string_view::npos &&
                         std::all_of(what.begin(),
                                     what.begin() + static_cast<std::ptrdiff_t>(colon),
                                     [](char c) { return c == '_' || (c >= 'a' && c <= 'z'); });
    return std::string(is_name ? what.substr(colon + 2) : what);
}

void json_place::require_object() const {
    if (!node_.is_object()) refuse(shown(node_) + " must be an object: {...}");
}

void json_place::require_list() const {
    if (!node_.is_array()) refuse(shown(node_) + " must be a list: [...]");
}

std::string json_place::text() const {
    if (node_.type != json_node::kind::scalar || !node_.scalar.is_string()) {
        refuse(shown(node_) + " must be a string, in quotes");
    }
    const json::string& s = node_.scalar.get_string();
    return std::string(s.data(), s.size());
}

bool json_place::boolean() const {
    if (node_.type != json_node::kind::scalar || !node_.scalar.is_bool()) {
        refuse(shown(node_) + " must be true or false");
    }
    return node_.scalar.get_bool();
}

double json_place::number() const {
    if (node_.type != json_node::kind::scalar || !node_.scalar.is_number()) {
        refuse(shown(node_) + " must be a number");
    }
    const auto value = node_.scalar.to_number<double>();
    if (!std::isfinite(value)) refuse("is beyond what a number can be");
    return value;
}

std::uint64_t json_place::whole_number(std::uint64_t least, std::uint64_t most) const {
    const std::optional<std::uint64_t> number = as_whole_number(node_);
    if (!number || *number < least || *number > most) {
        refuse(shown(node_) + " must be a whole number from " + std::to_string(least) + " to " +
               std::to_string(most));
    }
    return *number;
}

std::chrono::nanoseconds json_place::duration() const {
    // Numbers are refused: 50 would be 50 seconds here and 50 ms in the mind of many.
    if (node_.type != json_node::kind::scalar || !node_.scalar.is_string()) {
        refuse(shown(node_) + " must be a duration such as \"250ms\", \"1.5s\" or \"2m\"");
    }
    std::chrono::nanoseconds parsed{};
    set([&] { parsed = asio_retry::detail::parse_duration(text()); });
    return parsed;
}

std::chrono::nanoseconds json_place::limit() const {
    return is_null() ? std::chrono::nanoseconds::max() : duration();
}

std::size_t json_place::one_of(std::span<const std::string_view> words) const {
    const std::string word = text();
    const auto found = std::find(words.begin(), words.end(), word);
    if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
    std::string list;
    for (const auto& each : words) {
        list += list.empty() ? "" : &each == &words.back() ? " or " : ", ";
        list.append("\"").append(each).append("\"");
    }
    refuse(shown(node_) + " must be " + list + did_you_mean(word, words));
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> words) {
    const auto alike = asio_retry::detail::closest_word(word, words);
    return alike.empty() ? "" : "; did you mean \"" + std::string(alike) + "\"?";
}

}  // namespace asio_retry::http::detail
