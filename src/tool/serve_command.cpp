// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/testing/fault_server.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <tool/exit_status.hpp>
#include <tool/serve_command.hpp>
#include <tool/serve_flags.hpp>

#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

namespace asio_retry::tool {
namespace {

using testing::fault_server;
using testing::fault_server_options;
using testing::server_counts;

/// "241 requests over 34 connections: 200 answered 2xx; 503: 30, reset: 11"
std::string summary(const server_counts& counts) {
    const auto total = counts.total();
    auto text = std::to_string(total.requests) + " requests over " +
                std::to_string(counts.connections) +
                " connections: " + std::to_string(total.succeeded) + " answered 2xx";
    const char* separator = "; ";
    for (const auto& [name, count] : total.faults) {
        text.append(separator).append(name).append(": ").append(std::to_string(count));
        separator = ", ";
    }
    if (counts.malformed > 0) text += "; malformed: " + std::to_string(counts.malformed);
    return text;
}

int serve(const serve_options& options) {
    // Before the server's thread and the announcement: whoever reads the line may end us at once.
    boost::asio::io_context context(1);
    boost::asio::signal_set signals(context, SIGINT, SIGTERM);
    signals.async_wait([](const boost::system::error_code&, int) {});

    fault_server_options how;
    how.port(options.port);
    if (!options.certificate_file.empty()) how.tls(options.certificate_file, options.key_file);
    if (options.verbose) {
        how.log([](std::string_view line) { (std::cerr << line).put('\n').flush(); });
    }
    try {
        const fault_server server(options.script, how);
        std::cout << "listening on " << server.origin() << '\n' << std::flush;
        if (!std::cout) {
            std::cerr << "asio-retry serve: the line with its port could not be written\n";
            return exit_no_response;
        }
        context.run();
        std::cerr << "asio-retry serve: " << summary(server.counts()) << '\n';
        return 0;
    } catch (const std::system_error& error) {
        std::cerr << "asio-retry serve: " << error.what() << '\n';
        return 1;
    }
}

}  // namespace

void add_serve_command(CLI::App& app, int& exit_status) {
    auto* command = app.add_subcommand("serve", "An HTTP server that fails as told");
    command->footer(
        "GET /.stats answers what was seen, as JSON; /.echo answers the request itself.");
    auto flags = std::make_shared<serve_flags>(*command);
    command->callback([flags, &exit_status] { exit_status = serve(flags->read()); });
}

}  // namespace asio_retry::tool
