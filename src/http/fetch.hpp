// The coroutine that drives a fetch.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FETCH_HPP
#define ASIO_RETRY_SRC_HTTP_FETCH_HPP

#include "http/client_state.hpp"
#include "http/fetch_lane.hpp"
#include "http/fetch_place.hpp"
#include <asio_retry/http/client.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>

namespace asio_retry::http::detail {

/// Fetches as `client::try_fetch` does. `operation`, if not null, is told what failed, for a text.
asio::awaitable<fetch_result> fetch(std::shared_ptr<client_state> state,
                                    request&& r,
                                    fetch_terms&& terms,
                                    std::string* operation);

/// The same without hedging, or one lane of a hedged fetch. The text may be of a lane that lost.
asio::awaitable<fetch_result> run_fetch(fetch_place_ptr begin);

}  // namespace asio_retry::http::detail

#endif
