// A directory for the tests of partial files, with a target in it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TEST_SUPPORT_PART_DIRECTORY_HPP
#define ASIO_RETRY_TEST_SUPPORT_PART_DIRECTORY_HPP

#include "http/partial_file.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace asio_retry::test {

class part_directory : public testing::Test {
protected:
    part_directory() {
        std::string name =
            (std::filesystem::temp_directory_path() / "partial_file_XXXXXX").string();
        directory = ::mkdtemp(name.data());
        target = directory / "file";
    }
    ~part_directory() override { std::filesystem::remove_all(directory); }
    part_directory(const part_directory&) = delete;
    part_directory& operator=(const part_directory&) = delete;

    std::filesystem::path part() const { return target.string() + ".part"; }
    std::filesystem::path state() const { return target.string() + ".part.state"; }

    static std::string content(const std::filesystem::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    static void put(const std::filesystem::path& path, std::string_view text) {
        std::ofstream(path, std::ios::binary) << text;
    }

    std::size_t count_files() const {
        return static_cast<std::size_t>(std::distance(
            std::filesystem::directory_iterator(directory), std::filesystem::directory_iterator()));
    }

    /// A download of "one two" that ends after "one".
    void leave_a_part(std::string_view validator = "\"a\"",
                      std::optional<std::uint64_t> length = 7) const {
        http::detail::partial_file file;
        ASSERT_FALSE(file.open(target));
        ASSERT_FALSE(file.restart("http://127.0.0.1/file", validator, length));
        ASSERT_FALSE(file.append("one"));
    }

    /// As if the machine had been started anew since.
    void forget_boot() const {
        auto text = content(state());
        const auto boot = text.find("\nboot ");
        ASSERT_NE(boot, std::string::npos);
        text.replace(boot, std::string::npos, "\nboot another\nend\n");
        put(state(), text);
    }

    std::filesystem::path directory;
    std::filesystem::path target;
};

/// What a child process answers.
inline bool in_child(const std::function<bool()>& body) {
    const auto child = ::fork();
    if (child == 0) ::_exit(body() ? 0 : 1);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace asio_retry::test

#endif
