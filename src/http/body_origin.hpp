// What is behind a body_source.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_BODY_ORIGIN_HPP
#define ASIO_RETRY_SRC_HTTP_BODY_ORIGIN_HPP

#include <asio_retry/http/body_source.hpp>

#include <cstdint>
#include <optional>

namespace asio_retry::http::detail {

/// Shared by the copies of a body_source. Thread-safe.
class body_origin {
public:
    virtual ~body_origin() = default;
    body_origin(const body_origin&) = delete;
    body_origin& operator=(const body_origin&) = delete;

    virtual bool is_replayable() const noexcept { return true; }
    virtual bool can_be_read() const noexcept { return true; }
    virtual std::optional<std::uint64_t> length(error_code& ec) const = 0;
    virtual body_source::reader open(error_code& ec) = 0;

protected:
    body_origin() = default;
};

}  // namespace asio_retry::http::detail

#endif
