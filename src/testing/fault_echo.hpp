// What /.echo answers: the request as the server saw it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_TESTING_FAULT_ECHO_HPP
#define ASIO_RETRY_SRC_TESTING_FAULT_ECHO_HPP

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace asio_retry::testing::detail {

/// Digests a body as it comes; keeps the first 64 KiB.
class fault_echo {
public:
    fault_echo();
    ~fault_echo();
    fault_echo(const fault_echo&) = delete;
    fault_echo& operator=(const fault_echo&) = delete;

    void append(std::string_view bytes);
    /// Ends the digest; call it once.
    std::string to_json(const boost::beast::http::header<true>& request);

private:
    struct digest;
    std::unique_ptr<digest> digest_;
    std::uint64_t size_ = 0;
    std::string text_;
};

}  // namespace asio_retry::testing::detail

#endif
