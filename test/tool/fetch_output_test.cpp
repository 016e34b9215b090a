// Files that are whole or as they were, and pipes that nobody reads.
#include "support/certificates.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <tool/fetch_output.hpp>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace asio_retry::tool {
namespace {

namespace fs = std::filesystem;

std::string contents_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::size_t files_in(const fs::path& directory) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory), fs::directory_iterator()));
}

class FetchOutput : public ::testing::Test {
protected:
    std::string path(const char* name) const { return (directory_.path() / name).string(); }

    test::temporary_directory directory_;
    interruption until_;
};

TEST_F(FetchOutput, MakesAFile) {
    replace_file(path("a"), {"head", "", "body"}, until_);
    EXPECT_EQ(contents_of(path("a")), "headbody");
    EXPECT_EQ(files_in(directory_.path()), 1U);
}

TEST_F(FetchOutput, ReplacesAFileAndKeepsItsMode) {
    directory_.write("a", "a longer text than before");
    fs::permissions(path("a"), fs::perms::owner_read | fs::perms::owner_write);
    replace_file(path("a"), {"new"}, until_);
    EXPECT_EQ(contents_of(path("a")), "new");
    EXPECT_EQ(fs::status(path("a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(FetchOutput, FollowsASymbolicLink) {
    directory_.write("target", "old");
    fs::create_symlink("target", path("link"));
    replace_file(path("link"), {"new"}, until_);
    EXPECT_TRUE(fs::is_symlink(path("link")));
    EXPECT_EQ(contents_of(path("target")), "new");
}

TEST_F(FetchOutput, WritesIntoADeviceWithoutReplacingIt) {
    replace_file("/dev/null", {"gone"}, until_);
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(FetchOutput, SaysWhatIsWrong) {
    const auto error = [this](const std::string& file) {
        try {
            replace_file(file, {"text"}, until_);
        } catch (const std::system_error& e) {
            return e.code().value();
        }
        return 0;
    };
    EXPECT_EQ(error(path("none") + "/a"), ENOENT);
    EXPECT_EQ(error("/dev/full"), ENOSPC);
}

TEST_F(FetchOutput, LinesAreWrittenAsTheyCome) {
    directory_.write("report", "of an earlier run");
    line_file report(path("report"));
    EXPECT_EQ(contents_of(path("report")), "");
    report.write("one", until_);
    EXPECT_EQ(contents_of(path("report")), "one\n");
    report.write("two", until_);
    EXPECT_EQ(contents_of(path("report")), "one\ntwo\n");
}

/// The errno of what `work` throws; 0 if it does not.
template <typename Work>
int error_of(const Work& work) {
    try {
        work();
        return 0;
    } catch (const std::system_error& e) {
        return e.code().value();
    }
}

class FetchOutputToAPipe : public FetchOutput {
protected:
    FetchOutputToAPipe() {
        EXPECT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
        reader_ = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
    ~FetchOutputToAPipe() override { close_reader(); }

    void close_reader() {
        if (reader_ >= 0) ::close(std::exchange(reader_, -1));
    }

    static constexpr std::size_t more_than_fits = 1024 * 1024;

    int reader_ = -1;
};

TEST_F(FetchOutputToAPipe, AnInterruptionEndsTheWaitForRoom) {
    // As standard output is: blocking.
    const int writer = ::open(path("pipe").c_str(), O_WRONLY | O_CLOEXEC);
    std::thread interrupter([this] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        until_.set();
    });
    const std::string bytes(more_than_fits, 'a');
    EXPECT_EQ(error_of([&] { write_all(writer, bytes, until_); }), ECANCELED);
    interrupter.join();
    EXPECT_EQ(error_of([&] { write_all(writer, "b", until_); }), ECANCELED);
    ::close(writer);
}

TEST_F(FetchOutputToAPipe, WhatNeedsNoWaitIsWrittenAllTheSame) {
    until_.set();
    replace_file(path("pipe"), {"head", "body"}, until_);
    std::array<char, 16> read{};
    EXPECT_EQ(::read(reader_, read.data(), read.size()), 8);
    EXPECT_EQ(
        error_of([&] { replace_file(path("pipe"), {std::string(more_than_fits, 'a')}, until_); }),
        ECANCELED);
}

TEST_F(FetchOutputToAPipe, AReaderIsWaitedFor) {
    close_reader();
    std::string read;
    std::thread reader([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(30));
        read = contents_of(path("pipe"));
    });
    replace_file(path("pipe"), {std::string(more_than_fits, 'a'), "b"}, until_);
    reader.join();
    EXPECT_EQ(read, std::string(more_than_fits, 'a') + "b");
}

TEST_F(FetchOutputToAPipe, AnInterruptionEndsTheWaitForAReader) {
    close_reader();
    line_file report(path("pipe"));
    until_.set();
    EXPECT_EQ(error_of([&] { replace_file(path("pipe"), {"a"}, until_); }), ECANCELED);
    EXPECT_EQ(error_of([&] { report.write("a", until_); }), ECANCELED);
}

}  // namespace
}  // namespace asio_retry::tool
