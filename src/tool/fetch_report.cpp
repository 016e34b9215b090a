// SPDX-License-Identifier: BSL-1.0
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/system/errc.hpp>

#include <tool/fetch_report.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string_view>

namespace asio_retry::tool {

namespace {

// Numbers are written here: Boost.JSON writes 153.2 as 1.532E2, which few would call readable.
std::string milliseconds(std::chrono::nanoseconds d) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.3f", static_cast<double>(d.count()) / 1e6);
    std::string result = text.data();
    while (result.ends_with('0') && result[result.size() - 2] != '.') result.pop_back();
    return result;
}

/// How many bytes the character takes that a text begins with; 0 if that is none (RFC 3629, 4).
std::size_t character_size(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return 0;
    // Other second bytes would be of a longer form than is needed, of a surrogate, or above
    // U+10FFFF.
    const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < low || byte(1) > high) return 0;
    const std::size_t size = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    for (std::size_t i = 2; i < size; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return 0;
    }
    return size;
}

/// JSON is UTF-8, which a path or a system's message need not be.
std::string as_utf8(std::string_view text) {
    constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
    std::string valid;
    while (!text.empty()) {
        const auto size = character_size(text);
        valid.append(size == 0 ? replacement : text.substr(0, size));
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return valid;
}

std::string in_quotes(std::string_view text) {
    return boost::json::serialize(boost::json::string(as_utf8(text)));
}

std::string quoted_or_null(std::string_view text) {
    return text.empty() ? "null" : in_quotes(text);
}

std::string number_or_null(int value) { return value == 0 ? "null" : std::to_string(value); }

std::string message_or_null(const error_code& ec) { return ec ? in_quotes(ec.message()) : "null"; }

class object {
public:
    object& add(std::string_view key, const std::string& value) {
        text_ += text_.size() > 1 ? ",\"" : "\"";
        text_.append(key).append("\":").append(value);
        return *this;
    }
    std::string text() const { return text_ + "}"; }

private:
    std::string text_ = "{";
};

std::string attempt_object(const attempt_record& a) {
    const bool waited = a.source != delay_source::none;
    return object()
        .add("number", std::to_string(a.number))
        .add("status", number_or_null(a.status))
        .add("error", message_or_null(a.error))
        .add("kind", a.kind ? in_quotes(to_string(*a.kind)) : "null")
        .add("sent", in_quotes(to_string(a.sent)))
        .add("reused", a.reused ? "true" : "false")
        .add("remote", quoted_or_null(a.remote))
        .add("started_ms", milliseconds(a.started))
        .add("elapsed_ms", milliseconds(a.elapsed))
        .add("delay_ms", waited ? milliseconds(a.delay) : "null")
        .add("delay_source", waited ? in_quotes(to_string(a.source)) : "null")
        .text();
}

reason reason_of(const call_outcome& call) {
    if (!call.output_error || call.report.reason() != reason::success) return call.report.reason();
    return call.output_error == boost::system::errc::operation_canceled ? reason::cancelled
                                                                        : reason::permanent_failure;
}

}  // namespace

std::string report_line(const call_outcome& call) {
    const bool success = call.report.reason() == reason::success && call.has_response() &&
                         (call.status < 400 || call.has_all) && !call.output_error;
    std::string attempts;
    for (const auto& each : call.report.history()) {
        attempts += (attempts.empty() ? "" : ",") + attempt_object(each);
    }
    return object()
        .add("url", in_quotes(call.url))
        .add("method", in_quotes(call.method))
        .add("outcome", success ? "\"success\"" : "\"failed\"")
        .add("reason", in_quotes(to_string(reason_of(call))))
        .add("status", number_or_null(call.status))
        .add("error", message_or_null(call.error ? call.error : call.output_error))
        .add("bytes", std::to_string(call.bytes))
        .add("elapsed_ms", milliseconds(call.report.elapsed()))
        .add("attempts", "[" + attempts + "]")
        .text();
}

}  // namespace asio_retry::tool
