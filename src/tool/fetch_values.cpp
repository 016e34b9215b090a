// SPDX-License-Identifier: BSL-1.0
#include <boost/asio/ip/address.hpp>

#include <tool/duration.hpp>
#include <tool/fetch_output.hpp>
#include <tool/fetch_values.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace asio_retry::tool {

namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
    throw std::invalid_argument("'" + std::string(text) + "' " + std::string(why));
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return parts;
        text.remove_prefix(at + 1);
    }
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower(x) == lower(y);
    });
}

bool has_header(const fetch_options& o, std::string_view name) {
    return std::any_of(o.headers.begin(), o.headers.end(), [&](const header_field& h) {
        return same_name(h.first, name);
    });
}

unsigned parse_count(std::string_view text, unsigned low, unsigned high) {
    unsigned value = 0;
    const auto* begin =
        text.data();  // NOLINT(bugprone-suspicious-stringview-data-usage): with its end
    const auto* end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (error != std::errc() || stop != end || value < low || value > high) {
        refuse(text,
               "is not a whole number from " + std::to_string(low) + " to " + std::to_string(high));
    }
    return value;
}

std::chrono::nanoseconds parse_limit(std::string_view text) {
    const auto limit = parse_duration(text);
    if (limit <= std::chrono::nanoseconds::zero()) refuse(text, "must be above 0");
    return limit;
}

backoff parse_backoff(std::string_view text) {
    constexpr std::string_view forms =
        "is not a backoff: write constant:D, linear:D[..CAP], exponential:BASE[..CAP] or "
        "decorrelated:BASE..CAP";
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) refuse(text, forms);
    const auto kind = text.substr(0, colon);
    const auto range = text.substr(colon + 1);
    const auto dots = range.find("..");
    // Three dots are more likely a slip than two and a decimal point.
    if (range.find("...") != std::string_view::npos) refuse(text, forms);
    const auto base = parse_duration(range.substr(0, dots));
    const bool has_cap = dots != std::string_view::npos;
    const auto cap =
        has_cap ? parse_duration(range.substr(dots + 2)) : std::max(base, backoff::default_cap);
    if (cap < base) refuse(text, "has a cap below its base");

    if (kind == "constant" && !has_cap) return backoff::constant(base);
    if (kind == "linear") return backoff::linear(base, cap);
    if (kind == "exponential") return backoff::exponential(base, cap);
    if (kind == "decorrelated" && has_cap) return backoff::decorrelated(base, cap);
    refuse(text, forms);
}

jitter parse_jitter(std::string_view text) {
    for (const auto each : {jitter::none, jitter::full, jitter::equal}) {
        if (text == to_string(each)) return each;
    }
    refuse(text, "is not a jitter: write none, full or equal");
}

std::vector<unsigned> parse_status_list(std::string_view text) {
    constexpr unsigned lowest = 400;
    constexpr unsigned highest = 599;
    std::vector<unsigned> statuses;
    for (const auto part : split(text, ',')) {
        const auto range = split(trim(part), '-');
        if (range.size() > 2) refuse(part, "is not a range of status codes: write 500-504");
        const auto first = parse_count(range.front(), lowest, highest);
        const auto last = parse_count(range.back(), lowest, highest);
        if (last < first) refuse(part, "is a range that ends before it begins");
        for (auto status = first; status <= last; ++status) {
            statuses.push_back(status);
        }
    }
    return statuses;
}

resolve_rule parse_resolve(std::string_view text) {
    const auto host_end = text.find(':');
    const auto port_end =
        host_end == std::string_view::npos ? host_end : text.find(':', host_end + 1);
    if (host_end == 0 || port_end == std::string_view::npos) {
        refuse(text, "is not HOST:PORT:ADDR, say example.com:443:127.0.0.1");
    }
    resolve_rule rule;
    rule.host = text.substr(0, host_end);
    std::transform(rule.host.begin(), rule.host.end(), rule.host.begin(), lower);
    if (rule.host.find_first_of("*+") != std::string::npos) refuse(text, "must name one host");
    rule.port = static_cast<std::uint16_t>(
        parse_count(text.substr(host_end + 1, port_end - host_end - 1), 1, 65535));
    for (auto address : split(text.substr(port_end + 1), ',')) {
        if (address.starts_with('[') && address.ends_with(']')) {
            address = address.substr(1, address.size() - 2);
        }
        boost::system::error_code error;
        const auto parsed = boost::asio::ip::make_address(std::string(address), error);
        if (error) refuse(address, "is not an IP address");
        rule.addresses.push_back(parsed.to_string());
    }
    return rule;
}

bool is_token(std::string_view text) noexcept {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
               marks.find(c) != std::string_view::npos;
    });
}

// The value is never part of a refusal: it may be a credential.
void add_header(fetch_options& options, std::string_view text) {
    const auto name_end = std::min(text.find_first_of(":;"), text.size());
    const auto name = text.substr(0, name_end);
    if (name_end == text.size()) {
        throw std::invalid_argument("a header is 'Name: value', or 'Name;' for an empty value");
    }
    if (!is_token(name)) {
        throw std::invalid_argument(
            "a header's name is letters, digits and any of !#$%&'*+-.^_`|~, then a colon");
    }
    const auto value = trim(text.substr(name_end + 1));
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
        refuse(name, "has a value with a line break or NUL");
    }
    if (same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding")) {
        refuse(name, "follows from the data and cannot be set");
    }
    if (text[name_end] == ';') {
        if (!value.empty()) refuse(name, "is followed by ';', which stands for an empty value");
        options.headers.emplace_back(name, "");
    } else if (value.empty()) {
        if (!same_name(name, "Content-Type")) {
            refuse(name,
                   "cannot be left out; for an empty value write '" + std::string(name) + ";'");
        }
        options.removed_headers.emplace_back("content-type");
    } else {
        options.headers.emplace_back(name, value);
    }
}

namespace {

std::string read_data(const std::string& text) {
    if (!text.starts_with('@')) return text;
    const auto path = text.substr(1);
    const auto fail = [&](int error) {
        refuse(path == "-" ? "standard input" : path, "cannot be read: " + error_text(error));
    };
    const auto close = [](std::FILE* f) {
        if (f != stdin) std::fclose(f);
    };
    errno = 0;
    const std::unique_ptr<std::FILE, decltype(close)> file(
        path == "-" ? stdin : std::fopen(path.c_str(), "rb"), close);
    if (!file) fail(errno);
    std::string bytes;
    char buffer[16384];
    for (;;) {
        const auto count = std::fread(buffer, 1, sizeof buffer, file.get());
        bytes.append(buffer, count);
        if (count < sizeof buffer) {
            if (std::ferror(file.get()) != 0) fail(errno);
            return bytes;
        }
    }
}

/// One that is worth opening again for each attempt, so as not to hold it in memory.
bool is_large_file(const std::string& text) {
    constexpr std::uintmax_t large = std::uintmax_t{1024} * 1024;
    if (!text.starts_with('@') || text == "@-") return false;
    const auto path = text.substr(1);
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored) &&
           std::filesystem::file_size(path, ignored) > large && ::access(path.c_str(), R_OK) == 0;
}

}  // namespace

void add_data(fetch_options& options, const std::string& text) {
    if (!options.has_data() && is_large_file(text)) {
        options.data_file = text.substr(1);
        return;
    }
    if (!options.data_file.empty()) {
        options.data = read_data("@" + std::exchange(options.data_file, {}));
    }
    auto bytes = read_data(text);
    options.data = options.data ? *options.data + "&" + bytes : std::move(bytes);
}

}  // namespace asio_retry::tool
