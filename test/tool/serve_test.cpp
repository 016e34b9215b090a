// `asio-retry serve`: its flags, and the tool itself as a process.
// SPDX-License-Identifier: BSL-1.0
#include "support/certificates.hpp"
#include "support/plain_client.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <testing/fault_plan.hpp>
#include <tool/serve_flags.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <stdexcept>
#include <string>
#include <vector>

namespace asio_retry::tool {
namespace {

using namespace std::chrono_literals;
using testing::fault;
using testing::fault_kind;
using testing::detail::fault_plan;

serve_options parsed(std::vector<std::string> arguments) {
    CLI::App app("test");
    const serve_flags flags(app);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants them
    app.parse(arguments);
    return flags.read();
}

std::string refusal(const std::vector<std::string>& arguments) {
    try {
        parsed(arguments);
    } catch (const CLI::ParseError& error) {
        return error.what();
    }
    return "(taken)";
}

fault first_fault(const serve_options& options) {
    return fault_plan(options.script).decide("GET", "/", 1).what;
}

TEST(ServeFlags, SetTheScript) {
    EXPECT_EQ(first_fault(parsed({})), fault());
    EXPECT_EQ(first_fault(parsed({"--rate", "503:1"})), fault::status(503));
    EXPECT_EQ(first_fault(parsed({"--rate=418:1.0"})), fault::status(418));
    EXPECT_EQ(first_fault(parsed({"--reset-rate", "1"})), fault(fault_kind::reset));
    EXPECT_EQ(first_fault(parsed({"--close-rate", "1"})), fault(fault_kind::close));
    EXPECT_EQ(first_fault(parsed({"--truncate-rate", "1"})), fault(fault_kind::truncate));
    EXPECT_EQ(first_fault(parsed({"--stall-rate", "1"})), fault(fault_kind::stall));
    EXPECT_EQ(first_fault(parsed({"--drip-rate", "1"})), fault(fault_kind::drip));
    EXPECT_EQ(first_fault(parsed({"--fail-first", "2"})), fault::status(503));
    EXPECT_EQ(first_fault(parsed({"--fail-first", "2:reset"})), fault(fault_kind::reset));
    EXPECT_EQ(first_fault(parsed({"--sequence", "429,200"})), fault::status(429));
}

TEST(ServeFlags, SetResponses) {
    const auto options = parsed({"--latency",
                                 "5ms..7ms",
                                 "--retry-after",
                                 "3",
                                 "--body-size",
                                 "9",
                                 "--chunked",
                                 "--drip-interval",
                                 "1ms",
                                 "--port",
                                 "8080",
                                 "-v"});
    const auto decision = fault_plan(options.script).decide("GET", "/", 1);
    EXPECT_GE(decision.latency, 5ms);
    EXPECT_LE(decision.latency, 7ms);
    EXPECT_EQ(decision.behaviour->retry_after, "3");
    EXPECT_EQ(decision.behaviour->body_size, 9U);
    EXPECT_TRUE(decision.behaviour->chunked);
    EXPECT_EQ(decision.behaviour->drip_interval, 1ms);
    EXPECT_EQ(options.port, 8080);
    EXPECT_TRUE(options.verbose);
}

TEST(ServeFlags, GoOverTheDefaultsOfTheFileWhereverTheyStand) {
    const test::temporary_directory directory;
    const auto file = directory.write("faults.json", R"({"rates": {"503": 0.5, "500": 0.5},
        "rules": [{"path": "/x", "rates": {"reset": 1}}]})");
    const auto options = parsed({"--rate", "503:0", "--rate", "500:1", "--faults", file});
    EXPECT_EQ(first_fault(options), fault::status(500));
    EXPECT_EQ(fault_plan(options.script).decide("GET", "/x", 1).what, fault(fault_kind::reset));
}

struct wrong {
    std::vector<std::string> arguments;
    const char* error;
};

TEST(ServeFlags, SayWhatIsWrongAndWhatWouldBeRight) {
    const wrong table[] = {
        {{"--rate", "503"}, "--rate: '503' has no rate; write it as in 503:0.2"},
        {{"--rate", "503:2"}, "--rate: 2 is not a rate; write a number from 0 to 1"},
        {{"--rate", "503:x"}, "--rate: 'x' is not a rate; write a number from 0 to 1"},
        {{"--rate", "503:nan"}, "--rate: nan is not a rate; write a number from 0 to 1"},
        {{"--rate", "503:0.7", "--rate", "500:0.7"},
         "defaults: the rates sum to 1.4; lower them to 1 at most"},
        {{"--port", "65536"}, "--port: '65536' is not a whole number from 0 to 65535"},
        {{"--seed", "-1"}, "--seed: '-1' is not a whole number from 0 to 18446744073709551615"},
        {{"--latency", "5ms..1ms"},
         "--latency: the latency ends before it begins; write 5ms..20ms"},
        {{"--fail-first", "1", "--sequence", "500"}, "--fail-first excludes --sequence"},
        {{"--cert", "c.pem"}, "--cert requires --key"},
        {{"--faults", "/nonexistent"},
         "--faults: /nonexistent: cannot be read; is it a file, readable and below 16 MB?"},
        {{"--bogus"}, "The following argument was not expected: --bogus"},
    };
    for (const auto& [arguments, error] : table) EXPECT_EQ(refusal(arguments), error);
}

#ifdef ASIO_RETRY_TOOL

/// The tool as a child process; its outputs are read through pipes.
class tool_process {
public:
    explicit tool_process(std::vector<std::string> arguments) {
        if (::pipe(output_.data()) != 0 || ::pipe(errors_.data()) != 0) {
            throw std::runtime_error("pipe");
        }
        arguments.insert(arguments.begin(), ASIO_RETRY_TOOL);
        std::vector<char*> pointers;
        for (auto& each : arguments) pointers.push_back(each.data());
        pointers.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(output_[1], STDOUT_FILENO);
            ::dup2(errors_[1], STDERR_FILENO);
            for (const int each : {output_[0], output_[1], errors_[0], errors_[1]}) ::close(each);
            ::execv(pointers[0], pointers.data());
            ::_exit(127);
        }
        ::close(output_[1]);
        ::close(errors_[1]);
    }
    ~tool_process() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        ::close(output_[0]);
        ::close(errors_[0]);
    }
    tool_process(const tool_process&) = delete;
    tool_process& operator=(const tool_process&) = delete;

    std::string line() { return read(output_[0], '\n'); }
    std::string rest() { return read(output_[0], '\0'); }
    std::string errors() { return read(errors_[0], '\0'); }
    void signal(int number) const { ::kill(pid_, number); }
    int wait() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

private:
    static std::string read(int descriptor, char end) {
        std::string text;
        char byte = 0;
        while (::read(descriptor, &byte, 1) == 1 && byte != end) text += byte;
        return text;
    }

    pid_t pid_ = -1;
    std::array<int, 2> output_{}, errors_{};
};

std::uint16_t port_in(const std::string& line) {
    return static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
}

TEST(Serve, AnnouncesItselfFailsAsToldAndEndsOnASignal) {
    for (const int signal : {SIGINT, SIGTERM}) {
        tool_process tool({"serve", "--sequence", "503,reset,200", "--retry-after", "2", "-v"});
        const auto line = tool.line();
        ASSERT_TRUE(line.starts_with("listening on http://127.0.0.1:")) << line << tool.errors();
        {
            test::plain_client one(port_in(line));
            const auto busy = one.get("/a");
            EXPECT_EQ(busy.message.result_int(), 503U);
            EXPECT_EQ(busy.message["Retry-After"], "2");
            EXPECT_EQ(one.get("/a").error, boost::asio::error::connection_reset);
        }
        test::plain_client two(port_in(line));
        EXPECT_EQ(two.get("/a").message.result_int(), 200U);
        tool.signal(signal);
        EXPECT_EQ(tool.wait(), 0);
        EXPECT_EQ(tool.rest(), "");
        EXPECT_EQ(tool.errors(),
                  "GET /a #1: 503\nGET /a #2: reset\nGET /a #3: 200\n"
                  "asio-retry serve: 3 requests over 2 connections: 1 answered 2xx; "
                  "503: 1, reset: 1\n");
    }
}

TEST(Serve, EndsThoughClientsStall) {
    tool_process tool({"serve", "--stall-rate", "1"});
    test::plain_client client(port_in(tool.line()));
    client.request(boost::beast::http::verb::get, "/");
    tool.signal(SIGTERM);
    EXPECT_EQ(tool.wait(), 0);
}

TEST(Serve, FailsWithOneLineWhenThePortIsTaken) {
    tool_process first({"serve"});
    const auto port = std::to_string(port_in(first.line()));
    tool_process second({"serve", "--port", port});
    EXPECT_EQ(second.wait(), 1);
    EXPECT_EQ(second.errors(),
              "asio-retry serve: port " + port + " of 127.0.0.1: Address already in use\n");
}

TEST(Serve, ExitsWithTwoOnAWrongOption) {
    for (const auto& arguments : {std::vector<std::string>{"serve", "--rate", "503:2"},
                                  std::vector<std::string>{"serve", "--bogus"},
                                  std::vector<std::string>{"serve", "--faults", "/nonexistent"}}) {
        tool_process tool(arguments);
        EXPECT_EQ(tool.wait(), 2);
        EXPECT_EQ(tool.rest(), "");
        EXPECT_NE(tool.errors().find(arguments[1].substr(2)), std::string::npos);
    }
}

#endif

}  // namespace
}  // namespace asio_retry::tool
