#include "http/partial_file.hpp"
#include "support/part_directory.hpp"
#include <asio_retry/http/error.hpp>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace {

namespace fs = std::filesystem;
namespace errc = boost::system::errc;
using asio_retry::http::error;
using asio_retry::http::detail::partial_file;
using asio_retry::test::in_child;

constexpr const char* url = "http://127.0.0.1/file";

class PartialFile : public asio_retry::test::part_directory {};

TEST_F(PartialFile, BecomesTheTargetWhenItIsFinished) {
    partial_file file;
    ASSERT_FALSE(file.open(target));
    EXPECT_FALSE(file.state());
    EXPECT_EQ(file.offset(), 0U);
    ASSERT_FALSE(file.restart(url, "\"a\"", 7));
    ASSERT_FALSE(file.append("one "));
    EXPECT_EQ(file.offset(), 4U);
    EXPECT_FALSE(fs::exists(target));
    ASSERT_FALSE(file.append(""));
    ASSERT_FALSE(file.append("two"));
    ASSERT_FALSE(file.finish());
    EXPECT_EQ(content(target), "one two");
    EXPECT_EQ(count_files(), 1U);
}

TEST_F(PartialFile, MayBeEmpty) {
    partial_file file;
    ASSERT_FALSE(file.open(target));
    ASSERT_FALSE(file.restart(url, "", std::nullopt));
    ASSERT_FALSE(file.finish());
    EXPECT_TRUE(fs::exists(target));
    EXPECT_EQ(content(target), "");
    EXPECT_EQ(count_files(), 1U);
}

TEST_F(PartialFile, IsResumedWhereItEnded) {
    leave_a_part();
    EXPECT_EQ(content(part()), "one");
    partial_file file;
    ASSERT_FALSE(file.open(target));
    ASSERT_TRUE(file.state());
    EXPECT_EQ(file.state()->url, url);
    EXPECT_EQ(file.state()->validator, "\"a\"");
    EXPECT_EQ(file.state()->length, 7U);
    EXPECT_EQ(file.offset(), 3U);
    ASSERT_FALSE(file.append(" two"));
    std::string bytes;
    ASSERT_FALSE(file.read(0, 100, bytes));
    EXPECT_EQ(bytes, "one two");
    ASSERT_FALSE(file.read(2, 4, bytes));
    EXPECT_EQ(bytes, "e tw");
    ASSERT_FALSE(file.read(7, 4, bytes));
    EXPECT_EQ(bytes, "");
    ASSERT_FALSE(file.finish());
    EXPECT_EQ(content(target), "one two");
    EXPECT_EQ(count_files(), 1U);
}

TEST_F(PartialFile, IsResumedWhenOnlyFinishingIsLeft) {
    leave_a_part("\"a\"", 3);
    partial_file file;
    ASSERT_FALSE(file.open(target));
    EXPECT_EQ(file.offset(), file.state()->length);
    ASSERT_FALSE(file.finish());
    EXPECT_EQ(content(target), "one");
}

TEST_F(PartialFile, StartsAnewForAnotherRepresentation) {
    leave_a_part();
    {
        partial_file file;
        ASSERT_FALSE(file.open(target));
        ASSERT_FALSE(file.restart(url, "\"b\"", std::nullopt));
        EXPECT_EQ(file.offset(), 0U);
        ASSERT_FALSE(file.append("ab"));
    }
    EXPECT_EQ(content(part()), "ab");
    partial_file file;
    ASSERT_FALSE(file.open(target));
    EXPECT_EQ(file.state()->validator, "\"b\"");
    EXPECT_EQ(file.state()->length, std::nullopt);
    EXPECT_EQ(file.offset(), 2U);
}

TEST_F(PartialFile, LeavesNothingThatCannotBeResumed) {
    leave_a_part("");
    EXPECT_EQ(count_files(), 0U);
    leave_a_part("\"a\nb\"");
    EXPECT_EQ(count_files(), 0U);
    {
        partial_file file;
        ASSERT_FALSE(file.open(target));
        ASSERT_FALSE(file.restart(url, "\"a\"", 7));
    }
    EXPECT_EQ(count_files(), 0U);
    leave_a_part("\"a\"");
    {
        partial_file file;
        ASSERT_FALSE(file.open(target));
        ASSERT_FALSE(file.restart(url, "", std::nullopt));
        ASSERT_FALSE(file.append("other"));
    }
    EXPECT_EQ(count_files(), 0U);
}

TEST_F(PartialFile, IsRemovedOnRequest) {
    put(target, "old");
    leave_a_part();
    EXPECT_EQ(count_files(), 3U);
    partial_file file;
    ASSERT_FALSE(file.open(target));
    file.discard();
    EXPECT_EQ(count_files(), 1U);
    EXPECT_EQ(content(target), "old");
    ASSERT_FALSE(file.open(target));
    EXPECT_FALSE(file.state());
}

TEST_F(PartialFile, IsNotUsedWithoutASoundState) {
    const std::function<void()> damages[] = {
        [&] { fs::remove(state()); },
        [&] { put(state(), ""); },
        [&] { put(state(), content(state()) + "x"); },
        [&] { put(state(), std::string(content(state()).size(), '\0')); },
        [&] { put(state(), std::string(3 * 1024 * 1024, 'x')); },
        [&] { fs::remove(part()); },
        [&] { put(part(), ""); },
        [&] { put(part(), "longer than it can be"); },
    };
    for (const auto& damage : damages) {
        leave_a_part();
        damage();
        partial_file file;
        ASSERT_FALSE(file.open(target));
        EXPECT_FALSE(file.state());
        EXPECT_EQ(file.offset(), 0U);
        EXPECT_EQ(content(part()), "");
        EXPECT_FALSE(fs::exists(state()));
        ASSERT_FALSE(file.append("new"));
        ASSERT_FALSE(file.finish());
        EXPECT_EQ(content(target), "new");
        EXPECT_EQ(count_files(), 1U);
        fs::remove(target);
    }
}

TEST_F(PartialFile, CountsOnlySyncedBytesOfAnEarlierStartOfTheMachine) {
    leave_a_part();
    forget_boot();
    {
        partial_file file;
        ASSERT_FALSE(file.open(target));
        EXPECT_FALSE(file.state());
        EXPECT_EQ(content(part()), "");
        ASSERT_FALSE(file.restart(url, "\"a\"", 7));
        ASSERT_FALSE(file.append("one "));
        ASSERT_FALSE(file.checkpoint());
        ASSERT_FALSE(file.append("tw"));
    }
    forget_boot();
    {
        partial_file file;
        ASSERT_FALSE(file.open(target));
        ASSERT_TRUE(file.state());
        EXPECT_EQ(file.offset(), 4U);
        EXPECT_EQ(content(part()), "one ");
        ASSERT_FALSE(file.append("t"));
    }
    {
        // This start is the one that all bytes are of now.
        partial_file file;
        ASSERT_FALSE(file.open(target));
        EXPECT_EQ(file.offset(), 5U);
    }
    forget_boot();
    partial_file file;
    ASSERT_FALSE(file.open(target));
    EXPECT_EQ(file.offset(), 4U);
    ASSERT_FALSE(file.append("two"));
    ASSERT_FALSE(file.finish());
    EXPECT_EQ(content(target), "one two");
}

TEST_F(PartialFile, TrustsNoStartThatHasNoName) {
    leave_a_part();
    auto text = content(state());
    const auto boot = text.find("\nboot ");
    text.replace(boot, std::string::npos, "\nboot \nend\n");
    put(state(), text);
    partial_file file;
    ASSERT_FALSE(file.open(target));
    EXPECT_FALSE(file.state());
}

TEST_F(PartialFile, TakesNoCheckpointOfWhatCannotBeResumed) {
    partial_file file;
    ASSERT_FALSE(file.open(target));
    ASSERT_FALSE(file.restart(url, "", 3));
    ASSERT_FALSE(file.append("one"));
    ASSERT_FALSE(file.checkpoint());
    EXPECT_FALSE(fs::exists(state()));
}

TEST_F(PartialFile, IsFinishedOnlyWhenItIsWhole) {
    partial_file file;
    ASSERT_FALSE(file.open(target));
    ASSERT_FALSE(file.restart(url, "\"a\"", 7));
    ASSERT_FALSE(file.append("one"));
    EXPECT_EQ(file.finish(), error::incomplete_response);
    ASSERT_FALSE(file.append(" two, three"));
    EXPECT_EQ(file.finish(), error::incomplete_response);
    EXPECT_FALSE(fs::exists(target));
}

TEST_F(PartialFile, BelongsToOneDownloadAtATime) {
    partial_file first;
    ASSERT_FALSE(first.open(target));
    ASSERT_FALSE(first.restart(url, "\"a\"", 7));
    ASSERT_FALSE(first.append("one"));
    {
        partial_file second;
        EXPECT_EQ(second.open(target), error::target_busy);
        EXPECT_FALSE(second.state());
    }
    EXPECT_TRUE(in_child([&] {
        partial_file other;
        return other.open(target) == error::target_busy;
    }));
    EXPECT_EQ(content(part()), "one");
    ASSERT_FALSE(first.append(" two"));
    ASSERT_FALSE(first.finish());

    partial_file third;
    EXPECT_FALSE(third.open(target));
    EXPECT_FALSE(third.state());
    third.close();
    EXPECT_EQ(content(target), "one two");
    EXPECT_EQ(count_files(), 1U);
}

TEST_F(PartialFile, KnowsWhatWasWrittenBeforeAnError) {
    EXPECT_TRUE(in_child([&] {
        // Stands for a full disk: the first write is short, the second fails.
        ::signal(SIGXFSZ, SIG_IGN);
        const ::rlimit most{1000, 1000};
        partial_file file;
        if (file.open(target) || file.restart(url, "\"a\"", 5000)) return false;
        if (::setrlimit(RLIMIT_FSIZE, &most) != 0) return false;
        if (file.append(std::string(600, 'a'))) return false;
        const auto ec = file.append(std::string(600, 'b'));
        return ec == errc::file_too_large && file.offset() == 1000;
    }));
    partial_file file;
    ASSERT_FALSE(file.open(target));
    ASSERT_TRUE(file.state());
    EXPECT_EQ(file.offset(), 1000U);
    EXPECT_EQ(content(part()), std::string(600, 'a') + std::string(400, 'b'));
}

TEST_F(PartialFile, CanBeUsedAgain) {
    partial_file file;
    for (const char* name : {"x", "y"}) {
        target = directory / name;
        ASSERT_FALSE(file.open(target));
        ASSERT_FALSE(file.restart(url, "\"a\"", 1));
        ASSERT_FALSE(file.append(name));
    }
    EXPECT_EQ(content(directory / "x.part"), "x");
    ASSERT_FALSE(file.open(directory / "x"));
    EXPECT_EQ(file.offset(), 1U);
    ASSERT_FALSE(file.finish());
    EXPECT_TRUE(file.append("z").failed());
}

}  // namespace
