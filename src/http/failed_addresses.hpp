// The addresses that failed lately, which are tried after the others.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FAILED_ADDRESSES_HPP
#define ASIO_RETRY_SRC_HTTP_FAILED_ADDRESSES_HPP

#include "http/core.hpp"
#include "http/expiring_map.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace asio_retry::http::detail {

using endpoints = std::vector<asio::ip::tcp::endpoint>;

/// "127.0.0.1:8080", "[::1]:8080"
std::string text_of(const asio::ip::tcp::endpoint& e);

/// Thread-safe. Addresses are named with their port, as texts.
class failed_addresses {
public:
    /// Long enough for the retries of a call, short enough for a server that restarts.
    static constexpr nanoseconds remembered = std::chrono::seconds(30);
    static constexpr std::size_t most = 1024;

    /// Connecting to it or an exchange with it has failed.
    void failed(const std::string& address, steady_time now);
    /// It has been connected to.
    void worked(std::string_view address);

    /// Puts those that failed lately behind the others; within both the order stays.
    void put_last(endpoints& all, steady_time now);

private:
    std::mutex mutex_;
    expiring_map<std::monostate> known_{most};
};

}  // namespace asio_retry::http::detail

#endif
