// SPDX-License-Identifier: BSL-1.0
#include "http/idempotency.hpp"

#include <algorithm>
#include <array>
#include <random>

namespace asio_retry::http::detail {

bool is_idempotent_method(std::string_view method) noexcept {
    static constexpr std::array<std::string_view, 7> methods = {
        "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"};
    return std::find(methods.begin(), methods.end(), method) != methods.end();
}

std::string uuid_text(std::uint64_t high, std::uint64_t low) {
    constexpr std::string_view digits = "0123456789abcdef";
    high = (high & ~std::uint64_t{0xf000}) | std::uint64_t{0x4000};      // version 4
    low = (low & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);  // variant 10
    std::string text;
    text.reserve(36);
    for (unsigned i = 0; i < 32; ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
        const std::uint64_t half = i < 16 ? high : low;
        text += digits[(half >> (60 - 4 * (i % 16))) & 0xf];
    }
    return text;
}

std::string make_idempotency_key() {
    std::random_device system;
    const auto next = [&system] { return (std::uint64_t{system()} << 32) | system(); };
    const std::uint64_t high = next();
    return uuid_text(high, next());
}

}  // namespace asio_retry::http::detail
