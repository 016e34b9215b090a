// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/http/retry_after.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <limits>

namespace asio_retry::http {

namespace {

using std::chrono::nanoseconds;
using std::chrono::system_clock;

using names = std::array<std::string_view, 12>;

constexpr names months = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

constexpr std::array<std::string_view, 7> days = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

constexpr std::array<std::string_view, 7> long_days = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};

/// Reads a date from left to right; the first part that does not fit spoils the whole.
class date_reader {
public:
    explicit constexpr date_reader(std::string_view text) noexcept : rest_(text) {}

    /// Whether all parts fitted and nothing is left.
    constexpr bool complete() const noexcept { return good_ && rest_.empty(); }
    constexpr bool starts_with(char c) const noexcept { return rest_.starts_with(c); }

    constexpr void literal(std::string_view expected) noexcept {
        if (rest_.starts_with(expected)) {
            rest_.remove_prefix(expected.size());
        } else {
            good_ = false;
        }
    }

    constexpr int digits(std::size_t count) noexcept {
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (rest_.empty() || rest_.front() < '0' || rest_.front() > '9') {
                good_ = false;
                return 0;
            }
            value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
        }
        return value;
    }

    /// The place of the name that comes next, from 0.
    template <std::size_t N>
    constexpr unsigned one_of(const std::array<std::string_view, N>& candidates) noexcept {
        for (unsigned i = 0; i < N; ++i) {
            if (rest_.starts_with(candidates[i])) {
                rest_.remove_prefix(candidates[i].size());
                return i;
            }
        }
        good_ = false;
        return 0;
    }

private:
    std::string_view rest_;
    bool good_ = true;
};

/// A date as written.
class date_fields {
public:
    int year = 0;
    unsigned month = 0;  // from 0
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;

    void read_time(date_reader& in) noexcept {
        hour = in.digits(2);
        in.literal(":");
        minute = in.digits(2);
        in.literal(":");
        second = in.digits(2);
    }

    std::optional<std::chrono::sys_seconds> time() const noexcept {
        namespace chrono = std::chrono;
        const chrono::year_month_day date{
            chrono::year(year), chrono::month(month + 1), chrono::day(static_cast<unsigned>(day))};
        const bool leap_second = hour == 23 && minute == 59 && second == 60;
        if (!date.ok() || hour > 23 || minute > 59 || (second > 59 && !leap_second)) {
            return std::nullopt;
        }
        return chrono::sys_days(date) + chrono::hours(hour) + chrono::minutes(minute) +
               chrono::seconds(second);
    }
};

std::optional<std::chrono::sys_seconds> read_imf_fixdate(std::string_view text) noexcept {
    date_reader in(text);
    date_fields date;
    in.one_of(days);
    in.literal(", ");
    date.day = in.digits(2);
    in.literal(" ");
    date.month = in.one_of(months);
    in.literal(" ");
    date.year = in.digits(4);
    in.literal(" ");
    date.read_time(in);
    in.literal(" GMT");
    return in.complete() ? date.time() : std::nullopt;
}

std::optional<std::chrono::sys_seconds> read_asctime(std::string_view text) noexcept {
    date_reader in(text);
    date_fields date;
    in.one_of(days);
    in.literal(" ");
    date.month = in.one_of(months);
    in.literal(" ");
    if (in.starts_with(' ')) {
        in.literal(" ");
        date.day = in.digits(1);
    } else {
        date.day = in.digits(2);
    }
    in.literal(" ");
    date.read_time(in);
    in.literal(" ");
    date.year = in.digits(4);
    return in.complete() ? date.time() : std::nullopt;
}

std::optional<std::chrono::sys_seconds> read_rfc850(std::string_view text,
                                                    system_clock::time_point now) noexcept {
    date_reader in(text);
    date_fields date;
    in.one_of(long_days);
    in.literal(", ");
    date.day = in.digits(2);
    in.literal("-");
    date.month = in.one_of(months);
    in.literal("-");
    const int two_digits = in.digits(2);
    in.literal(" ");
    date.read_time(in);
    in.literal(" GMT");
    if (!in.complete()) return std::nullopt;

    // Of the years with these two digits the latest that is not more than 50 years ahead.
    const auto today = std::chrono::floor<std::chrono::days>(now);
    const auto time_of_day = std::chrono::floor<std::chrono::seconds>(now) - today;
    const std::chrono::year_month_day current(today);
    const int century = (static_cast<int>(current.year()) / 100 + 1) * 100;
    auto limit = std::chrono::year_month_day(
        current.year() + std::chrono::years(50), current.month(), current.day());
    if (!limit.ok()) limit = limit.year() / limit.month() / std::chrono::last;
    const auto latest = std::chrono::sys_days(limit) + time_of_day;
    for (const int start : {century, century - 100, century - 200}) {
        date.year = start + two_digits;
        const auto time = date.time();
        if (time && *time <= latest) return time;
    }
    return std::nullopt;
}

system_clock::time_point saturate(std::chrono::sys_seconds t) noexcept {
    // The ends are rounded towards zero, so that what lies between them fits.
    using std::chrono::time_point_cast;
    if (t > time_point_cast<std::chrono::seconds>(system_clock::time_point::max())) {
        return system_clock::time_point::max();
    }
    if (t < time_point_cast<std::chrono::seconds>(system_clock::time_point::min())) {
        return system_clock::time_point::min();
    }
    return t;
}

nanoseconds time_until(system_clock::time_point t, system_clock::time_point now) noexcept {
    if (t <= now) return nanoseconds::zero();
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(
            t.time_since_epoch().count(), now.time_since_epoch().count(), &difference)) {
        return nanoseconds::max();
    }
    return system_clock::duration(difference);
}

/// delay-seconds = 1*DIGIT
std::optional<nanoseconds> read_seconds(std::string_view text) noexcept {
    constexpr std::int64_t most =
        std::chrono::duration_cast<std::chrono::seconds>(nanoseconds::max()).count();
    if (text.empty()) return std::nullopt;
    std::int64_t seconds = 0;
    bool too_many = false;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        if (!too_many) seconds = seconds * 10 + (c - '0');
        too_many = too_many || seconds > most;
    }
    return too_many ? nanoseconds::max() : std::chrono::seconds(seconds);
}

std::string_view trimmed(std::string_view text) noexcept {
    constexpr std::string_view blank = " \t";
    const auto first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

}  // namespace

std::optional<system_clock::time_point> parse_http_date(std::string_view text,
                                                        system_clock::time_point now) noexcept {
    auto time = read_imf_fixdate(text);
    if (!time) time = read_rfc850(text, now);
    if (!time) time = read_asctime(text);
    if (!time) return std::nullopt;
    return saturate(*time);
}

std::optional<nanoseconds> parse_retry_after(std::string_view value,
                                             system_clock::time_point now) noexcept {
    const auto text = trimmed(value);
    if (const auto seconds = read_seconds(text)) return seconds;
    if (const auto date = parse_http_date(text, now)) return time_until(*date, now);
    return std::nullopt;
}

std::optional<nanoseconds> retry_after(const boost::beast::http::fields& fields,
                                       system_clock::time_point now) {
    std::optional<nanoseconds> longest;
    const auto [first, last] = fields.equal_range("Retry-After");
    for (auto field = first; field != last; ++field) {
        const auto value = field->value();
        const auto delay = parse_retry_after({value.data(), value.size()}, now);
        if (delay) longest = std::max(longest.value_or(nanoseconds::zero()), *delay);
    }
    return longest;
}

}  // namespace asio_retry::http
