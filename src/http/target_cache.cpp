// SPDX-License-Identifier: BSL-1.0
#include "http/target_cache.hpp"

#include "http/route.hpp"

#include <functional>
#include <mutex>
#include <utility>

namespace asio_retry::http::detail {

std::shared_ptr<const target> target_cache::parse(std::string_view url,
                                                  const client_config& config,
                                                  error_code& ec) {
    entry& place = entries_[std::hash<std::string_view>()(url) % places];
    ec = {};
    {
        const std::lock_guard lock(mutex_);
        if (place.to && place.url == url) return place.to;
    }
    auto fresh = std::make_shared<target>();
    ec = parse_target(url, *fresh);
    if (!ec) fresh->via = proxy_to(config, *fresh);
    // Credentials are not kept for longer than they are needed.
    if (ec || url.size() > longest || !fresh->authorization.empty()) return fresh;
    entry old{std::string(url), fresh};
    const std::lock_guard lock(mutex_);
    std::swap(place, old);
    return fresh;
}

}  // namespace asio_retry::http::detail
