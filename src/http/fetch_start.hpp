// What a fetch begins with: the request, where it goes, and how it is to be treated.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FETCH_START_HPP
#define ASIO_RETRY_SRC_HTTP_FETCH_START_HPP

#include "http/client_state.hpp"
#include "http/target.hpp"
#include <asio_retry/http/client.hpp>
#include <asio_retry/http/endpoint_registry.hpp>

#include <memory>

namespace asio_retry::http::detail {

/// The endpoint of a request, of those of the client.
endpoint_handle endpoint_of(client_state& state, const request& r, const target& to);

/// The policy, with the budget and the breaker of the endpoint where it has none of its own.
fetch_policy with_guards(fetch_policy p, const endpoint_handle& e);

/// Counts the end of a call.
void count_end(endpoint_counters& c, reason why) noexcept;

/// Taken apart and looked up once for all of the call's attempts and lanes. A value.
class fetch_start {
public:
    fetch_start(client_state& state, request&& r, fetch_terms&& t);

    /// The next hop of a redirection. It has the endpoint that the caller named if it stays at the
    /// origin.
    void redirect(client_state& state, request r);

    request what;
    error_code error;                  ///< of the URL
    std::shared_ptr<const target> to;  ///< never null
    fetch_terms terms;
    endpoint_handle endpoint;  ///< leads nowhere after an error
    fetch_policy policy;

private:
    void look_up(client_state& state);
};

}  // namespace asio_retry::http::detail

#endif
