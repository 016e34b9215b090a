// Where a request's body comes from when it is not in memory: a file, a function, a stream.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_BODY_SOURCE_HPP
#define ASIO_RETRY_HTTP_BODY_SOURCE_HPP

#include <asio_retry/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace asio_retry::http {

namespace detail {

class body_origin;

}  // namespace detail

/// A body that is read piece by piece while it is sent, never held as a whole.
/** A value; copies share what they read from. A body of known length is sent with Content-Length,
    any other in chunks (RFC 9112 7.1), which a server of HTTP/1.0 does not understand.

    A body is replayable if it can be read from its beginning again. One that is not makes a call
    end with reason `body_not_replayable` where it would otherwise have sent its request once more;
    only as long as nothing has been read of it, the call goes on.

    Errors, of the call whose request it is, none of which is retried:
    - what the system says of a file (not there, not readable); `invalid_argument` if it is no
      regular file
    - what the reader throws: the code of a `system_error`, else
      `asio_retry::error::operation_threw`
    - `http::error::body_length`: it ended before the length that was given.

    Thread safety: distinct objects safe, but that a reader is the business of whoever wrote it. */
class body_source {
public:
    /// Fills some of `room` and answers how many bytes it has put there; 0 is the end.
    /** Runs on the executor of the call, one read at a time; cancelling the call reaches what it
        awaits. The call's timeouts do not: they are looked at between two reads. */
    using reader =
        std::function<boost::asio::awaitable<std::size_t>(boost::asio::mutable_buffer room)>;

    /// Makes a reader that begins at the first byte.
    using factory = std::function<reader()>;

    /// A regular file, opened anew for each attempt; replayable. Its length is that at the start of
    /// the call. Read with blocking calls, as regular files have no others without io_uring.
    static body_source file(std::string path);

    /// Replayable: `f` is called for each attempt. With a length, no more than that is read of it.
    static body_source made_by(factory f, std::optional<std::uint64_t> length = std::nullopt);

    /// Read once. With a length, no more than that is read of it.
    static body_source once(reader r, std::optional<std::uint64_t> length = std::nullopt);

    /// Whether it can be read from its beginning again.
    bool is_replayable() const noexcept;
    /// Whether nothing stands against reading it (again).
    bool can_be_read() const noexcept;

    /// How long it is, if that is known; for a file, now.
    std::optional<std::uint64_t> length(error_code& ec) const;

    /// A reader at its first byte. Precondition: `can_be_read()`.
    reader open(error_code& ec) const;

private:
    explicit body_source(std::shared_ptr<detail::body_origin> o) noexcept : origin_(std::move(o)) {}

    std::shared_ptr<detail::body_origin> origin_;
};

}  // namespace asio_retry::http

#endif
