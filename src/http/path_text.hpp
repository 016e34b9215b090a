// Paths in one spelling, so that they can be compared byte by byte.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_PATH_TEXT_HPP
#define ASIO_RETRY_SRC_HTTP_PATH_TEXT_HPP

#include <array>
#include <cstddef>
#include <string_view>

namespace asio_retry::http::detail {

/// The longest path of a pattern. What of a request's path is longer cannot decide anything.
inline constexpr std::size_t longest_pattern = 1024;

/// A path without query, with its percent-encoding normalised (RFC 3986 6.2.2.1 and 6.2.2.2):
/// unreserved characters as themselves, other triplets in upper case, and stars as triplets.
/** A view of the given path where that is so already; else of a copy in this object, which ends one
    character behind the longest pattern. Never allocates. Must not move. */
class normal_path {
public:
    explicit normal_path(std::string_view path) noexcept;
    normal_path(const normal_path&) = delete;
    normal_path& operator=(const normal_path&) = delete;

    std::string_view text() const noexcept { return text_; }

private:
    void decode(std::string_view path) noexcept;

    std::string_view text_;
    std::array<char, longest_pattern + 3> buffer_;  // only where it is needed
};

}  // namespace asio_retry::http::detail

#endif
