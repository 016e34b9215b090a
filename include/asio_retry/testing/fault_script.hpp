// What a fault_server does to the requests that it is sent: rates, sequences, latencies, bodies.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TESTING_FAULT_SCRIPT_HPP
#define ASIO_RETRY_TESTING_FAULT_SCRIPT_HPP

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::testing {

namespace detail {
class fault_plan;
class work_line;
}  // namespace detail

/// What happens to one request, after it was read.
enum class fault_kind : std::uint8_t {
    none,        ///< 200 with the whole body
    status,      ///< a status of choice, whole
    reset,       ///< RST instead of a response
    close,       ///< FIN instead of a response
    truncate,    ///< half of the response, then FIN
    stall,       ///< silence until the client gives up
    stall_body,  ///< half of the response, then silence until the client gives up
    drip         ///< the whole response, a byte at a time
};

/// One fault: a kind, and for `fault_kind::status` which.
class fault {
public:
    /// No fault: a 200.
    fault() = default;
    /// Every kind but `status`; throws std::invalid_argument for that one.
    explicit fault(fault_kind kind);
    /// An answer with `code`, 200 to 599; throws std::invalid_argument outside.
    static fault status(int code);
    /// The text of a script: "503", "200", "reset", "close", "truncate", "stall", "stall_body",
    /// "drip", "none". Throws std::invalid_argument.
    static fault parse(std::string_view text);

    fault_kind kind() const { return kind_; }
    /// The status that goes out where one does: 200 for the kinds that cut or slow an answer.
    int code() const { return code_; }
    /// The text that parse() reads: "503", "reset", "none".
    std::string name() const;

    friend auto operator<=>(const fault&, const fault&) = default;

private:
    fault_kind kind_ = fault_kind::none;
    int code_ = 200;
};

/// What happens to the requests of one path and method; the setters chain.
/** A rule holds only what was set; the rest comes from the script's defaults, option by option. One
    exception: a rule that states a sequence or a `fail_first` and no rates has no rates, so that
    what comes after the sequence succeeds.
    The setters throw std::invalid_argument for impossible values. */
class fault_rule {
public:
    fault_rule() = default;
    /// The rule of the paths that begin with `prefix` (the query does not count).
    explicit fault_rule(std::string prefix);

    /// Only requests with this method, say "POST". Default: any.
    fault_rule& method(std::string name);

    /// How many of the requests meet `what`: 0 to 1; the rates of a rule sum to at most 1.
    /** Of a status, say 503; `none` is no fault and has no rate. Default: no faults. */
    fault_rule& rate(fault what, double share);
    fault_rule& rate(int status, double share) { return rate(fault::status(status), share); }
    /// At most so many drawn faults in a row on one path and method; then one request succeeds.
    /** Gives a demo its end: a client with one attempt more than this always gets through.
        Default: no bound. At least 1. */
    fault_rule& max_in_a_row(unsigned count);

    /// The first `count` requests to each path and method meet `what`; comes before rates.
    fault_rule& fail_first(unsigned count, fault what = fault::status(503));
    /// The requests to each path and method meet these, in this order; comes before rates.
    fault_rule& sequence(std::vector<fault> faults);

    /// Every response waits so long, or so long at random from this range. Default: 0.
    fault_rule& latency(std::chrono::nanoseconds delay) { return latency(delay, delay); }
    fault_rule& latency(std::chrono::nanoseconds least, std::chrono::nanoseconds most);
    /// The pause between the bytes of a drip. Default: 50 ms.
    fault_rule& drip_interval(std::chrono::nanoseconds interval);

    /// The Retry-After field of every 429 and 503, and of 3xx: "2" or a date. Default: none.
    /** Sent as it is, so that malformed values can be tested; CR, LF and NUL are refused. */
    fault_rule& retry_after(std::string value);
    /// The body of a success, as text. Default: "hello\n".
    fault_rule& body(std::string text);
    /// The body of a success: so many bytes of a fixed pattern, whatever their number.
    fault_rule& body_size(std::uint64_t bytes);
    /// Successes go out in chunks, without Content-Length. Default: false.
    fault_rule& chunked(bool on = true);

private:
    friend class fault_script;
    friend class detail::fault_plan;

    std::string prefix_;
    std::optional<std::string> method_;
    std::optional<std::map<fault, double>> rates_;
    std::optional<unsigned> max_in_a_row_;
    std::optional<std::vector<fault>> sequence_;
    std::optional<std::chrono::nanoseconds> latency_least_, latency_most_;
    std::optional<std::chrono::nanoseconds> drip_interval_;
    std::optional<std::string> retry_after_;
    std::optional<std::string> body_;
    std::optional<std::uint64_t> body_size_;
    std::optional<bool> chunked_;
};

/// Everything that a fault_server does, as a value.
/** The fault of a request is a function of the seed, the method, the path and how many times that
    path was asked with that method: a run repeats, however its parallel connections interleave.

    As JSON (every key may be left out):

        { "seed": 7,
          "rates": {"503": 0.2, "429": 0.05, "reset": 0.05, "truncate": 0.03},
          "max_in_a_row": 3,
          "latency": "5ms..20ms", "retry_after": "1", "body_size": 4096,
          "capacity": 300, "outage": "10s..20s",
          "rules": [
            {"path": "/pay", "method": "POST", "sequence": ["503", "reset", "200"]},
            {"path": "/flaky", "fail_first": 2, "fail_with": "500"},
            {"path": "/slow", "rates": {"drip": 1}, "drip_interval": "20ms", "body": "done\n"} ] }

    A rule takes the keys of the top level but `seed`, `capacity`, `outage` and `rules`, with `path`
    and `method`. The first rule that matches a request is its rule.
    Thread safety: distinct objects safe, shared objects safe to read. */
class fault_script {
public:
    fault_script() = default;

    /// Reads a script; throws std::invalid_argument that says `name`, where in the JSON, what is
    /// wrong and what would be right. Unknown keys are refused.
    static fault_script from_json(std::string_view text, std::string_view name = "fault script");
    /// The same of a file; throws std::runtime_error when it cannot be read.
    static fault_script from_file(const std::string& path);

    /// Default 1.
    fault_script& seed(std::uint64_t value);
    /// How many requests a second are worked on, one after the other. Default: all at once.
    /** In the order of their arrival, also those that nobody waits for any more: a server that gets
        more than this falls behind, and stays so. From 1e-3 to 1e6. */
    fault_script& capacity(double requests_per_second);
    /// From when to when, since the server's start, no work is done: requests are left to wait.
    fault_script& outage(std::chrono::nanoseconds from, std::chrono::nanoseconds to);
    /// What requests meet that no rule names, and what rules do not say.
    fault_rule& defaults() { return defaults_; }
    /// Adds a rule after those there are.
    fault_script& add(fault_rule rule);

    /// Throws std::invalid_argument for what no setter alone can see: rates that sum to over 1.
    void validate() const;

private:
    friend class detail::fault_plan;
    friend class detail::work_line;

    std::uint64_t seed_ = 1;
    std::chrono::nanoseconds work_{0};  // on one request
    std::chrono::nanoseconds outage_from_{0};
    std::chrono::nanoseconds outage_to_{0};
    fault_rule defaults_;
    std::vector<fault_rule> rules_;
};

}  // namespace asio_retry::testing

#endif
