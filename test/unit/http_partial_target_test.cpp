#include "http/partial_file.hpp"
#include "support/part_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;
namespace errc = boost::system::errc;
using asio_retry::http::detail::partial_file;
using asio_retry::test::in_child;

constexpr const char* url = "http://127.0.0.1/file";

class PartialTarget : public asio_retry::test::part_directory {};

unsigned mode_of(const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions()) & 07777;
}

TEST_F(PartialTarget, RefusesTargetsThatAreNoFiles) {
    partial_file file;
    EXPECT_EQ(file.open(directory), errc::is_a_directory);
    EXPECT_EQ(file.open(directory.string() + "/"), errc::is_a_directory);
    EXPECT_EQ(file.open("."), errc::is_a_directory);
    EXPECT_EQ(file.open("/dev/null"), errc::operation_not_supported);
    EXPECT_EQ(file.open(""), errc::no_such_file_or_directory);
    EXPECT_EQ(file.open(directory / "missing" / "file"), errc::no_such_file_or_directory);
    EXPECT_EQ(file.open(directory / "missing/"), errc::is_a_directory);
    put(directory / "file", "x");
    EXPECT_EQ(file.open(directory / "file" / "below"), errc::not_a_directory);
    EXPECT_EQ(file.open(directory / std::string(252, 'x')), errc::filename_too_long);
    EXPECT_EQ(count_files(), 1U);
}

TEST_F(PartialTarget, RefusesPartsThatAreNoFiles) {
    partial_file file;
    fs::create_directory(part());
    EXPECT_EQ(file.open(target), errc::is_a_directory);
    fs::remove(part());
    ASSERT_EQ(::mkfifo(part().c_str(), 0600), 0);
    EXPECT_EQ(file.open(target), errc::operation_not_supported);
    fs::remove(part());
    put(directory / "precious", "precious");
    fs::create_symlink("precious", part());
    EXPECT_EQ(file.open(target), errc::too_many_symbolic_link_levels);
    EXPECT_EQ(content(directory / "precious"), "precious");
}

TEST_F(PartialTarget, NeedsADirectoryThatItMayWriteTo) {
    fs::permissions(directory, fs::perms(0555));
    EXPECT_TRUE(in_child([&] {
        constexpr ::uid_t nobody = 65534;
        if (::geteuid() == 0 && ::setuid(nobody) != 0) return false;
        partial_file file;
        return file.open(target) == errc::permission_denied;
    }));
    fs::permissions(directory, fs::perms(0755));
}

TEST_F(PartialTarget, KeepsThePermissionsOfWhatItReplaces) {
    for (const unsigned mode : {0600U, 0640U, 0444U, 0755U}) {
        put(target, "old");
        fs::permissions(target, fs::perms(mode));
        partial_file file;
        ASSERT_FALSE(file.open(target));
        EXPECT_EQ(mode_of(part()), 0600U);
        ASSERT_FALSE(file.restart(url, "\"a\"", 3));
        EXPECT_EQ(mode_of(state()), 0600U);
        ASSERT_FALSE(file.append("new"));
        EXPECT_EQ(content(target), "old");
        ASSERT_FALSE(file.finish());
        EXPECT_EQ(mode_of(target), mode);
        EXPECT_EQ(content(target), "new");
        fs::remove(target);
    }
    fs::permissions(directory, fs::perms(0700));
    const auto mask = ::umask(027);
    partial_file file;
    ASSERT_FALSE(file.open(target));
    ASSERT_FALSE(file.finish());
    ::umask(mask);
    EXPECT_EQ(mode_of(target), 0640U);
}

TEST_F(PartialTarget, GivesNoSetUserIdToWhatWasDownloaded) {
    put(target, "old");
    ASSERT_EQ(::chmod(target.c_str(), 04755), 0);
    partial_file file;
    ASSERT_FALSE(file.open(target));
    ASSERT_FALSE(file.finish());
    EXPECT_EQ(mode_of(target), 0755U);
}

TEST_F(PartialTarget, WritesWhereALinkLeads) {
    fs::create_directory(directory / "elsewhere");
    fs::create_symlink("elsewhere/second", target);
    fs::create_symlink("third", directory / "elsewhere" / "second");
    for (const char* text : {"made", "replaced"}) {
        partial_file file;
        ASSERT_FALSE(file.open(target));
        EXPECT_TRUE(fs::exists(directory / "elsewhere" / "third.part"));
        ASSERT_FALSE(file.append(text));
        ASSERT_FALSE(file.finish());
        EXPECT_TRUE(fs::is_symlink(target));
        EXPECT_TRUE(fs::is_symlink(directory / "elsewhere" / "second"));
        EXPECT_FALSE(fs::is_symlink(directory / "elsewhere" / "third"));
        EXPECT_EQ(content(target), text);
    }
    fs::create_symlink("loop", directory / "loop");
    partial_file file;
    EXPECT_EQ(file.open(directory / "loop"), errc::too_many_symbolic_link_levels);
    fs::create_symlink("/dev/null", directory / "device");
    EXPECT_EQ(file.open(directory / "device"), errc::operation_not_supported);
}

TEST_F(PartialTarget, StaysWithItsDirectory) {
    const auto before = fs::current_path();
    fs::create_directory(directory / "a");
    fs::current_path(directory / "a");
    partial_file file;
    ASSERT_FALSE(file.open("file"));
    fs::current_path(before);
    fs::rename(directory / "a", directory / "b");
    ASSERT_FALSE(file.restart(url, "\"a\"", std::nullopt));
    ASSERT_FALSE(file.append("here"));
    ASSERT_FALSE(file.finish());
    EXPECT_EQ(content(directory / "b" / "file"), "here");
}

TEST_F(PartialTarget, TellsWhyItCannotBePutInPlace) {
    partial_file file;
    ASSERT_FALSE(file.open(target));
    ASSERT_FALSE(file.restart(url, "\"a\"", 3));
    ASSERT_FALSE(file.append("one"));
    fs::create_directory(target);
    EXPECT_EQ(file.finish(), errc::is_a_directory);
    fs::remove(target);
    EXPECT_EQ(file.offset(), 3U);
    EXPECT_FALSE(file.finish());
    EXPECT_EQ(content(target), "one");
}

}  // namespace
