// Signals that end a fetch wherever it is, and output that cannot be written.
#include "support/scripted_server.hpp"
#include "tool/fetch_fixture.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

#ifdef ASIO_RETRY_TOOL

namespace asio_retry::test {
namespace {

using asio_retry::testing::fault;
using asio_retry::testing::fault_kind;
using asio_retry::testing::fault_script;
using asio_retry::testing::fault_server;
using ::testing::HasSubstr;

TEST_F(Fetch, AnInterruptEndsAllCallsAndTellsOfEach) {
    const fault_server server(failing(99, fault(fault_kind::stall)));
    tool_run run({"fetch",
                  "-Z",
                  "--parallel-max",
                  "2",
                  "--report",
                  file("report"),
                  server.url("/a"),
                  server.url("/b"),
                  server.url("/c")});
    while (server.counts().total().requests < 2) std::this_thread::yield();
    run.signal(SIGINT);
    const auto result = run.wait();
    EXPECT_EQ(result.status, 130);
    EXPECT_THAT(result.err, HasSubstr("interrupted: 0 of 3 URLs were fetched"));
    const auto report = lines_of_json(contents_of(file("report")));
    ASSERT_EQ(report.size(), 3U);
    for (const auto& line : report) EXPECT_EQ(line.at("reason").as_string(), "cancelled");
    EXPECT_EQ(report[1].at("attempts").as_array().size(), 1U);
    EXPECT_EQ(report[2].at("attempts").as_array().size(), 0U);
}

TEST_F(Fetch, AnInterruptEndsADelay) {
    const fault_server server(failing(99, fault::status(503)));
    tool_run run({"fetch", "--backoff", "constant:20s", "--jitter", "none", server.url("/a")});
    while (server.counts().total().faults["503"] < 1) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    run.signal(SIGINT);
    const auto result = run.wait();
    EXPECT_EQ(result.status, 130);
    EXPECT_THAT(result.err, HasSubstr("(cancelled)"));
}

/// A FIFO that nobody reads.
class FetchToAPipe : public Fetch {
protected:
    FetchToAPipe() { EXPECT_EQ(::mkfifo(pipe_.c_str(), 0600), 0); }
    ~FetchToAPipe() override { ::close(reader_); }

    /// Gives it a reader that does not read.
    void open_reader() { reader_ = ::open(pipe_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC); }

    void fill() {
        open_reader();
        const int writer = ::open(pipe_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        const std::string bytes(4096, 'a');
        while (::write(writer, bytes.data(), bytes.size()) > 0) continue;
        ::close(writer);
    }

    /// Signals it some time after it has come so far, as its next step does not show outside; it
    /// is killed if that does not end it.
    static tool_result interrupted(tool_run& run,
                                   int signal,
                                   const std::function<bool()>& has_come_so_far) {
        const auto soon = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!has_come_so_far() && std::chrono::steady_clock::now() < soon) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        EXPECT_TRUE(has_come_so_far());
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        run.signal(signal);
        return run.wait_at_most(std::chrono::seconds(10));
    }

    /// Nothing more can be written.
    bool is_full() const {
        const int writer = ::open(pipe_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        pollfd room{writer, POLLOUT, 0};
        const bool full = ::poll(&room, 1, 0) == 0;
        ::close(writer);
        return full;
    }

    const std::string pipe_ = file("pipe");
    int reader_ = -1;
};

TEST_F(FetchToAPipe, AnInterruptEndsTheWaitForTheReaderOfStandardOutput) {
    const fault_server server(failing(0, fault::status(503), std::string(1024 * 1024, 'a')));
    open_reader();
    tool_run run({"fetch", "--report", file("report"), server.url("/a")}, "", pipe_);
    const auto result = interrupted(run, SIGINT, [this] { return is_full(); });
    EXPECT_EQ(result.status, 130);
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(lines_of_json(contents_of(file("report"))).at(0).at("reason"), "cancelled");
}

TEST_F(FetchToAPipe, AnInterruptEndsTheWaitForAReaderOfTheFile) {
    const fault_server server;
    tool_run run({"fetch", "-o", pipe_, "--report", file("report"), server.url("/a")});
    const auto result =
        interrupted(run, SIGTERM, [&] { return server.counts().total().succeeded == 1; });
    EXPECT_EQ(result.status, 143);
    EXPECT_EQ(lines_of_json(contents_of(file("report"))).size(), 1U);
}

TEST_F(FetchToAPipe, ABlockedStandardErrorHoldsUpNoCall) {
    const scripted_server server({{expect_request(), stall()}, {expect_request(), stall()}});
    fill();
    tool_run run({"fetch",
                  "-v",
                  "--max-time",
                  "100ms",
                  "--report",
                  file("report"),
                  server.url("/a"),
                  server.url("/b")},
                 "",
                 "",
                 pipe_);
    const auto both_have_ended = [&] {
        const auto seen = server.connections();
        return seen.size() == 2 && seen[1].end == connection_end::by_client;
    };
    EXPECT_EQ(interrupted(run, SIGINT, both_have_ended).status, 130);
    const auto report = lines_of_json(contents_of(file("report")));
    ASSERT_EQ(report.size(), 2U);
    for (const auto& line : report) EXPECT_EQ(line.at("reason").as_string(), "deadline_exceeded");
}

TEST_F(Fetch, OutputThatCannotBeWrittenIsSaidOnce) {
    const fault_server server;
    const words both{"fetch", "--report", file("both"), server.url("/a"), server.url("/b")};
    auto result = tool_run(both, "", "/dev/full").wait();
    EXPECT_EQ(result.status, 3);
    for (const auto& each : lines_of_json(contents_of(file("both")))) {
        EXPECT_EQ(each.at("outcome").as_string(), "failed");
    }
    EXPECT_EQ(result.err,
              "asio-retry: standard output could not be written: No space left on device\n");
    result = fetch({"-o", "/dev/full", "--report", file("report"), server.url("/a")});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err,
              "asio-retry: '/dev/full' could not be written: No space left on device\n");
    const auto line = lines_of_json(contents_of(file("report"))).at(0);
    EXPECT_EQ(line.at("outcome").as_string(), "failed");
    EXPECT_EQ(line.at("reason").as_string(), "permanent_failure");
    EXPECT_EQ(line.at("status").as_int64(), 200);
    EXPECT_EQ(line.at("error").as_string(), "No space left on device");
    EXPECT_EQ(fetch({"-o", "/dev/null", server.url("/a")}).status, 0);
    result = fetch({"--report", "/dev/full", server.url("/a")});
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err, "asio-retry: the report could not be written: No space left on device\n");
}

TEST_F(Fetch, AServerWhosePortNobodyLearnsDoesNotRun) {
    tool_run run({"serve"}, "", "/dev/full");
    const auto result = run.wait_at_most(std::chrono::seconds(10));
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err, "asio-retry serve: the line with its port could not be written\n");
}

TEST_F(Fetch, AClosedStandardOutputIsAnError) {
    const fault_server server;
    tool_run run({"fetch", server.url("/a")}, "", tool_run::closed);
    const auto result = run.wait();
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err,
              "asio-retry: standard output could not be written: Bad file descriptor\n");
}

TEST_F(Fetch, AReaderThatWentAwayEndsTheRun) {
    const auto pipe = file("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    fault_script slow;
    slow.defaults().latency(std::chrono::milliseconds(100));
    const fault_server slow_server(slow);
    tool_run run({"fetch", slow_server.url("/a"), slow_server.url("/b")}, "", pipe);
    while (slow_server.counts().total().requests < 1) std::this_thread::yield();
    ::close(reader);
    const auto result = run.wait();
    EXPECT_EQ(result.status, 3);
    EXPECT_EQ(result.err, "asio-retry: standard output could not be written: Broken pipe\n");
}

}  // namespace
}  // namespace asio_retry::test

#endif
