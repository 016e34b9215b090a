// Files that are whole or as they were.
#include "support/certificates.hpp"

#include <gtest/gtest.h>
#include <tool/fetch_output.hpp>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

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
};

TEST_F(FetchOutput, MakesAFile) {
    replace_file(path("a"), {"head", "", "body"});
    EXPECT_EQ(contents_of(path("a")), "headbody");
    EXPECT_EQ(files_in(directory_.path()), 1U);
}

TEST_F(FetchOutput, ReplacesAFileAndKeepsItsMode) {
    directory_.write("a", "a longer text than before");
    fs::permissions(path("a"), fs::perms::owner_read | fs::perms::owner_write);
    replace_file(path("a"), {"new"});
    EXPECT_EQ(contents_of(path("a")), "new");
    EXPECT_EQ(fs::status(path("a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(FetchOutput, FollowsASymbolicLink) {
    directory_.write("target", "old");
    fs::create_symlink("target", path("link"));
    replace_file(path("link"), {"new"});
    EXPECT_TRUE(fs::is_symlink(path("link")));
    EXPECT_EQ(contents_of(path("target")), "new");
}

TEST_F(FetchOutput, WritesIntoADeviceWithoutReplacingIt) {
    replace_file("/dev/null", {"gone"});
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(FetchOutput, SaysWhatIsWrong) {
    const auto error = [](const std::string& file) {
        try {
            replace_file(file, {"text"});
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
    const line_file report(path("report"));
    EXPECT_EQ(contents_of(path("report")), "");
    report.write("one");
    EXPECT_EQ(contents_of(path("report")), "one\n");
    report.write("two");
    EXPECT_EQ(contents_of(path("report")), "one\ntwo\n");
}

}  // namespace
}  // namespace asio_retry::tool
