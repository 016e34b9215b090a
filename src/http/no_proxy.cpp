// SPDX-License-Identifier: BSL-1.0
#include "http/no_proxy.hpp"

#include <asio_retry/error.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/beast/core/string.hpp>

#include <charconv>
#include <optional>
#include <string>

namespace asio_retry::http::detail {

namespace {

namespace ip = boost::asio::ip;

bool same_text(std::string_view a, std::string_view b) {
    return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

std::string_view without_last_dot(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    return name;
}

std::optional<ip::address> to_address(std::string_view text) {
    error_code ec;
    auto address = ip::make_address(std::string(text), ec);
    if (ec) return std::nullopt;
    return address;
}

/// Takes ":8080" off the end of an entry. Nothing if there is no port.
std::optional<std::uint16_t> split_port(std::string_view& entry) {
    const auto colon = entry.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const bool ipv6_alone = entry.find(':') != colon && entry[colon - 1] != ']';
    if (ipv6_alone) return std::nullopt;
    const std::string_view digits = entry.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    entry = entry.substr(0, colon);
    return port;
}

template <typename Address, typename MakeNetwork>
bool same_network(const Address& a, const Address& b, std::string_view bits, MakeNetwork network) {
    unsigned short length = 0;
    const auto [end, failure] = std::from_chars(bits.data(), bits.data() + bits.size(), length);
    if (failure != std::errc() || end != bits.data() + bits.size()) return false;
    if (length > a.to_bytes().size() * 8) return false;
    return network(a, length).canonical() == network(b, length).canonical();
}

bool names_address(std::string_view entry, const ip::address& host) {
    if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
    const auto slash = entry.find('/');
    const auto address = to_address(entry.substr(0, slash));
    if (!address || address->is_v4() != host.is_v4()) return false;
    if (slash == std::string_view::npos) return *address == host;
    const auto bits = entry.substr(slash + 1);
    if (host.is_v4()) {
        return same_network(address->to_v4(), host.to_v4(), bits, [](const auto& a, auto n) {
            return ip::make_network_v4(a, n);
        });
    }
    return same_network(address->to_v6(), host.to_v6(), bits, [](const auto& a, auto n) {
        return ip::make_network_v6(a, n);
    });
}

/// The host itself, or one below it.
bool names_domain(std::string_view entry, std::string_view host) {
    entry = without_last_dot(entry);
    if (entry.starts_with('.')) entry.remove_prefix(1);
    if (entry.empty() || host.size() < entry.size()) return false;
    if (!same_text(host.substr(host.size() - entry.size()), entry)) return false;
    return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

}  // namespace

bool is_listed(std::string_view list, std::string_view host, std::uint16_t port) {
    constexpr std::string_view separators = ", \t";
    host = without_last_dot(host);
    const auto address = to_address(host);
    while (!list.empty()) {
        const auto end = list.find_first_of(separators);
        std::string_view entry = list.substr(0, end);
        list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
        if (entry.empty()) continue;
        const auto its_port = split_port(entry);
        if (its_port && *its_port != port) continue;
        if (entry == "*") return true;
        if (address ? names_address(entry, *address) : names_domain(entry, host)) return true;
    }
    return false;
}

}  // namespace asio_retry::http::detail
