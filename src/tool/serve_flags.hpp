// The options of `asio-retry serve`, and the script that they and a file make together.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_SERVE_FLAGS_HPP
#define ASIO_RETRY_TOOL_SERVE_FLAGS_HPP

#include <asio_retry/testing/fault_script.hpp>

#include <CLI/App.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace asio_retry::tool {

/// What the command line and the file say.
struct serve_options {
    testing::fault_script script;
    std::uint16_t port = 0;
    std::string certificate_file;
    std::string key_file;
    bool verbose = false;
};

/// Registers serve's options with a command; after parsing, reads them.
class serve_flags {
public:
    explicit serve_flags(CLI::App& command);

    /// The script is `--faults`' with the other flags over its defaults.
    /** Throws CLI::ValidationError for a value or a file that is wrong. */
    serve_options read() const;

private:
    using reader = std::function<void(serve_options&, const std::string&)>;

    class entry {
    public:
        entry(CLI::Option* o, reader r) : option(o), read(std::move(r)) {}
        CLI::Option* option;
        reader read;
    };

    CLI::Option* value(const std::string& names, const char* type, const char* help, reader read);
    void flag(const std::string& names, const char* help, reader read);
    void rate_of(const std::string& name, testing::fault_kind kind, const char* help);

    void add_server_flags();
    void add_fault_flags();
    void add_response_flags();

    CLI::App& command_;
    const char* group_ = "";
    std::vector<entry> entries_;
};

}  // namespace asio_retry::tool

#endif
