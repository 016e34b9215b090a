// Prints what comes of the calls, in the order of their URLs, on a thread of its own.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_PRINTER_HPP
#define ASIO_RETRY_TOOL_FETCH_PRINTER_HPP

#include <asio_retry/error.hpp>

#include <boost/asio/thread_pool.hpp>

#include <tool/fetch_options.hpp>
#include <tool/fetch_output.hpp>
#include <tool/fetch_report.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace asio_retry::tool {

/// A call that has ended, with all that may be printed of it.
class finished_call {
public:
    std::size_t url = 0;  ///< which of the URLs
    call_outcome outcome;
    std::string head;
    std::string body;
    bool is_saved = false;  ///< its file is in place
    error_code file_error;  ///< what kept its file from being written
};

/// Takes finished calls in any order.
/** Whoever reads standard output or error may be slow: writing happens apart from the fetches,
    whose timeouts it would upset. An `-o` file is written as soon as its call has ended; standard
    output, messages and report follow the order of the URLs. */
class fetch_printer {
public:
    /// Opens the report; throws std::system_error if that cannot be done. `broken` is called from
    /// the printer's thread, once, when nobody reads standard output any more.
    fetch_printer(const fetch_options& options, std::function<void()> broken);

    /// From any thread.
    void print(finished_call call);
    /// Writes this to standard error, behind all that was handed over; a closed one is no error.
    void show(std::string text);
    /// From here on nothing waits for a reader; what would is left out.
    void interrupt() noexcept { interruption_.set(); }
    /// Calls `done` from the printer's thread after all that was handed over is printed.
    void when_done(std::function<void()> done);
    /// Ends the thread; no printing after this.
    void join();

    /// Whether something could not be written. Only after `join`.
    bool failed() const noexcept { return failed_; }

private:
    void say(const std::string& text) noexcept;
    void take(finished_call call);
    void print_in_turn(finished_call& call);
    void save(finished_call& call);
    void write_body(finished_call& call);
    void explain(const finished_call& call);
    void write_report(const finished_call& call);
    void fail(const std::string& what, const error_code& why);
    void fail_file(const finished_call& call, const error_code& why);

    const fetch_options& options_;
    std::function<void()> broken_;
    interruption interruption_;
    std::optional<line_file> report_;
    std::map<std::size_t, finished_call> waiting_;
    std::size_t next_ = 0;
    std::set<std::string> hints_given_;
    error_code standard_output_error_;
    bool failed_ = false;
    boost::asio::thread_pool thread_{1};
};

}  // namespace asio_retry::tool

#endif
