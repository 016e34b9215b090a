// Which methods are safe to repeat, and the key that makes other requests so.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_IDEMPOTENCY_HPP
#define ASIO_RETRY_SRC_HTTP_IDEMPOTENCY_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

/// Whether the method has the same effect once or many times: the idempotent ones of RFC
/// 9110 9.2.2, and QUERY (draft-ietf-httpbis-safe-method-w-body). Methods are case-sensitive.
bool is_idempotent_method(std::string_view method) noexcept;

/// A new Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a random UUID, from the
/// system's own randomness.
/** @throws std::exception if the system has no randomness. */
std::string make_idempotency_key();

/// The text of a UUID version 4 (RFC 9562 5.4) whose 122 free bits are taken from these.
std::string uuid_text(std::uint64_t high, std::uint64_t low);

}  // namespace asio_retry::http::detail

#endif
