// What went wrong with a fetch, and what would help, in a person's words.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_FAILURE_HPP
#define ASIO_RETRY_TOOL_FETCH_FAILURE_HPP

#include <tool/fetch_options.hpp>
#include <tool/fetch_report.hpp>

#include <string>

namespace asio_retry::tool {

/// "GET http://127.0.0.1:8080/a: 503 after 4 attempts in 1.7 s (attempts_exhausted)"
std::string failure_text(const call_outcome& call);

/// What would have helped, where something can be said; "" otherwise.
std::string failure_hint(const call_outcome& call, const fetch_options& options);

}  // namespace asio_retry::tool

#endif
