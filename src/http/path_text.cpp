// SPDX-License-Identifier: BSL-1.0
#include "http/path_text.hpp"

namespace asio_retry::http::detail {

namespace {

constexpr int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// RFC 3986 2.3.
constexpr bool is_unreserved(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

constexpr char upper(char c) noexcept {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

// The buffer is written only where it is read: clearing it would cost more than a whole lookup.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
normal_path::normal_path(std::string_view path) noexcept : text_(path.substr(0, path.find('?'))) {
    if (text_.empty()) text_ = "/";
    if (text_.find('%') != std::string_view::npos || text_.find('*') != std::string_view::npos) {
        decode(text_);
    }
}

void normal_path::decode(std::string_view path) noexcept {
    std::size_t size = 0;
    for (std::size_t i = 0; i < path.size() && size <= longest_pattern; ++i) {
        const int high = path[i] == '%' && i + 2 < path.size() ? hex_digit(path[i + 1]) : -1;
        const int low = high < 0 ? -1 : hex_digit(path[i + 2]);
        const char c = low < 0 ? path[i] : static_cast<char>(high * 16 + low);
        if (low < 0 ? c != '*' : is_unreserved(c)) {
            buffer_[size++] = c;
        } else {
            buffer_[size++] = '%';
            buffer_[size++] = low < 0 ? '2' : upper(path[i + 1]);
            buffer_[size++] = low < 0 ? 'A' : upper(path[i + 2]);
        }
        if (low >= 0) i += 2;
    }
    text_ = std::string_view(buffer_.data(), size);
}

}  // namespace asio_retry::http::detail
