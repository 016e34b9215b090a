// What a failed response says of a repeat: not at all, or not before some time.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_SERVER_WORD_HPP
#define ASIO_RETRY_SRC_HTTP_SERVER_WORD_HPP

#include <boost/beast/http/fields.hpp>

#include <chrono>
#include <optional>

namespace asio_retry::http::detail {

class server_word {
public:
    server_word() = default;

    /// The longest wait that Retry-After or a pushback asks for; nothing if none does.
    std::optional<std::chrono::nanoseconds> wait;
    bool forbids_retry = false;
};

/// Reads Retry-After, X-Should-Retry and grpc-retry-pushback-ms.
/** `X-Should-Retry: false`, in any case of letters, forbids; any other value says nothing. The
    pushback is a number of milliseconds to wait; one that is negative, or no such number, forbids,
    as gRFC A6 has it. */
server_word server_word_of(const boost::beast::http::fields& fields,
                           std::chrono::system_clock::time_point now);

}  // namespace asio_retry::http::detail

#endif
