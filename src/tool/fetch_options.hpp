// What a fetch was told on the command line, checked, before anything is sent.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_OPTIONS_HPP
#define ASIO_RETRY_TOOL_FETCH_OPTIONS_HPP

#include <asio_retry/backoff.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::tool {

/// A name and a value, as `-H` gave them.
using header_field = std::pair<std::string, std::string>;

/// `--resolve`: connections to host:port go to these addresses.
struct resolve_rule {
    std::string host;
    std::uint16_t port = 0;
    std::vector<std::string> addresses;
};

/// Where the Idempotency-Key comes from.
enum class key_choice : std::uint8_t { none, given, made_up };

/// The values of all options; what is not set has the default that the library gives it.
struct fetch_options {
    using duration = std::chrono::nanoseconds;

    std::vector<std::string> urls;

    // The request.
    std::string method;  ///< GET, POST with data, HEAD with -I, or what -X says
    std::vector<header_field> headers;
    std::vector<std::string> removed_headers;  ///< lower case: `-H 'Content-Type:'`
    std::optional<std::string> data;
    std::string data_file;  ///< a large file that is the data, in place of `data`; empty: none
    bool has_data() const noexcept { return data || !data_file.empty(); }
    bool idempotent = false;
    key_choice key = key_choice::none;
    std::string idempotency_key;
    bool compressed = false;

    // The connection.
    bool insecure = false;
    std::string ca_file;
    std::string certificate_file;
    std::string key_file;
    std::vector<resolve_rule> resolve;
    std::optional<std::string> proxy;     ///< a URL, perhaps with credentials; empty: none
    std::optional<std::string> no_proxy;  ///< in place of the environment's
    std::string unix_socket;              ///< empty: none
    std::optional<duration> connect_timeout;
    bool follow = false;
    std::optional<unsigned> max_redirects;
    bool parallel = false;
    unsigned parallel_max = 50;

    // The retries. What is set here takes the place of what the policy file says.
    std::string policy_file;  ///< empty: none
    std::optional<unsigned> max_attempts;
    std::optional<duration> attempt_timeout;
    std::optional<duration> total_timeout;
    std::optional<asio_retry::backoff> schedule;
    std::optional<jitter> spread;  ///< of the schedule that holds otherwise
    std::optional<duration> max_retry_after;
    std::vector<unsigned> retry_status;
    std::optional<duration> hedge;

    // The output.
    bool head_only = false;
    bool include_head = false;
    std::vector<std::string> output_files;  ///< the n-th is the n-th URL's; "-" is standard output
    bool resume = false;                    ///< `-C -`
    bool silent = false;
    bool verbose = false;
    std::string report_file;  ///< empty: none; "-": standard output
    bool timeline = false;
};

}  // namespace asio_retry::tool

#endif
