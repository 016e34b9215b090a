// SPDX-License-Identifier: BSL-1.0
#include "http/partial_record.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

namespace asio_retry::http::detail {

namespace {

constexpr std::string_view first_line = "asio-retry partial download 1\n";
constexpr std::string_view last_line = "end\n";

bool is_printable(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    });
}

bool skip(std::string_view& text, std::string_view expected) noexcept {
    if (!text.starts_with(expected)) return false;
    text.remove_prefix(expected.size());
    return true;
}

/// The value of the line that begins with `name`.
bool take_line(std::string_view& text, std::string_view name, std::string& value) {
    if (!skip(text, name) || !skip(text, " ")) return false;
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return false;
    value = text.substr(0, end);
    text.remove_prefix(end + 1);
    return is_printable(value);
}

std::optional<std::uint64_t> number(std::string_view text) noexcept {
    constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = end == text.data() + text.size();
    if (ec != std::errc() || !whole || value > most) return std::nullopt;
    return value;
}

}  // namespace

std::string print_partial_record(const partial_record& record) {
    std::string text(first_line);
    text += "url " + record.url + '\n';
    text += "validator " + record.validator + '\n';
    text += "length " + (record.length ? std::to_string(*record.length) : "?") + '\n';
    text += "synced " + std::to_string(record.synced) + '\n';
    text += "boot " + record.boot + '\n';
    text += last_line;
    return text;
}

std::optional<partial_record> parse_partial_record(std::string_view text) {
    partial_record record;
    std::string length;
    std::string synced;
    const bool complete = skip(text, first_line) && take_line(text, "url", record.url) &&
                          take_line(text, "validator", record.validator) &&
                          take_line(text, "length", length) && take_line(text, "synced", synced) &&
                          take_line(text, "boot", record.boot) && text == last_line;
    if (!complete || record.url.empty() || record.validator.empty()) return std::nullopt;
    if (length != "?") {
        record.length = number(length);
        if (!record.length) return std::nullopt;
    }
    const auto synced_bytes = number(synced);
    if (!synced_bytes) return std::nullopt;
    record.synced = *synced_bytes;
    return record;
}

bool fits_partial_record(std::string_view text) noexcept {
    return !text.empty() && is_printable(text);
}

}  // namespace asio_retry::http::detail
