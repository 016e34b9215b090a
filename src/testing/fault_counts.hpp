// The numbers behind server_counts, filled by connections and read from any thread.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_TESTING_FAULT_COUNTS_HPP
#define ASIO_RETRY_SRC_TESTING_FAULT_COUNTS_HPP

#include <asio_retry/testing/fault_server.hpp>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace asio_retry::testing::detail {

class fault_counts {
public:
    void connection();
    void malformed();
    /// Counts a head, and answers how many times this was asked, from 1.
    std::uint64_t request(std::string_view method, std::string_view path);
    void received(std::string_view method, std::string_view path);
    void faulted(std::string_view method, std::string_view path, const fault& what);
    void succeeded(std::string_view method, std::string_view path);
    /// Takes back a succeeded() whose last bytes could not be sent.
    void not_succeeded(std::string_view method, std::string_view path);

    server_counts snapshot() const;
    void clear();

private:
    using row_key = std::pair<std::string, std::string>;  // path, method
    path_counts& at(std::string_view method, std::string_view path);

    mutable std::mutex mutex_;
    std::uint64_t connections_ = 0;
    std::uint64_t malformed_ = 0;
    std::map<row_key, path_counts> paths_;
};

/// The counts as the JSON of GET /.stats.
std::string to_json(const server_counts& counts);

}  // namespace asio_retry::testing::detail

#endif
