// The options of `asio-retry fetch` as CLI11 knows them, and how their values are read.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_FLAGS_HPP
#define ASIO_RETRY_TOOL_FETCH_FLAGS_HPP

#include <CLI/App.hpp>
#include <tool/fetch_options.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::tool {

/// Registers fetch's options with a command; after parsing, reads them.
/** Reads CLI11's raw words: its conversions give `{}` and `[1,2]`, which are fine bodies for a
    request, a meaning of their own. */
class fetch_flags {
public:
    explicit fetch_flags(CLI::App& command);

    /// The options as given. Throws usage_error for a value that is wrong, or that does not
    /// go together with another; reads the files that `-d` names.
    fetch_options read() const;

private:
    using reader = std::function<void(fetch_options&, const std::string&)>;

    class entry {
    public:
        entry(CLI::Option* o, reader r) : option(o), read(std::move(r)) {}
        CLI::Option* option;
        reader read;
    };

    void value(const std::string& names, const char* type, const char* help, reader read);
    void flag(const std::string& names, const char* help, bool fetch_options::* member);

    void add_request_flags();
    void add_connection_flags();
    void add_retry_flags();
    void add_output_flags();

    CLI::App& command_;
    const char* group_ = "";
    std::vector<entry> entries_;
};

}  // namespace asio_retry::tool

#endif
