#include "http/partial_file.hpp"
#include "support/part_directory.hpp"
#include <asio_retry/http/error.hpp>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

namespace {

namespace fs = std::filesystem;
using asio_retry::http::error;
using asio_retry::http::detail::partial_file;

constexpr const char* url = "http://127.0.0.1/file";

class KilledDownload : public asio_retry::test::part_directory {};

TEST_F(KilledDownload, IsNeverTwiceInTheHandsOfRacingProcesses) {
    // Each writes a file of its own letters; a mixture would show.
    constexpr int processes = 4;
    pid_t children[processes];
    for (int i = 0; i < processes; ++i) {
        children[i] = ::fork();
        if (children[i] != 0) continue;
        const std::string letters(1000, static_cast<char>('a' + i));
        for (int done = 0; done < 50;) {
            partial_file file;
            const auto ec = file.open(target);
            if (ec == error::target_busy) continue;
            if (ec || file.restart(url, "\"a\"", 3000)) ::_exit(1);
            for (int n = 0; n < 3; ++n) {
                if (file.append(letters)) ::_exit(2);
            }
            if (done % 3 == 0) file.discard();
            if (done % 3 == 1 && file.finish()) ::_exit(3);
            ++done;
        }
        ::_exit(0);
    }
    for (const auto child : children) {
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    }
    const auto whole = content(target);
    EXPECT_EQ(whole, std::string(3000, whole.at(0)));
}

std::string letters(char first, std::size_t size) {
    std::string text(size, ' ');
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>(first + static_cast<char>(i % 10));
    return text;
}

TEST_F(KilledDownload, IsResumedUntilItIsWholeHoweverOftenItsProcessIsKilled) {
    const auto whole = letters('a', 3'000'000);
    int kills = 0;
    while (!fs::exists(target)) {
        std::uint64_t before = 0;
        {
            partial_file file;
            ASSERT_FALSE(file.open(target));
            before = file.offset();
            ASSERT_EQ(content(part()), whole.substr(0, before));
            ASSERT_EQ(file.state().has_value(), kills > 0);
        }
        const auto child = ::fork();
        if (child == 0) {
            partial_file file;
            if (file.open(target)) ::_exit(1);
            if (!file.state() && file.restart(url, "\"a\"", whole.size())) ::_exit(2);
            while (file.offset() < whole.size()) {
                if (file.append(std::string_view(whole).substr(file.offset(), 777))) ::_exit(3);
            }
            ::_exit(file.finish() ? 4 : 0);
        }
        // Until it has got on by a fifth, or has ended.
        int status = 0;
        bool ended = false;
        while (!ended) {
            std::error_code missing;
            const auto size = fs::file_size(part(), missing);
            if (!missing && size > before + whole.size() / 5) break;
            ended = ::waitpid(child, &status, WNOHANG) == child;
        }
        if (!ended) {
            ::kill(child, SIGKILL);
            ASSERT_EQ(::waitpid(child, &status, 0), child);
            ++kills;
        }
        EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
    }
    EXPECT_GE(kills, 1);
    EXPECT_TRUE(content(target) == whole);
    EXPECT_EQ(count_files(), 1U);
}

/// Runs a child up to its n-th stop at a system call, before it or behind it, and kills it there.
/** False if it ended before that. */
bool run_and_kill(int stops, const std::function<void()>& body) {
    const auto child = ::fork();
    if (child == 0) {
        if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(9);
        ::raise(SIGSTOP);
        body();
        ::_exit(0);
    }
    int status = 0;
    for (int i = 0; ::waitpid(child, &status, 0) == child && WIFSTOPPED(status); ++i) {
        if (i == stops) ::kill(child, SIGKILL);
        ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    }
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
    return WIFSIGNALED(status);
}

TEST_F(KilledDownload, HoldsNoWrongByteWhereverItsProcessIsKilled) {
    const auto old_text = letters('a', 90);
    const auto new_text = letters('A', 100);
    const auto prepare = [&] {
        for (const auto& each : fs::directory_iterator(directory)) fs::remove(each);
        put(target, "before");
        partial_file file;
        ASSERT_FALSE(file.open(target));
        ASSERT_FALSE(file.restart(url, "\"old\"", old_text.size()));
        ASSERT_FALSE(file.append(std::string_view(old_text).substr(0, 30)));
        ASSERT_FALSE(file.checkpoint());
        ASSERT_FALSE(file.append(std::string_view(old_text).substr(30, 30)));
    };
    // The machine goes down, too: what was not synced is lost.
    const auto crash = [&] {
        if (!fs::exists(state())) return;
        const bool is_old = content(state()).find("\"old\"") != std::string::npos;
        auto bytes = content(part());
        for (std::size_t i = is_old ? 30 : 20; i < bytes.size(); ++i) bytes[i] = '\0';
        put(part(), bytes);
        forget_boot();
    };
    const auto download = [&] {
        const std::string_view text = new_text;
        partial_file file;
        if (file.open(target) || file.append(std::string_view(old_text).substr(60, 10))) ::_exit(1);
        if (file.restart(url, "\"new\"", text.size())) ::_exit(2);
        if (file.append(text.substr(0, 20)) || file.checkpoint()) ::_exit(3);
        if (file.append(text.substr(20, 20)) || file.append(text.substr(40))) ::_exit(4);
        if (file.finish()) ::_exit(5);
    };
    int stops = 0;
    int olds = 0;
    int news = 0;
    bool killed = true;
    // Two stops a call: before it has done anything, and when it has done all.
    for (; killed; stops += 2) {
        for (const bool crashed : {false, true}) {
            SCOPED_TRACE(testing::Message() << stops << (crashed ? ", machine" : ", process"));
            prepare();
            killed = run_and_kill(stops, download);
            if (crashed) crash();
            partial_file file;
            ASSERT_FALSE(file.open(target));
            const auto there = content(part());
            ASSERT_EQ(there.size(), file.offset());
            if (file.state()) {
                const bool is_old = file.state()->validator == "\"old\"";
                (is_old ? olds : news) += 1;
                EXPECT_EQ(there, (is_old ? old_text : new_text).substr(0, there.size()));
                EXPECT_EQ(file.state()->length, (is_old ? old_text : new_text).size());
            }
            const auto final_text = content(target);
            EXPECT_TRUE(final_text == "before" || final_text == new_text) << final_text;
            EXPECT_TRUE(killed || final_text == new_text);
            file.discard();
            EXPECT_EQ(count_files(), 1U);
        }
    }
    EXPECT_GE(stops, 60);
    EXPECT_GE(olds, 10);
    EXPECT_GE(news, 10);
}

}  // namespace
