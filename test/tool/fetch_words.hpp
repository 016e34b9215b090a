// Parses fetch's command line in the test's own process.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <tool/fetch_arguments.hpp>
#include <tool/fetch_flags.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace asio_retry::test {

/// The options that the words after `fetch` come to. Throws CLI::ParseError as the tool sees it.
inline tool::fetch_options parse(const std::vector<std::string>& words) {
    CLI::App app;
    auto* command = app.add_subcommand("fetch");
    app.add_subcommand("serve");
    const tool::fetch_flags flags(*command);
    auto arguments = tool::fetch_arguments(*command, words);
    arguments.insert(arguments.begin(), "fetch");
    std::reverse(arguments.begin(), arguments.end());
    app.parse(std::move(arguments));
    return flags.read();
}

/// What is said of words that are refused; "" if they are not.
inline std::string error_of(const std::vector<std::string>& words) {
    try {
        parse(words);
        return {};
    } catch (const CLI::ParseError& e) {
        return e.what();
    }
}

}  // namespace asio_retry::test
