// SPDX-License-Identifier: BSL-1.0
#include "http/server_word.hpp"

#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/http/retry_after.hpp>

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace asio_retry::http::detail {

namespace {

using std::chrono::nanoseconds;

/// Nothing if it forbids a retry.
std::optional<nanoseconds> parse_pushback(boost::beast::string_view text) noexcept {
    std::int64_t milliseconds = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, milliseconds);
    const bool too_large = read.ec == std::errc::result_out_of_range && text.front() != '-';
    if (read.ptr != end || (read.ec != std::errc() && !too_large)) return std::nullopt;
    if (too_large) return nanoseconds::max();
    if (milliseconds < 0) return std::nullopt;
    return asio_retry::detail::saturating_cast(std::chrono::milliseconds(milliseconds));
}

}  // namespace

server_word server_word_of(const boost::beast::http::fields& fields,
                           std::chrono::system_clock::time_point now) {
    server_word result;
    result.wait = retry_after(fields, now);
    const auto should = fields.equal_range("X-Should-Retry");
    for (auto field = should.first; field != should.second; ++field) {
        if (boost::beast::iequals(field->value(), "false")) result.forbids_retry = true;
    }
    const auto pushback = fields.equal_range("grpc-retry-pushback-ms");
    for (auto field = pushback.first; field != pushback.second; ++field) {
        if (const auto wait = parse_pushback(field->value())) {
            result.wait = std::max(result.wait.value_or(nanoseconds::zero()), *wait);
        } else {
            result.forbids_retry = true;
        }
    }
    return result;
}

}  // namespace asio_retry::http::detail
