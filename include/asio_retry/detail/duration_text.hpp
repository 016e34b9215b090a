// Durations as people write them: 250ms, 1.5s, 2m; for the tool and for files.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_DURATION_TEXT_HPP
#define ASIO_RETRY_DETAIL_DURATION_TEXT_HPP

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

namespace asio_retry::detail {

struct duration_unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

inline constexpr std::array<duration_unit, 6> duration_units{{
    {"h", 3'600'000'000'000},
    {"m", 60'000'000'000},
    {"s", 1'000'000'000},
    {"ms", 1'000'000},
    {"us", 1'000},
    {"ns", 1},
}};

[[noreturn]] inline void refuse_duration(std::string_view text, std::string_view why) {
    throw std::invalid_argument("'" + std::string(text) + "' " + std::string(why) +
                                ": write 250ms, 1.5s, 2m or 1h; a bare number is seconds");
}

/// Reads `250ms`, `1.5s`, `.5s`, `2m`; units ns, us, ms, s, m, h, seconds where there is none.
/** Throws std::invalid_argument, whose text says what would be right, for anything else: a sign, a
    space, an exponent, more than 9 decimals, more than 292 years. */
inline std::chrono::nanoseconds parse_duration(std::string_view text) {
    constexpr std::string_view digits = "0123456789";
    const auto whole_end = std::min(text.find_first_not_of(digits), text.size());
    const auto whole = text.substr(0, whole_end);
    auto rest = text.substr(whole_end);
    std::string_view decimals;
    const bool point = rest.starts_with('.');
    if (point) {
        rest.remove_prefix(1);
        const auto end = std::min(rest.find_first_not_of(digits), rest.size());
        decimals = rest.substr(0, end);
        rest.remove_prefix(end);
    }
    if (text.starts_with('-')) refuse_duration(text, "is negative");
    if ((whole.empty() && !point) || (point && decimals.empty())) {
        refuse_duration(text, "is not a duration");
    }
    if (decimals.size() > 9) refuse_duration(text, "has more than 9 decimals");

    const auto unit_name = rest.empty() ? std::string_view("s") : rest;
    std::int64_t unit = 0;
    for (const auto& each : duration_units) {
        if (each.name == unit_name) unit = each.nanoseconds;
    }
    if (unit == 0) refuse_duration(text, "is not a duration");

    std::int64_t count = 0;
    const auto parsed = std::from_chars(whole.data(), whole.data() + whole.size(), count);
    const bool is_too_large = !whole.empty() && parsed.ec != std::errc{};
    std::int64_t billionths = 0;
    std::from_chars(decimals.data(), decimals.data() + decimals.size(), billionths);
    for (auto places = decimals.size(); places < 9; ++places) billionths *= 10;
    constexpr std::int64_t second = 1'000'000'000;
    const auto fraction =
        unit >= second ? billionths * (unit / second) : billionths / (second / unit);
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    if (is_too_large || count > (most - fraction) / unit) {
        refuse_duration(text, "is longer than 292 years");
    }
    return std::chrono::nanoseconds(count * unit + fraction);
}

/// Writes the shortest exact text that parse_duration reads back: 1.5s, 250ms, 90m, 0s.
/** Negative durations, which do not come from parse_duration, get a sign. */
inline std::string format_duration(std::chrono::nanoseconds duration) {
    const auto signed_count = duration.count();
    if (signed_count == 0) return "0s";
    // The magnitude as unsigned: the smallest value has no positive counterpart.
    const auto count = signed_count < 0 ? ~static_cast<std::uint64_t>(signed_count) + 1
                                        : static_cast<std::uint64_t>(signed_count);
    std::string text = signed_count < 0 ? "-" : "";
    for (const auto& unit : duration_units) {
        const auto size = static_cast<std::uint64_t>(unit.nanoseconds);
        // Hours and minutes only where they come out even: 90s, not 1.5m.
        const bool even = count % size == 0;
        if (count < size || (size > 1'000'000'000 && !even)) continue;
        text += std::to_string(count / size);
        if (!even) {
            auto decimals = std::to_string(size + count % size).substr(1);
            decimals.erase(decimals.find_last_not_of('0') + 1);
            text += "." + decimals;
        }
        return text += unit.name;
    }
    return text;
}

}  // namespace asio_retry::detail

#endif
