// SPDX-License-Identifier: BSL-1.0
#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <tool/fetch_report.hpp>

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

std::string in_quotes(std::string_view text) {
    return boost::json::serialize(
        boost::json::string(boost::json::string_view(text.data(), text.size())));
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

}  // namespace

std::string report_line(const call_outcome& call) {
    const bool success = call.report.reason() == reason::success && call.has_response() &&
                         (call.status < 400 || call.has_all);
    std::string attempts;
    for (const auto& each : call.report.history()) {
        attempts += (attempts.empty() ? "" : ",") + attempt_object(each);
    }
    return object()
        .add("url", in_quotes(call.url))
        .add("method", in_quotes(call.method))
        .add("outcome", success ? "\"success\"" : "\"failed\"")
        .add("reason", in_quotes(to_string(call.report.reason())))
        .add("status", number_or_null(call.status))
        .add("error", message_or_null(call.error))
        .add("bytes", std::to_string(call.bytes))
        .add("elapsed_ms", milliseconds(call.report.elapsed()))
        .add("attempts", "[" + attempts + "]")
        .text();
}

}  // namespace asio_retry::tool
