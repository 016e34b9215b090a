// Downloads into a file that is whole or as it was, resumed where they broke off.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_DOWNLOAD_HPP
#define ASIO_RETRY_HTTP_DOWNLOAD_HPP

#include <asio_retry/http/body_sink.hpp>

#include <cstdint>
#include <memory>
#include <string>

namespace asio_retry::http {

/// From where a download may be resumed.
enum class resumption : std::uint8_t {
    across_calls,  ///< also from what an earlier call left, of this process or one that was killed
    within_call    ///< only from what an earlier attempt of the call left; nothing stays after it
};

/// What is made of `Repr-Digest`, and of `Content-Digest` where that is of the whole (RFC 9530).
enum class digest_checking : std::uint8_t {
    off,        ///< nothing
    when_sent,  ///< asked for, and checked if there is one in sha-512 or sha-256
    required    ///< the same, and a response without one fails
};

/// How a download is made. Setters chain.
class download_options {
public:
    download_options() = default;

    /// Default `resumption::across_calls`.
    download_options& resume(resumption r) noexcept {
        resume_ = r;
        return *this;
    }
    resumption resume() const noexcept { return resume_; }

    /// Default `digest_checking::off`.
    download_options& digest(digest_checking d) noexcept {
        digest_ = d;
        return *this;
    }
    digest_checking digest() const noexcept { return digest_; }

private:
    resumption resume_ = resumption::across_calls;
    digest_checking digest_ = digest_checking::off;
};

/// A sink that makes a file of the body, and lets a call go on where its last attempt broke off.
/** What has come stands in `PATH.part`, which takes the place of PATH once it is whole and, where
    that was asked for, its digest is right; until then PATH is as it was. A PATH that is a symbolic
    link stays one.

    An attempt that follows a break asks for the rest, with Range and If-Range, if the response that
    broke off had a strong validator (RFC 9110 13.1.5) and was that of a GET of the same URL, which
    counts behind redirects; else it begins anew. What comes then:
    - 200 and other 2xx: the whole; the file begins anew
    - 206 of the rest, with the same validator and length: is added; if its body ends too early,
      which is `error::incomplete_response`, the next attempt goes on from there. Any other 206 is
      `error::wrong_range`, of kind connection_lost, and the next attempt begins anew
    - 416 that says that nothing is missing: the file is whole; the response has that status. Any
      other begins anew in the same way.
    A response that fails, or 412 for conditions of the caller's own, leaves the file alone and is
    answered as it is.

    Errors besides those of a fetch, each permanent:
    - `error::unasked_range`: the request has a Range of its own, or a 206 came that nobody asked
      for
    - `error::target_busy`: another download writes to PATH
    - `error::digest_mismatch`: the bytes are not those that the digest is of; they are removed
    - `error::no_digest`: one was required; what came is removed
    - what the system says of the files: no such directory, no space left, ...
    - `error::invalid_method`: a HEAD, which has no body
    Files are written, and digests computed, with calls that block. Bodies are asked for as they are
    (`Accept-Encoding: identity`, if the request has no such field of its own) and written as they
    come, whatever the policy says.

    The observer's `body_received` counts what was there as well. One sink serves one call at a
    time; files in use by a call belong to it until it ends. */
std::shared_ptr<body_sink> into_file(std::string path, download_options options = {});

}  // namespace asio_retry::http

#endif
