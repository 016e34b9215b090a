// SPDX-License-Identifier: BSL-1.0
#include "http/route.hpp"

#include "http/connect_race.hpp"

namespace asio_retry::http::detail {

const std::string* socket_to(const client_config& config, const target& to) {
    const std::string* for_all = nullptr;
    for (const socket_path& each : config.unix_socket()) {
        if (each.host().empty()) {
            for_all = &each.path();
        } else if (each.host() == to.host && each.port() == to.port) {
            return &each.path();
        }
    }
    return for_all;
}

const proxy* proxy_to(const client_config& config, const target& to) {
    const auto& chosen = to.tls ? config.proxies().https : config.proxies().http;
    if (!chosen || socket_to(config, to) != nullptr) return nullptr;
    return chosen->serves(to.host, to.port) ? &*chosen : nullptr;
}

next_stop::next_stop(const target& to)
    : host(to.via != nullptr ? to.via->host() : to.host),
      port(to.via != nullptr ? to.via->port() : to.port) {}

addresses known_addresses(const client_config& config, const next_stop& at) {
    addresses found;
    error_code ec;
    for (const fixed_address& each : config.resolve()) {
        if (each.host() != at.host || each.port() != at.port) continue;
        const auto address = asio::ip::make_address(each.address(), ec);
        if (!ec) found.push_back(address);
    }
    if (!found.empty()) return found;
    const auto address = asio::ip::make_address(at.host, ec);
    if (!ec) found.push_back(address);
    return found;
}

endpoints in_order(const addresses& found, std::uint16_t port) {
    endpoints result;
    for (const auto& each : interleave(found)) result.emplace_back(each, port);
    return result;
}

}  // namespace asio_retry::http::detail
