// The command line tool: finds the command, runs it, and turns wrong usage into one line.
// SPDX-License-Identifier: BSL-1.0
#include "http/hidden_credentials.hpp"
#include <asio_retry/version.hpp>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <tool/exit_status.hpp>
#include <tool/fetch_arguments.hpp>
#include <tool/fetch_command.hpp>
#include <tool/policy_commands.hpp>
#include <tool/serve_command.hpp>
#include <tool/spelling.hpp>
#include <tool/usage_error.hpp>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

namespace asio_retry::tool {

namespace {

using words = std::vector<std::string>;

[[noreturn]] void refuse(const std::string& text) { throw usage_error(text); }

bool is_command(const CLI::App& app, const std::string& word) {
    const auto named = [&](const CLI::App* each) { return each->get_name() == word; };
    return !app.get_subcommands(named).empty();
}

/// Of `--name=value` or `-nvalue`: the value may be a password.
std::string option_name(const std::string& word) {
    return word.substr(0, word.starts_with("--") ? word.find('=') : 2);
}

void check_command(const CLI::App& app, const words& arguments) {
    if (arguments.empty()) refuse("say what to do: fetch, serve, check or explain");
    const auto& command = arguments.front();
    if (app.get_option_no_throw(command) != nullptr || is_command(app, command)) return;
    if (command.starts_with('-')) {
        refuse("there is no option " + option_name(command) + " before a command");
    }
    if (command.find("://") != std::string::npos) refuse("write asio-retry fetch " + command);
    const auto alike = closest_word(command, {"check", "explain", "fetch", "serve"});
    refuse("there is no command '" + command + "'" +
           (alike.empty() ? "" : "; did you mean " + alike + "?"));
}

void parse(CLI::App& app, const CLI::App& fetch, words arguments) {
    check_command(app, arguments);
    if (arguments.front() == fetch.get_name()) {
        const auto rest = fetch_arguments(fetch, words(arguments.begin() + 1, arguments.end()));
        arguments.resize(1);
        arguments.insert(arguments.end(), rest.begin(), rest.end());
    }
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
}

/// Where a standard stream was closed, a socket would take its number, and be written to.
void open_standard_streams() {
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(descriptor, F_GETFD) != -1) continue;
        // The wrong way round, so that using it is an error.
        const int opened = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        if (opened != descriptor) std::_Exit(exit_no_response);
    }
}

/// As CLI11 says it, but for the values of options.
std::string unexpected(const CLI::App& app) {
    const auto extra = app.remaining(true);
    std::string text = extra.size() == 1 ? "The following argument was not expected:"
                                         : "The following arguments were not expected:";
    for (const auto& each : extra) text += " " + (each.starts_with('-') ? option_name(each) : each);
    return text;
}

int explain(const CLI::App& app, const words& arguments, const std::string& said) {
    // It quotes arguments, and one may be a URL.
    auto text = http::detail::hide_credentials(said);
    std::replace(text.begin(), text.end(), '\n', ' ');
    const bool known = !arguments.empty() && is_command(app, arguments.front());
    std::cerr << "asio-retry: " << text << " (see asio-retry "
              << (known ? arguments.front() + " " : "") << "--help)\n";
    return exit_usage;
}

int run(const words& arguments) {
    int exit_status = exit_success;
    CLI::App app("Fetch over HTTP with retries that do no harm; serve failures to try them on.",
                 "asio-retry");
    app.set_version_flag("--version", "asio-retry " ASIO_RETRY_VERSION_STRING);
    app.require_subcommand(1);
    const auto* fetch = add_fetch_command(app, exit_status);
    add_serve_command(app, exit_status);
    add_check_command(app, exit_status);
    add_explain_command(app, exit_status);
    try {
        parse(app, *fetch, arguments);
    } catch (const CLI::ExtrasError&) {
        return explain(app, arguments, unexpected(app));
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() != static_cast<int>(CLI::ExitCodes::Success)) {
            return explain(app, arguments, e.what());
        }
        app.exit(e);  // prints the help or the version
        return std::cout.flush() ? exit_success : exit_no_response;
    }
    return exit_status;
}

}  // namespace

}  // namespace asio_retry::tool

int main(int argc, char** argv) {
    namespace tool = asio_retry::tool;
    // A reader that went away is an error of the write, not the end of the program.
    std::signal(SIGPIPE, SIG_IGN);
    tool::open_standard_streams();
    // What OpenSSL would give back at the end, the system takes back sooner.
    OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);
    try {
        return tool::run(std::vector<std::string>(argv + 1, argv + argc));
    } catch (const std::bad_alloc&) {
        std::fputs("asio-retry: out of memory\n", stderr);
    } catch (const std::exception& e) {
        const auto text = asio_retry::http::detail::hide_credentials(e.what());
        std::fprintf(stderr, "asio-retry: %s\n", text.c_str());
    }
    return tool::exit_no_response;
}
