// The bytes of a response, head and body, made piece by piece so that any size costs no memory.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_TESTING_FAULT_RESPONSE_HPP
#define ASIO_RETRY_SRC_TESTING_FAULT_RESPONSE_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace asio_retry::testing::detail {

/// Text, or so many bytes of a fixed pattern.
class response_body {
public:
    response_body() = default;
    explicit response_body(std::string text) : size_(text.size()), text_(std::move(text)) {}
    static response_body pattern(std::uint64_t size);

    std::uint64_t size() const { return size_; }
    /// At most `most` bytes from `offset`; valid until the body changes.
    std::string_view piece(std::uint64_t offset, std::uint64_t most) const;

private:
    std::uint64_t size_ = 0;
    bool is_pattern_ = false;
    std::string text_;
};

/// A response before it is sent.
class response {
public:
    response() = default;
    response(int status, response_body body, std::string content_type = "text/plain");

    int status = 200;
    response_body body;
    std::string content_type = "text/plain";
    std::string extra_fields;  ///< Whole lines, each with its CRLF.
    bool chunked = false;
    bool keep_alive = true;

    /// 204 and 304 have no body whatever the script says (RFC 9110, 15.3.5 and 15.4.5).
    bool status_has_body() const { return status != 204 && status != 304; }
    /// The status line and the fields, up to and with the blank line.
    std::string head() const;
};

std::string_view reason_phrase(int status);

}  // namespace asio_retry::testing::detail

#endif
