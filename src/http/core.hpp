// The parts of the core's inside that the client is built on, under its own roof.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CORE_HPP
#define ASIO_RETRY_SRC_HTTP_CORE_HPP

#include <asio_retry/detail/retry_call.hpp>
#include <asio_retry/detail/timed_wait.hpp>
#include <asio_retry/detail/timer_service.hpp>

#include <boost/asio/cancellation_state.hpp>

namespace asio_retry::http::detail {

namespace asio = boost::asio;

using asio_retry::detail::nanoseconds;
using asio_retry::detail::retry_action;
using asio_retry::detail::retry_call;
using asio_retry::detail::saturating_add;
using asio_retry::detail::timed_wait;
using asio_retry::detail::timer_entry;
using asio_retry::detail::timer_event;
using asio_retry::detail::timer_service;
using asio_retry::detail::wait_result;

/// Of `co_await asio::this_coro::cancellation_state`. Looked at after every wait: a cancellation
/// that comes when a completion is already on its way would be lost otherwise.
inline bool is_cancelled(const asio::cancellation_state& s) noexcept {
    return s.cancelled() != asio::cancellation_type::none;
}

}  // namespace asio_retry::http::detail

#endif
