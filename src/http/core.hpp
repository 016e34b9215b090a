// The parts of the core's inside that the client is built on, under its own roof.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CORE_HPP
#define ASIO_RETRY_SRC_HTTP_CORE_HPP

#include <asio_retry/detail/retry_call.hpp>
#include <asio_retry/detail/timed_wait.hpp>
#include <asio_retry/detail/timer_service.hpp>

namespace asio_retry::http::detail {

namespace asio = boost::asio;

using asio_retry::detail::is_cancelled;
using asio_retry::detail::nanoseconds;
using asio_retry::detail::retry_action;
using asio_retry::detail::retry_call;
using asio_retry::detail::saturating_add;
using asio_retry::detail::timed_wait;
using asio_retry::detail::timer_entry;
using asio_retry::detail::timer_event;
using asio_retry::detail::timer_service;
using asio_retry::detail::wait_result;

}  // namespace asio_retry::http::detail

#endif
