// One connection of a fault_server: reads requests, meets them with their faults.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_TESTING_FAULT_CONNECTION_HPP
#define ASIO_RETRY_SRC_TESTING_FAULT_CONNECTION_HPP

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <testing/fault_counts.hpp>
#include <testing/fault_echo.hpp>
#include <testing/fault_link.hpp>
#include <testing/fault_plan.hpp>
#include <testing/fault_response.hpp>
#include <testing/work_line.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::testing::detail {

/// What the connections of a server share.
struct fault_server_state {
    explicit fault_server_state(const fault_script& script) : plan(script), line(script) {}

    const fault_plan plan;
    work_line line;
    const std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
    fault_counts counts;
    std::chrono::nanoseconds idle_timeout{};
    std::uint64_t body_limit = 0;
    std::function<void(std::string_view)> log;
};

class fault_connection {
public:
    fault_connection(std::shared_ptr<fault_link> link, std::shared_ptr<fault_server_state> server);

    /// Serves until the connection ends; keeps `self` alive.
    static boost::asio::awaitable<void> run(std::shared_ptr<fault_connection> self);

private:
    using error_code = boost::system::error_code;
    using parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;
    enum class next { request, end };

    boost::asio::awaitable<next> exchange();
    boost::asio::awaitable<error_code> read_more();
    boost::asio::awaitable<error_code> read_head();
    boost::asio::awaitable<error_code> read_body();
    boost::asio::awaitable<next> refuse(error_code why);
    boost::asio::awaitable<next> answer_stats();
    boost::asio::awaitable<next> meet(fault_decision decision);
    boost::asio::awaitable<void> silence();
    response make_response(const fault_decision& decision);
    /// Sends the response, or half of it; slowly where there is an interval.
    boost::asio::awaitable<error_code> send(response message,
                                            bool whole,
                                            std::chrono::nanoseconds interval);
    boost::asio::awaitable<error_code> emit(std::string_view bytes,
                                            std::chrono::nanoseconds interval,
                                            bool last = false);
    boost::asio::awaitable<next> finish();
    void note_head();
    void log(std::string_view what);

    std::shared_ptr<fault_link> link_;
    std::shared_ptr<fault_server_state> server_;
    boost::beast::flat_buffer buffer_;
    std::vector<char> piece_;  // of a request's body

    // Of the request at hand.
    std::optional<parser> parser_;
    std::optional<fault_echo> echo_;
    std::string method_;
    std::string path_;
    std::uint64_t ordinal_ = 0;
    bool keep_alive_ = false;
    bool expects_continue_ = false;
    bool too_large_ = false;
    bool is_success_ = false;  // to be counted as one once it is sent
};

}  // namespace asio_retry::testing::detail

#endif
