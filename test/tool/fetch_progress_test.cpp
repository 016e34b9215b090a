// The line that tells how far a download is, and on a terminal alone.
#include "support/certificates.hpp"
#include "support/scripted_server.hpp"
#include "tool/tool_process.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <tool/fetch_progress.hpp>
#include <unistd.h>

#include <chrono>
#include <string>
#include <vector>

namespace asio_retry::tool {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string text_of(std::uint64_t received,
                    std::optional<std::uint64_t> total = {},
                    std::optional<double> rate = {},
                    std::optional<std::chrono::nanoseconds> retry_in = {}) {
    progress_state state;
    state.received = received;
    state.total = total;
    state.rate = rate;
    state.retry_in = retry_in;
    return progress_text(state);
}

TEST(FetchProgress, TextHasWhatIsKnown) {
    EXPECT_EQ(text_of(0), "0 B");
    EXPECT_EQ(text_of(999), "999 B");
    EXPECT_EQ(text_of(1000), "1.0 kB");
    EXPECT_EQ(text_of(9'949), "9.9 kB");
    EXPECT_EQ(text_of(9'951), "10 kB");
    EXPECT_EQ(text_of(999'499), "999 kB");
    EXPECT_EQ(text_of(999'500), "1.0 MB");
    EXPECT_EQ(text_of(18'446'744'073'709'551'615ULL), "18 EB");
    EXPECT_EQ(text_of(1'200'000, 4'800'000), "1.2 MB of 4.8 MB, 25 %");
    EXPECT_EQ(text_of(1'200'000, {}, 600e3), "1.2 MB, 600 kB/s");
    EXPECT_EQ(text_of(1'200'000, 4'800'000, 600e3), "1.2 MB of 4.8 MB, 25 %, 600 kB/s");
    EXPECT_EQ(text_of(1'200'000, 4'800'000, 600e3, 1200ms),
              "1.2 MB of 4.8 MB, 25 %, retrying in 1.20 s");
}

TEST(FetchProgress, PercentIsHundredOnlyWhenAllIsThere) {
    EXPECT_EQ(text_of(0, 10), "0 B of 10 B, 0 %");
    EXPECT_EQ(text_of(999, 1000), "999 B of 1.0 kB, 99 %");
    EXPECT_EQ(text_of(10, 10), "10 B of 10 B, 100 %");
    EXPECT_EQ(text_of(11, 10), "11 B of 10 B, 100 %");
    EXPECT_EQ(text_of(0, 0), "0 B");
}

class DrawnProgress : public ::testing::Test {
protected:
    void receive(std::chrono::milliseconds later,
                 std::uint64_t received,
                 std::optional<std::uint64_t> total = 100) {
        now_ += later;
        progress_.body_received("", received, total);
    }
    void retry(std::chrono::milliseconds delay) {
        attempt_record r;
        r.delay = delay;
        progress_.retry_scheduled("", r);
    }

    steady_time now_;
    std::vector<std::string> drawn_;
    fetch_progress progress_{[this](const std::string& text) { drawn_.push_back(text); },
                             [this] { return now_; }};
};

TEST_F(DrawnProgress, AtMostTenTimesASecond) {
    for (int i = 1; i <= 100; ++i) receive(10ms, static_cast<std::uint64_t>(i));
    EXPECT_EQ(drawn_.size(), 10U);
    EXPECT_EQ(drawn_.front(), "\r10 B of 100 B, 10 %");
    EXPECT_EQ(drawn_.back(), "\r100 B of 100 B, 100 %, 100 B/s");
}

TEST_F(DrawnProgress, WhatAnAttemptBeganWithCameAtNoRate) {
    receive(10ms, 50);
    receive(1000ms, 60);
    EXPECT_EQ(drawn_.back(), "\r60 B of 100 B, 60 %, 10 B/s");
    progress_.attempt_started("", attempt(2, now_));
    receive(10ms, 80);
    receive(1000ms, 100);
    EXPECT_EQ(drawn_.back(), "\r100 B of 100 B, 100 %, 20 B/s");
}

TEST_F(DrawnProgress, TellsOfARetryUntilItIsMade) {
    receive(10ms, 50);
    retry(1200ms);
    now_ += 1200ms;
    progress_.attempt_started("", attempt(2, now_));
    EXPECT_THAT(drawn_,
                ElementsAre("\r50 B of 100 B, 50 %, retrying in 1.20 s",
                            "\r50 B of 100 B, 50 %" + std::string(20, ' ')));
}

TEST_F(DrawnProgress, ARetryThatIsMadeAtOnceIsNotShown) {
    retry(0ms);
    retry(99ms);
    progress_.attempt_started("", attempt(2, now_));
    EXPECT_THAT(drawn_, IsEmpty());
}

TEST_F(DrawnProgress, IsClearedIfAnythingWasDrawn) {
    receive(10ms, 1);
    progress_.clear();
    EXPECT_THAT(drawn_, IsEmpty());
    receive(200ms, 2, std::nullopt);
    progress_.clear();
    progress_.clear();
    EXPECT_THAT(drawn_, ElementsAre("\r2 B, 5 B/s", "\r          \r"));
}

}  // namespace
}  // namespace asio_retry::tool

#ifdef ASIO_RETRY_TOOL

namespace asio_retry::test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using words = std::vector<std::string>;

/// What a pseudoterminal shows of a program's standard error.
class terminal {
public:
    terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        if (master_ >= 0 && ::grantpt(master_) == 0 && ::unlockpt(master_) == 0) {
            path_ = ::ptsname(master_);  // NOLINT(concurrency-mt-unsafe)
        }
    }
    ~terminal() { ::close(master_); }
    terminal(const terminal&) = delete;
    terminal& operator=(const terminal&) = delete;

    const std::string& path() const { return path_; }

    /// All of it; to be called when the program has ended, which ends the reading.
    std::string text() const {
        std::string all;
        char buffer[4096];
        for (;;) {
            const auto count = ::read(master_, buffer, sizeof buffer);
            if (count <= 0) return all;
            all.append(buffer, static_cast<std::size_t>(count));
        }
    }

private:
    int master_;
    std::string path_;
};

class FetchProgressOnATerminal : public ::testing::Test {
protected:
    /// Slow enough for a few lines.
    std::string shown(const words& arguments) {
        const auto whole = response(200, "0123456789");
        const auto begin = whole.size() - 10;
        const scripted_server server(
            {{expect_request(), send(last_response(503)), close()},
             {expect_request(),
              send(whole.substr(0, begin + 1)),
              send_slowly(whole.substr(begin + 1), std::chrono::milliseconds(30)),
              close()}});
        const terminal screen;
        words all{"fetch", "--backoff", "constant:150ms", "--jitter", "none"};
        all.insert(all.end(), arguments.begin(), arguments.end());
        all.push_back(server.url("/a"));
        tool_run run(all, "", "", screen.path());
        EXPECT_EQ(run.wait().status, 0);
        return screen.text();
    }

    temporary_directory directory_;
    std::string file_ = (directory_.path() / "a").string();
};

TEST_F(FetchProgressOnATerminal, IsDrawnAndCleared) {
    EXPECT_THAT(shown({"-o", file_}),
                MatchesRegex(
                    "\r0 B, retrying in 150 ms\r0 B +(\r[0-9]+ B of 10 B, [0-9]+ %[^\r]*)+\r +\r"));
    EXPECT_EQ(contents_of(file_), "0123456789");
}

TEST_F(FetchProgressOnATerminal, IsNotDrawnWhereItWouldDisturb) {
    EXPECT_EQ(shown({"-s", "-o", file_}), "");
    EXPECT_EQ(shown({"-Z", "-o", file_}), "");
    EXPECT_EQ(shown({}), "");
    EXPECT_THAT(shown({"--timeline", "-o", file_}), Not(HasSubstr(" of 10 B")));
    EXPECT_THAT(shown({"-v", "-o", file_}), Not(HasSubstr(" of 10 B")));
}

}  // namespace
}  // namespace asio_retry::test

#endif
