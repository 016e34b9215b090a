// SPDX-License-Identifier: BSL-1.0
#include "http/failed_addresses.hpp"

#include <algorithm>

namespace asio_retry::http::detail {

std::string text_of(const asio::ip::tcp::endpoint& e) {
    const std::string address = e.address().to_string();
    const std::string host = e.address().is_v6() ? "[" + address + "]" : address;
    return host + ":" + std::to_string(e.port());
}

void failed_addresses::failed(const std::string& address, steady_time now) {
    const std::lock_guard lock(mutex_);
    known_.put(address, {}, saturating_add(now, remembered), now);
}

void failed_addresses::worked(std::string_view address) {
    const std::lock_guard lock(mutex_);
    known_.erase(address);
}

void failed_addresses::put_last(endpoints& all, steady_time now) {
    const std::lock_guard lock(mutex_);
    if (known_.empty() || all.size() < 2) return;
    std::stable_partition(all.begin(), all.end(), [&](const asio::ip::tcp::endpoint& e) {
        return known_.find(text_of(e), now) == nullptr;
    });
}

}  // namespace asio_retry::http::detail
