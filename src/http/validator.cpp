// SPDX-License-Identifier: BSL-1.0
#include "http/validator.hpp"

#include "http/field_value.hpp"
#include <asio_retry/http/retry_after.hpp>

#include <algorithm>

namespace asio_retry::http::detail {

namespace {

using boost::beast::http::fields;

/// opaque-tag = DQUOTE *etagc DQUOTE
bool is_strong_tag(std::string_view text) noexcept {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return false;
    text = text.substr(1, text.size() - 2);
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte > 0x20 && byte != '"' && byte != 0x7f;
    });
}

}  // namespace

std::string strong_validator(const fields& all, std::chrono::system_clock::time_point now) {
    if (all.find("ETag") != all.end()) {
        const auto tag = only_line(all, "ETag");
        return tag && is_strong_tag(*tag) ? std::string(*tag) : std::string();
    }
    const auto modified_text = only_line(all, "Last-Modified");
    const auto date_text = only_line(all, "Date");
    if (!modified_text || !date_text) return {};
    const auto modified = parse_http_date(*modified_text, now);
    const auto date = parse_http_date(*date_text, now);
    // A date that the clock cannot tell is none to go by, so neither term overflows.
    constexpr auto margin = std::chrono::minutes(1);
    constexpr auto earliest = std::chrono::system_clock::time_point::min() + margin;
    if (!modified || !date || *date < earliest || *date - margin < *modified) return {};
    return std::string(*modified_text);
}

bool has_validator(const fields& all, std::string_view validator) noexcept {
    if (validator.empty()) return false;
    return only_line(all, validator.front() == '"' ? "ETag" : "Last-Modified") == validator;
}

}  // namespace asio_retry::http::detail
