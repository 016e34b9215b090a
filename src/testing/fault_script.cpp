// The values of a script, each checked where it is set.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/testing/fault_script.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace asio_retry::testing {
namespace {

constexpr std::array<std::pair<fault_kind, std::string_view>, 7> named_kinds{{
    {fault_kind::none, "none"},
    {fault_kind::reset, "reset"},
    {fault_kind::close, "close"},
    {fault_kind::truncate, "truncate"},
    {fault_kind::stall, "stall"},
    {fault_kind::stall_body, "stall_body"},
    {fault_kind::drip, "drip"},
}};

std::string number(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return std::string(text.data(), end);
}

void check_rates(const std::string& where, const std::map<fault, double>& rates) {
    double sum = 0;
    for (const auto& [what, share] : rates) sum += share;
    constexpr double rounding = 1e-9;
    if (sum > 1 + rounding) {
        throw std::invalid_argument(where + ": the rates sum to " + number(sum) +
                                    "; lower them to 1 at most");
    }
}

}  // namespace

fault::fault(fault_kind kind) : kind_(kind) {
    if (kind == fault_kind::status) {
        throw std::invalid_argument("a fault of kind status needs its code: fault::status(503)");
    }
}

fault fault::status(int code) {
    if (code < 200 || code > 599) {
        throw std::invalid_argument(std::to_string(code) +
                                    " is not a final status; write one from 200 to 599");
    }
    fault made;
    made.kind_ = code == 200 ? fault_kind::none : fault_kind::status;
    made.code_ = code;
    return made;
}

fault fault::parse(std::string_view text) {
    for (const auto& [kind, name] : named_kinds) {
        if (name == text) return fault(kind);
    }
    int code = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), code);
    if (text.size() == 3 && result.ec == std::errc{} && result.ptr == text.data() + text.size()) {
        return status(code);
    }
    throw std::invalid_argument(
        "'" + std::string(text) +
        "' is not a fault; write a status, say 503, or one of reset, close, "
        "truncate, stall, stall_body, drip, none");
}

std::string fault::name() const {
    for (const auto& [kind, name] : named_kinds) {
        if (kind == kind_) return std::string(name);
    }
    return std::to_string(code_);
}

fault_rule::fault_rule(std::string prefix) : prefix_(std::move(prefix)) {
    if (!prefix_.starts_with('/')) {
        throw std::invalid_argument("'" + prefix_ + "' is not a path; begin it with '/'");
    }
}

fault_rule& fault_rule::method(std::string name) {
    const auto is_upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_upper)) {
        throw std::invalid_argument("'" + name + "' is not a method; write it as in POST");
    }
    method_ = std::move(name);
    return *this;
}

fault_rule& fault_rule::rate(fault what, double share) {
    if (!(share >= 0 && share <= 1)) {
        throw std::invalid_argument(number(share) + " is not a rate; write a number from 0 to 1");
    }
    if (what.kind() == fault_kind::none) {
        throw std::invalid_argument("200 is what the other rates leave; it has no rate of its own");
    }
    if (!rates_) rates_.emplace();
    (*rates_)[what] = share;
    return *this;
}

fault_rule& fault_rule::max_in_a_row(unsigned count) {
    if (count == 0) throw std::invalid_argument("max_in_a_row is 0; write at least 1");
    max_in_a_row_ = count;
    return *this;
}

fault_rule& fault_rule::fail_first(unsigned count, fault what) {
    constexpr unsigned most = 100'000;
    if (count > most) {
        throw std::invalid_argument("fail_first is " + std::to_string(count) + "; write at most " +
                                    std::to_string(most));
    }
    return sequence(std::vector<fault>(count, what));
}

fault_rule& fault_rule::sequence(std::vector<fault> faults) {
    sequence_ = std::move(faults);
    return *this;
}

fault_rule& fault_rule::latency(std::chrono::nanoseconds least, std::chrono::nanoseconds most) {
    if (least.count() < 0) throw std::invalid_argument("the latency is negative; write 0 or more");
    if (most < least) {
        throw std::invalid_argument("the latency ends before it begins; write 5ms..20ms");
    }
    latency_least_ = least;
    latency_most_ = most;
    return *this;
}

fault_rule& fault_rule::drip_interval(std::chrono::nanoseconds interval) {
    if (interval.count() < 0) {
        throw std::invalid_argument("the drip interval is negative; write 0 or more");
    }
    drip_interval_ = interval;
    return *this;
}

fault_rule& fault_rule::retry_after(std::string value) {
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
        throw std::invalid_argument("Retry-After has a line break or a NUL; leave it out");
    }
    retry_after_ = std::move(value);
    return *this;
}

fault_rule& fault_rule::body(std::string text) {
    body_ = std::move(text);
    body_size_.reset();
    return *this;
}

fault_rule& fault_rule::body_size(std::uint64_t bytes) {
    body_size_ = bytes;
    body_.reset();
    return *this;
}

fault_rule& fault_rule::chunked(bool on) {
    chunked_ = on;
    return *this;
}

fault_script& fault_script::seed(std::uint64_t value) {
    seed_ = value;
    return *this;
}

fault_script& fault_script::capacity(double requests_per_second) {
    if (!(requests_per_second >= 1e-3 && requests_per_second <= 1e6)) {
        throw std::invalid_argument(number(requests_per_second) +
                                    " is not a capacity; write requests a second, 0.001 to 1e6");
    }
    work_ = std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::duration<double>(1 / requests_per_second));
    return *this;
}

fault_script& fault_script::outage(std::chrono::nanoseconds from, std::chrono::nanoseconds to) {
    if (from.count() < 0) throw std::invalid_argument("the outage begins before the start");
    if (to < from) {
        throw std::invalid_argument("the outage ends before it begins; write 10s..20s");
    }
    outage_from_ = from;
    outage_to_ = to;
    return *this;
}

fault_script& fault_script::add(fault_rule rule) {
    rules_.push_back(std::move(rule));
    return *this;
}

void fault_script::validate() const {
    if (defaults_.rates_) check_rates("defaults", *defaults_.rates_);
    for (std::size_t i = 0; i < rules_.size(); ++i) {
        const auto& rule = rules_[i];
        if (rule.rates_) check_rates("rules[" + std::to_string(i) + "]", *rule.rates_);
    }
}

}  // namespace asio_retry::testing
