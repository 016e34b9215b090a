// What is written down of a download that is not whole yet, and its form as a text.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_PARTIAL_RECORD_HPP
#define ASIO_RETRY_SRC_HTTP_PARTIAL_RECORD_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

class partial_record {
public:
    partial_record() = default;

    /// Without credentials.
    std::string url;
    /// Strong, of the representation whose bytes the part holds.
    std::string validator;
    /// Of the whole representation, in bytes; nothing if it is not known.
    std::optional<std::uint64_t> length;
    /// How many bytes of the part have been synced: they are there even after a crash.
    std::uint64_t synced = 0;
    /// Names the time since the machine started, in which all bytes of the part were written.
    std::string boot;

    friend bool operator==(const partial_record&, const partial_record&) = default;
};

/// One line a member.
std::string print_partial_record(const partial_record& record);

/// The reverse; nothing if the text is not exactly what printing a record gives, cut short, say.
std::optional<partial_record> parse_partial_record(std::string_view text);

/// Whether a record can hold this as URL or validator: neither empty nor with a control character.
bool fits_partial_record(std::string_view text) noexcept;

}  // namespace asio_retry::http::detail

#endif
