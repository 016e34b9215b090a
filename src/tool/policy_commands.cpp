// SPDX-License-Identifier: BSL-1.0
#include <tool/exit_status.hpp>
#include <tool/explain_text.hpp>
#include <tool/fetch_request.hpp>
#include <tool/policy_commands.hpp>
#include <tool/schedule_svg.hpp>
#include <tool/usage_error.hpp>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <system_error>

namespace asio_retry::tool {

namespace {

class explain_options {
public:
    std::string file;
    std::string method = "GET";
    std::string svg;
    std::string url;
};

/// Runs `work(document)`, or says what is wrong with the file, a line a problem.
template <typename Work>
int with_policies(const std::string& file, const Work& work) {
    try {
        return work(http::detail::policy_document(
            http::detail::read_policy_file(file), file, base_policy()));
    } catch (const http::policy_file_error& e) {
        std::cerr << e.what() << '\n';
        return exit_usage;
    }
}

int print(const std::string& text) {
    std::cout << text;
    return std::cout.flush() ? exit_success : exit_no_response;
}

int run_check(const std::string& file) {
    return with_policies(file, [&](const http::detail::policy_document& document) {
        const auto count = document.table().size();
        return print(file + ": the default and " + std::to_string(count) +
                     (count == 1 ? " endpoint\n" : " endpoints\n"));
    });
}

int write(const std::string& file, const std::string& text) {
    std::ofstream out(file, std::ios::binary);
    if (out << text && out.flush()) return exit_success;
    const auto why = std::generic_category().message(errno);
    std::cerr << "asio-retry explain: " << file << ": " << why << '\n';
    return exit_no_response;
}

int run_explain(const explain_options& options) {
    return with_policies(options.file, [&](const http::detail::policy_document& document) {
        explanation said;
        try {
            said = explain(document, options.method, options.url);
        } catch (const std::invalid_argument& e) {
            throw usage_error(e.what());
        }
        if (const int failed = print(said.text)) return failed;
        if (options.svg.empty()) return exit_success;
        return write(options.svg, draw(said.title, schedules_of(said.policy.fetch().retry())));
    });
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_status) {
    auto* command = app.add_subcommand("check", "Is this policy file valid?");
    auto file = std::make_shared<std::string>();
    auto schema = std::make_shared<bool>(false);
    auto* named = command->add_option("FILE", *file, "A JSON file of policies")->type_name("");
    auto* printed =
        command->add_flag("--schema", *schema, "Print the JSON Schema of policy files instead");
    printed->excludes(named);
    command->footer(
        "Exit status: 0 it is; 2 it is not, and each problem has a line on standard error.");
    command->callback([file, schema, &exit_status] {
        if (!*schema && file->empty()) throw usage_error("name a file to check");
        exit_status = *schema ? print(http::detail::policy_schema()) : run_check(*file);
    });
}

void add_explain_command(CLI::App& app, int& exit_status) {
    auto* command = app.add_subcommand(
        "explain", "Which endpoint matches a request, and how it is retried then");
    auto options = std::make_shared<explain_options>();
    command->add_option("--policy", options->file, "A JSON file of policies")
        ->required()
        ->type_name("FILE");
    command->add_option("-X,--request", options->method, "The method (GET)")->type_name("M");
    command->add_option("--svg", options->svg, "Draw the schedule into FILE")->type_name("FILE");
    command->add_option("URL", options->url, "")->required()->type_name("");
    command->footer(
        "The last column of the policy tells where a value was set: by the library, by fetch, in "
        "the "
        "file's\ndefault, or by the endpoint.");
    command->callback([options, &exit_status] { exit_status = run_explain(*options); });
}

}  // namespace asio_retry::tool
