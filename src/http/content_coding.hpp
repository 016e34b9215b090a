// The codings of a body (RFC 9110 8.4.1), each as a decoder that is fed piece by piece.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CONTENT_CODING_HPP
#define ASIO_RETRY_SRC_HTTP_CONTENT_CODING_HPP

#include <asio_retry/error.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace asio_retry::http::detail {

/// Decodes one body in one coding.
class content_coding {
public:
    virtual ~content_coding() = default;

    /// Takes from the front of `in`, writes to the front of `out`, and sets `written`.
    /** There may be more to write as long as `in` is not empty or the whole of `out` was filled.
        Errors: `malformed_encoding`, also for bytes behind the end; `not_enough_memory`. */
    virtual error_code decode(std::string_view& in, std::span<char> out, std::size_t& written) = 0;

    /// Whether the body may end here.
    virtual bool at_end() const noexcept = 0;
};

/// "gzip", "x-gzip", "deflate" or "br", in any case of letters; null for any other.
/** gzip may consist of several members. deflate is with the header and the checksum of zlib as it
    ought to be, or without them as some servers send it. */
std::unique_ptr<content_coding> make_content_coding(std::string_view name);

}  // namespace asio_retry::http::detail

#endif
