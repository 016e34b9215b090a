// The line an attempt that --timeline prints while it runs.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_TIMELINE_HPP
#define ASIO_RETRY_TOOL_FETCH_TIMELINE_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/observer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::tool {

enum class colour : bool { off, on };

/// A duration for a column: "0.9 ms", "153 ms", "1.71 s", "2 m 5 s".
std::string short_duration(std::chrono::nanoseconds d);

/// Prints one line an attempt, in columns:
/**
       time  url   try  result                took  then
      0.000  /a      1  503 server          1.1 ms  again in 150 ms (backoff)
      0.151  /a      2  200                 0.9 ms  done

    `time` is seconds from the start of the program to the start of the attempt. */
class timeline {
public:
    using sink = std::function<void(const std::string& line)>;

    /// The labels are as wide as the longest of the URLs needs.
    timeline(const std::vector<std::string>& urls, colour colours, sink print);

    /// Watches one call, which starts now, and prints its attempts.
    std::shared_ptr<observer> watch(std::size_t url);
    /// The call is over; prints what it was not clear of before that it was the last.
    void end(std::size_t url);

    /// The columns' names.
    void print_title();

private:
    class watcher;

    std::chrono::nanoseconds now() const;
    void print(std::string_view label,
               std::chrono::nanoseconds at,
               const attempt_record& attempt,
               const std::string& then);
    std::string paint(const std::string& text, const char* code) const;

    std::vector<std::string> labels_;
    std::size_t label_width_ = 3;
    colour colours_;
    sink print_;
    steady_time start_;
    std::vector<std::shared_ptr<watcher>> watchers_;  // of the calls in progress
};

}  // namespace asio_retry::tool

#endif
