// SPDX-License-Identifier: BSL-1.0
#include "http/field_value.hpp"
#include "http/structured_field.hpp"
#include <asio_retry/http/rate_limit.hpp>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::http {

namespace {

using detail::field_member;
using detail::joined_lines;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using std::chrono::system_clock;
using fields = boost::beast::http::fields;

std::optional<std::uint64_t> whole_number(std::string_view text) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Digits, perhaps with decimals.
std::optional<double> plain_number(std::string_view text) noexcept {
    if (text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
    double value = 0;
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

nanoseconds from_seconds(double s) noexcept {
    return asio_retry::detail::saturating_cast(std::chrono::duration<double>(s));
}

std::optional<nanoseconds> whole_seconds(std::string_view text) noexcept {
    const auto n = whole_number(text);
    if (!n) return std::nullopt;
    return asio_retry::detail::saturating_multiply(seconds(1), *n);
}

/// The signal of a quota whose reset is still to come.
std::optional<quota_signal> signal(std::optional<std::uint64_t> remaining,
                                   std::optional<nanoseconds> reset,
                                   std::optional<std::uint64_t> quota,
                                   std::optional<nanoseconds> window) noexcept {
    if (!remaining || !reset || reset->count() <= 0) return std::nullopt;
    quota_signal result(*remaining, *reset);
    result.quota = quota.value_or(0);
    result.window = window.value_or(nanoseconds::zero());
    return result;
}

bool binds_more(const quota_signal& a, const quota_signal& b) noexcept {
    if (a.remaining == 0 || b.remaining == 0) {
        return a.remaining != b.remaining ? a.remaining == 0 : a.reset > b.reset;
    }
    return a.reset / static_cast<double>(a.remaining) > b.reset / static_cast<double>(b.remaining);
}

/// RateLimit-Policy's word on the quota that RateLimit calls so.
const field_member* policy_of(const std::vector<field_member>& policies, std::string_view name) {
    for (const auto& each : policies) {
        if (each.name == name) return &each;
    }
    return nullptr;
}

std::optional<quota_signal> from_list(const std::vector<field_member>& limits, const fields& all) {
    const auto policies = detail::parse_structured_field(joined_lines(all, "RateLimit-Policy"));
    std::optional<quota_signal> most;
    for (const auto& limit : limits) {
        const field_member* const policy = policies ? policy_of(*policies, limit.name) : nullptr;
        const auto window =
            policy != nullptr ? whole_seconds(policy->parameter("w")) : std::nullopt;
        const auto quota = policy != nullptr ? whole_number(policy->parameter("q")) : std::nullopt;
        auto reset = whole_seconds(limit.parameter("t"));
        if (limit.parameter("t").empty()) reset = window;
        const auto s = signal(whole_number(limit.parameter("r")), reset, quota, window);
        if (s && (!most || binds_more(*s, *most))) most = s;
    }
    return most;
}

/// limit=100, remaining=50, reset=30
std::optional<quota_signal> from_dictionary(const std::vector<field_member>& members) {
    std::string_view limit;
    std::string_view remaining;
    std::string_view reset;
    for (const auto& each : members) {
        if (each.name == "limit") limit = each.value;
        if (each.name == "remaining") remaining = each.value;
        if (each.name == "reset") reset = each.value;
    }
    return signal(whole_number(remaining), whole_seconds(reset), whole_number(limit), std::nullopt);
}

std::optional<quota_signal> from_rate_limit(const fields& all) {
    const auto members = detail::parse_structured_field(joined_lines(all, "RateLimit"));
    if (!members || members->empty()) return std::nullopt;
    return members->front().value.empty() ? from_list(*members, all) : from_dictionary(*members);
}

/// "100", and "100, 100;w=60" of the first drafts.
std::optional<std::uint64_t> first_number(std::string_view text) noexcept {
    return whole_number(text.substr(0, text.find_first_of(",; ")));
}

std::optional<quota_signal> from_three_fields(const fields& all) {
    return signal(whole_number(detail::only_line(all, "RateLimit-Remaining").value_or("")),
                  whole_seconds(detail::only_line(all, "RateLimit-Reset").value_or("")),
                  first_number(detail::only_line(all, "RateLimit-Limit").value_or("")),
                  std::nullopt);
}

std::optional<nanoseconds> common_reset(std::string_view text, system_clock::time_point now) {
    constexpr double first_date = 1e9;
    constexpr double first_date_in_milliseconds = 1e12;
    const auto number = plain_number(text);
    if (!number) return std::nullopt;
    if (*number < first_date) return from_seconds(*number);
    const double date = *number < first_date_in_milliseconds ? *number : *number / 1000;
    const std::chrono::duration<double> since_1970 = now.time_since_epoch();
    return from_seconds(date - since_1970.count());
}

std::optional<quota_signal> from_common_fields(const fields& all, system_clock::time_point now) {
    return signal(whole_number(detail::only_line(all, "X-RateLimit-Remaining").value_or("")),
                  common_reset(detail::only_line(all, "X-RateLimit-Reset").value_or(""), now),
                  first_number(detail::only_line(all, "X-RateLimit-Limit").value_or("")),
                  std::nullopt);
}

}  // namespace

std::optional<quota_signal> rate_limit(const fields& all, system_clock::time_point now) {
    if (auto s = from_rate_limit(all)) return s;
    if (auto s = from_three_fields(all)) return s;
    return from_common_fields(all, now);
}

}  // namespace asio_retry::http
