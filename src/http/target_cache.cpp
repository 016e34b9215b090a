// SPDX-License-Identifier: BSL-1.0
#include "http/target_cache.hpp"

#include "http/route.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <utility>

namespace asio_retry::http::detail {

namespace {

/// Of the length and the last bytes, in which the URLs of a program differ most: a hash of it all
/// would cost more than the comparison that follows.
std::size_t place_of(std::string_view url, std::size_t places) noexcept {
    std::uint64_t tail = 0;
    const std::size_t n = std::min(url.size(), sizeof tail);
    std::memcpy(&tail, url.data() + url.size() - n, n);
    return static_cast<std::size_t>(((tail + url.size()) * 0x9E3779B97F4A7C15) >> 32) % places;
}

}  // namespace

std::shared_ptr<const target> target_cache::parse(std::string_view url,
                                                  const client_config& config,
                                                  error_code& ec) {
    entry& place = entries_[place_of(url, places)];
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
