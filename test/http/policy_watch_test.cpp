#include "support/certificates.hpp"
#include "support/run.hpp"
#include <asio_retry/http/policy_watch.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using namespace asio_retry::http;
using asio_retry::test::aborted;

std::string policies(unsigned attempts) {
    return R"({"version": 1, "default": {"max_attempts": )" + std::to_string(attempts) + "}}";
}

/// A watch that runs, and what it told.
class watching {
public:
    explicit watching(std::string path,
                      endpoint_policy base = endpoint_policy(),
                      std::chrono::milliseconds debounce = 5ms) {
        auto options =
            policy_watch_options()
                .debounce(debounce)
                .base(std::move(base))
                .on_reload([this](const endpoint_table& t) {
                    told.push_back(std::to_string(t.policy(0).fetch().retry().max_attempts()));
                })
                .on_refusal([this](const policy_file_error& e) {
                    told.push_back(e.problems().front().text());
                });
        auto watch = watch_policies(std::move(path), registry, std::move(options));
        auto finish = [this](const std::exception_ptr& e) {
            ended = true;
            error = asio_retry::detail::error_of(e);
        };
        asio::co_spawn(context,
                       std::move(watch),
                       asio::bind_cancellation_slot(signal.slot(), std::move(finish)));
    }

    /// Runs until so much was told, or something is wrong.
    std::vector<std::string> until(std::size_t count) {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (told.size() < count && !ended && std::chrono::steady_clock::now() < deadline) {
            context.run_one_for(100ms);
        }
        return told;
    }

    unsigned attempts() const { return registry->table().policy(0).fetch().retry().max_attempts(); }

    asio::io_context context;
    asio::cancellation_signal signal;
    std::shared_ptr<endpoint_registry> registry = std::make_shared<endpoint_registry>();
    std::vector<std::string> told;
    bool ended = false;
    asio_retry::error_code error;
};

using told = std::vector<std::string>;

TEST(WatchPolicies, LoadsTheFileAndItsChanges) {
    const asio_retry::test::temporary_directory directory;
    const auto path = directory.write("p.json", policies(5));
    watching w(path);
    EXPECT_EQ(w.until(1), (told{"5"}));
    EXPECT_EQ(w.attempts(), 5U);
    directory.write("p.json", policies(6));
    EXPECT_EQ(w.until(2), (told{"5", "6"}));
    EXPECT_EQ(w.attempts(), 6U);
    EXPECT_EQ(w.registry->generation(), 2U);
}

TEST(WatchPolicies, SurvivesEditorsThatReplaceTheFile) {
    const asio_retry::test::temporary_directory directory;
    const auto path = directory.write("p.json", policies(5));
    watching w(path);
    w.until(1);
    for (unsigned n = 6; n < 9; ++n) {
        fs::rename(directory.write("p.json~", policies(n)), path);
        EXPECT_EQ(w.until(n - 4).back(), std::to_string(n));
    }
}

TEST(WatchPolicies, LeavesTheOldTableInForceWhereTheFileIsBad) {
    const asio_retry::test::temporary_directory directory;
    const auto path = directory.write("p.json", policies(5));
    watching w(path);
    w.until(1);
    directory.write("p.json", policies(0));
    EXPECT_EQ(w.until(2).back(), "0 must be a whole number from 1 to 4294967295");
    EXPECT_EQ(w.attempts(), 5U);
    EXPECT_EQ(w.registry->generation(), 1U);
    fs::remove(path);
    EXPECT_EQ(w.until(3).back(), "cannot be read; is it a file, and readable?");
    EXPECT_EQ(w.attempts(), 5U);
    directory.write("p.json", policies(7));
    EXPECT_EQ(w.until(4).back(), "7");
    EXPECT_EQ(w.attempts(), 7U);
}

TEST(WatchPolicies, LoadsAFileThatComesBackAsItWas) {
    const asio_retry::test::temporary_directory directory;
    const auto path = directory.write("p.json", policies(5));
    watching w(path);
    w.until(1);
    fs::remove(path);
    w.until(2);
    directory.write("p.json", policies(5));
    EXPECT_EQ(w.until(3).back(), "5");
}

TEST(WatchPolicies, WaitsForAFileThatIsNotThereYet) {
    const asio_retry::test::temporary_directory directory;
    const auto inner = directory.path() / "inner";
    watching w((inner / "p.json").string());
    EXPECT_EQ(w.until(1).size(), 1U);
    fs::create_directory(inner);
    std::ofstream(inner / "p.json") << policies(5);
    EXPECT_EQ(w.until(2).back(), "5");
}

TEST(WatchPolicies, FollowsLinks) {
    const asio_retry::test::temporary_directory directory;
    const auto at = [&](const char* name) { return directory.path() / name; };
    for (const char* name : {"v1", "v2"}) fs::create_directory(at(name));
    std::ofstream(at("v1") / "p.json") << policies(5);
    std::ofstream(at("v2") / "p.json") << policies(6);
    fs::create_directory_symlink("v1", at("data"));
    fs::create_symlink("data/p.json", at("p.json"));
    watching w(at("p.json").string());
    EXPECT_EQ(w.until(1).back(), "5");
    fs::create_directory_symlink("v2", at("new"));
    fs::rename(at("new"), at("data"));
    EXPECT_EQ(w.until(2).back(), "6");
    std::ofstream(at("v2") / "p.json") << policies(7);
    EXPECT_EQ(w.until(3).back(), "7");
}

TEST(WatchPolicies, LoadsTheSameTextOnce) {
    const asio_retry::test::temporary_directory directory;
    const auto path = directory.write("p.json", policies(5));
    watching w(path);
    w.until(1);
    directory.write("p.json", policies(5));
    directory.write("other.json", "x");
    w.context.run_for(100ms);
    directory.write("p.json", policies(6));
    EXPECT_EQ(w.until(2), (told{"5", "6"}));
}

TEST(WatchPolicies, LoadsAFileOnceItRests) {
    const asio_retry::test::temporary_directory directory;
    const auto path = directory.write("p.json", policies(5));
    watching w(path, endpoint_policy(), 1s);
    w.until(1);
    for (unsigned n = 6; n < 12; ++n) {
        directory.write("p.json", n < 11 ? "{" : policies(n));
        w.context.run_for(10ms);
    }
    EXPECT_EQ(w.until(2), (told{"5", "11"}));
}

TEST(WatchPolicies, LoadsAFileThatNeverRests) {
    const asio_retry::test::temporary_directory directory;
    const auto path = directory.write("p.json", policies(5));
    watching w(path, endpoint_policy(), 50ms);
    w.until(1);
    const auto end = std::chrono::steady_clock::now() + 20s;
    for (unsigned n = 6; w.told.size() == 1 && std::chrono::steady_clock::now() < end; ++n) {
        directory.write("p.json", policies(n));
        w.context.run_for(1ms);
    }
    EXPECT_EQ(w.told.size(), 2U);
}

TEST(WatchPolicies, TakesTheBaseForWhatTheFileDoesNotSay) {
    const asio_retry::test::temporary_directory directory;
    watching w(directory.write("p.json", policies(5)),
               endpoint_policy().fetch(fetch_policy().max_redirects(9)));
    w.until(1);
    EXPECT_EQ(w.registry->table().policy(0).fetch().max_redirects(), 9U);
}

TEST(WatchPolicies, EndsWhenItIsCancelled) {
    const asio_retry::test::temporary_directory directory;
    const auto path = directory.write("p.json", policies(5));
    watching w(path);
    w.until(1);
    w.signal.emit(asio::cancellation_type::terminal);
    w.context.run_for(20s);
    EXPECT_TRUE(w.ended);
    EXPECT_EQ(w.error, aborted);
    EXPECT_EQ(w.told.size(), 1U);
    EXPECT_TRUE(w.context.stopped()) << "something outlived it";
    EXPECT_EQ(w.registry.use_count(), 1);
}

TEST(WatchPolicies, EndsWhenItIsCancelledWhileTheFileIsSettling) {
    const asio_retry::test::temporary_directory directory;
    const auto path = directory.write("p.json", policies(5));
    watching w(path, endpoint_policy(), 10s);
    w.until(1);
    directory.write("p.json", policies(6));
    w.context.run_one_for(20s);
    w.signal.emit(asio::cancellation_type::terminal);
    w.context.run_for(20s);
    EXPECT_TRUE(w.ended);
    EXPECT_EQ(w.error, aborted);
    EXPECT_EQ(w.attempts(), 5U);
}

}  // namespace
