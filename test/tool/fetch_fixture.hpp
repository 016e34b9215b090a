// What the tests that run `asio-retry fetch` as a person does have in common.
#pragma once

#include "tool/tool_process.hpp"
#include <asio_retry/testing/fault_server.hpp>

#include <boost/json.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace asio_retry::test {

using words = std::vector<std::string>;

inline const words quick{"--backoff", "constant:5ms", "--jitter", "none"};

inline words operator+(words a, const words& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

inline testing::fault_script failing(unsigned times,
                                     testing::fault what,
                                     const std::string& body = "hello\n") {
    testing::fault_script script;
    script.defaults().fail_first(times, what).body(body);
    return script;
}

class Fetch : public ::testing::Test {
protected:
    std::string file(const char* name) const { return (directory_.path() / name).string(); }

    /// Runs a fetch that writes a report, and answers its lines.
    std::vector<boost::json::value> report_of(const words& arguments) {
        result_ = fetch(words{"-s", "--report", file("report")} + quick + arguments);
        return lines_of_json(contents_of(file("report")));
    }

    temporary_directory directory_;
    tool_result result_;
};

}  // namespace asio_retry::test
