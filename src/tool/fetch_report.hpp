// The line of JSON that --report writes for a URL.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_REPORT_HPP
#define ASIO_RETRY_TOOL_FETCH_REPORT_HPP

#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/report.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace asio_retry::tool {

/// What is told of a call that has ended, whether it had a response or not.
class call_outcome {
public:
    call_outcome() = default;

    std::string method;
    std::string url;          ///< without credentials
    int status = 0;           ///< of the final response; 0 if there is none
    std::string location;     ///< of the final response: where it redirects to
    std::string retry_after;  ///< of the final response: what the server asked for
    std::uint64_t bytes = 0;  ///< of the final response's body, or of the file it is now
    bool has_all = false;     ///< the final response said that nothing is missing of the file
    error_code error;         ///< what the call ended with instead of a response
    error_code output_error;  ///< what kept its body from being written
    retry_report report;
    std::optional<http::fetch_policy> policy;  ///< that it began with, where it got so far

    bool has_response() const noexcept { return status != 0; }
    bool is_2xx() const noexcept { return status >= 200 && status < 300; }
    /// Whether all that was asked for is there.
    bool is_whole() const noexcept { return is_2xx() || has_all; }
};

/// The line, without its end.
std::string report_line(const call_outcome& call);

}  // namespace asio_retry::tool

#endif
