// Turns a body in the codings of its Content-Encoding into the plain one, piece by piece.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CONTENT_DECODER_HPP
#define ASIO_RETRY_SRC_HTTP_CONTENT_DECODER_HPP

#include "http/content_coding.hpp"
#include <asio_retry/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::http::detail {

/// Decodes one body after the other, each between `begin` and `finish`.
/** After an error only `begin` may be called. A decoder holds at most some 50 KiB for gzip and
    deflate, and 16 MiB and some for a brotli stream that asks for the largest window. */
class content_decoder {
public:
    /// Output below this size is not held to the ratio, in bytes: a page of blanks is no attack.
    static constexpr std::uint64_t ratio_floor = 1024 * 1024;
    /// More codings than anybody applies to one body.
    static constexpr std::size_t max_codings = 2;

    /// `max_size`: bound on the plain body, in bytes. `max_ratio`: bound on bytes that come out for
    /// each byte that goes in, above `ratio_floor`; deflate reaches 1032, brotli millions.
    content_decoder(std::uint64_t max_size, std::uint64_t max_ratio) noexcept
        : max_size_(max_size), max_ratio_(max_ratio) {}

    /// Starts a body, given the value of Content-Encoding; several fields are joined by commas.
    /** Where all of it is there already, `size` has the ratio counted against the whole from the
        start. Empty and "identity" are no coding: the body is passed on, and held to `max_size`
        alone.
        Errors: `unsupported_encoding` for a coding that is not known, or more than
        `max_codings`. */
    error_code begin(std::string_view content_encoding, std::uint64_t size = 0);

    /// Whether there is anything to decode.
    bool active() const noexcept { return !stages_.empty(); }

    /// Appends to `out` what can be decoded once `in` has come; stops after some `most` bytes.
    /** Takes from the front of `in` what it has dealt with. To be called again, with the same `in`,
        as long as `stopped()`. `out` gets no more than `max_size` bytes since `begin`, and goes
        past the ratio by 16 KiB at most. Errors: `malformed_encoding`, `body_too_large`,
        `excessive_expansion`, `not_enough_memory`; what came before the fault may have been
        appended. */
    error_code write_some(std::string_view& in, std::string& out, std::size_t most);
    bool stopped() const noexcept { return stopped_; }

    /// Tells whether the body was whole. A body without a single byte is, in any coding.
    /** Errors: `incomplete_encoding`. */
    error_code finish() const noexcept;

private:
    class stage {
    public:
        explicit stage(std::unique_ptr<content_coding> c) noexcept : coding(std::move(c)) {}

        std::unique_ptr<content_coding> coding;
        std::uint64_t written = 0;
        std::string_view input;        ///< what is left of what the stage before has written
        std::unique_ptr<char[]> room;  ///< where that has written it
        bool has_more = false;         ///< without more input
        bool begun = false;
    };

    std::size_t read(std::size_t end, std::string_view& in, std::span<char> out, error_code& ec);
    bool refill(std::size_t index, std::string_view& in, error_code& ec);
    error_code deliver(std::string_view plain, std::string& out);
    bool excessive(std::uint64_t written) const noexcept;

    /// The first is the coding that was applied last.
    std::vector<stage> stages_;
    std::uint64_t max_size_;
    std::uint64_t max_ratio_;
    std::uint64_t taken_ = 0;
    std::uint64_t counted_ = 0;  // for the ratio: what has been taken or is known to come
    std::uint64_t delivered_ = 0;
    bool stopped_ = false;
};

}  // namespace asio_retry::http::detail

#endif
