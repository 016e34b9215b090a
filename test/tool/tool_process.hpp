// Runs the built tool as a person would: arguments and standard input in, exit status and texts
// out.
#pragma once

#include "support/certificates.hpp"

#include <boost/json/value.hpp>

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace asio_retry::test {

/// What a run of the tool left behind.
struct tool_result {
    int status = -1;  ///< 128 + N if signal N ended it
    std::string out;
    std::string err;
};

/// The tool while it runs; ended with the object. Its output goes to files, and so never blocks it.
class tool_run {
public:
    /// For `standard_output`: the tool is to have none.
    static constexpr const char* closed = "(closed)";

    /// `standard_output` and `standard_error` name files to open for writing in place of the
    /// temporary ones.
    explicit tool_run(std::vector<std::string> arguments,
                      const std::string& standard_input = {},
                      const std::string& standard_output = {},
                      const std::string& standard_error = {});
    ~tool_run();
    tool_run(const tool_run&) = delete;
    tool_run& operator=(const tool_run&) = delete;

    void signal(int number) const;
    tool_result wait();
    /// Kills it if it has not ended by then.
    tool_result wait_at_most(std::chrono::seconds most);

private:
    std::string path(const char* name) const { return (directory_.path() / name).string(); }

    temporary_directory directory_;
    pid_t pid_ = -1;
};

/// `asio-retry fetch ARGUMENTS...`, to its end.
tool_result fetch(std::vector<std::string> arguments, const std::string& standard_input = {});

/// The lines of a report, parsed.
std::vector<boost::json::value> lines_of_json(const std::string& text);

std::string contents_of(const std::string& path);

}  // namespace asio_retry::test
