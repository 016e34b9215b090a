// SPDX-License-Identifier: BSL-1.0
#include "http/fetch_lane.hpp"

#include <algorithm>

namespace asio_retry::http::detail {

retry_policy fetch_lane::shape(retry_policy p) {
    if (index_ != 0) {
        p.deadline(std::min(p.deadline(), saturating_add(call_start_, p.total_timeout())));
        p.total_timeout(retry_policy::unlimited).max_attempts(1);
        for (std::size_t i = 0; i < failure_kind_count; ++i) {
            const auto kind = static_cast<failure_kind>(i);
            if (p.on(kind).max_attempts()) p.on(kind, kind_limits());
        }
    }
    return p;
}

}  // namespace asio_retry::http::detail
