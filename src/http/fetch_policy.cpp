// SPDX-License-Identifier: BSL-1.0
#include "http/wire.hpp"
#include <asio_retry/http/fetch_policy.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace asio_retry::http {

fetch_policy& fetch_policy::attempt_header(std::string name) {
    if (!name.empty() && !detail::is_token(name)) {
        throw std::invalid_argument("attempt_header: '" + name +
                                    "' is no name of a field; use X-Retry-Attempt, say");
    }
    if (detail::is_forbidden(name)) {
        throw std::invalid_argument("attempt_header: " + name +
                                    " is the client's own business; use X-Retry-Attempt, say");
    }
    edit().attempt_header = std::move(name);
    return *this;
}

}  // namespace asio_retry::http
