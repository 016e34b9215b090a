// SPDX-License-Identifier: BSL-1.0
#include <sys/stat.h>
#include <tool/fetch_check.hpp>
#include <tool/fetch_output.hpp>
#include <tool/fetch_values.hpp>
#include <tool/usage_error.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>

namespace asio_retry::tool {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& text) { throw usage_error(text); }

void check_request(fetch_options& o) {
    if (o.urls.empty()) refuse("no URL given");
    if (o.head_only && o.has_data()) refuse("--head sends no --data");
    if (o.method.empty()) o.method = o.head_only ? "HEAD" : o.has_data() ? "POST" : "GET";
    if (o.key == key_choice::given && o.idempotency_key.empty()) {
        refuse("--idempotency-key: the KEY is empty; leave it out and one is made up");
    }
    if (o.key != key_choice::none && has_header(o, "Idempotency-Key")) {
        refuse("--idempotency-key and -H 'Idempotency-Key: ...' exclude each other");
    }
    if (o.has_data() && !has_header(o, "Content-Type") && o.removed_headers.empty()) {
        o.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    }
}

void check_readable(const char* option, const std::string& path) {
    if (!path.empty() && ::access(path.c_str(), R_OK) != 0) {
        refuse(std::string(option) + ": '" + path + "' cannot be read: " + error_text(errno));
    }
}

void check_connection(fetch_options& o) {
    check_readable("--cacert", o.ca_file);
    check_readable("--cert", o.certificate_file);
    check_readable("--key", o.key_file);
    if (o.certificate_file.empty() && !o.key_file.empty()) refuse("--key goes with --cert");
    if (o.key_file.empty()) o.key_file = o.certificate_file;
    if (o.insecure && !o.ca_file.empty()) refuse("--insecure and --cacert exclude each other");
    if (o.max_redirects && !o.follow) refuse("--max-redirs goes with --location");
}

void check_writable(const std::string& path) {
    std::error_code ignored;
    const auto target =
        fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored) : fs::path(path);
    if (fs::is_directory(target, ignored)) refuse("--output: '" + path + "' is a directory");
    auto directory = target.parent_path();
    if (directory.empty()) directory = ".";
    if (::access(is_special(target) ? target.c_str() : directory.c_str(), W_OK) != 0) {
        refuse("--output: '" + path + "' cannot be written: " + error_text(errno));
    }
}

bool is_same(const std::string& a, const std::string& b) {
    std::error_code ignored;
    const auto place = fs::weakly_canonical(fs::absolute(a, ignored), ignored);
    return a == b ||
           (!place.empty() && place == fs::weakly_canonical(fs::absolute(b, ignored), ignored));
}

bool has_output(const fetch_options& o, const std::string& file) {
    return std::any_of(o.output_files.begin(), o.output_files.end(), [&](const std::string& each) {
        return is_same(each, file);
    });
}

/// Whether it is what standard output leads to by another name. A device other than a terminal
/// mixes nothing up: it keeps nothing.
bool is_standard_output(const std::string& file) {
    struct ::stat named{};
    struct ::stat standard{};
    if (::stat(file.c_str(), &named) != 0 || ::fstat(STDOUT_FILENO, &standard) != 0) return false;
    if (S_ISCHR(standard.st_mode) && ::isatty(STDOUT_FILENO) == 0) return false;
    return named.st_dev == standard.st_dev && named.st_ino == standard.st_ino;
}

void check_resume(const fetch_options& o, bool to_standard_output) {
    const auto exclude = [](bool given, const std::string& other) {
        if (given) refuse("--continue-at and " + other + " exclude each other");
    };
    if (to_standard_output) refuse("--continue-at goes with an --output FILE for each URL");
    for (const auto& file : o.output_files) {
        if (is_special(file)) refuse("--continue-at: '" + file + "' is no regular file");
    }
    exclude(o.method == "HEAD", "--head");
    exclude(o.include_head, "--include");
    exclude(o.compressed, "--compressed");
    exclude(o.hedge.has_value(), "--hedge");
    exclude(has_header(o, "Range") || has_header(o, "If-Range"), "a Range of your own");
}

void check_output(const fetch_options& o) {
    if (o.output_files.size() > o.urls.size()) {
        refuse(std::to_string(o.output_files.size()) + " --output for " +
               std::to_string(o.urls.size()) + (o.urls.size() == 1 ? " URL" : " URLs"));
    }
    for (auto file = o.output_files.begin(); file != o.output_files.end(); ++file) {
        if (*file == "-") continue;
        check_writable(*file);
        const bool is_second = std::any_of(
            o.output_files.begin(), file, [&](const auto& each) { return is_same(each, *file); });
        if (is_second && !is_special(*file)) {
            refuse("--output: '" + *file + "' is named twice");
        }
        if (has_output(o, *file + ".part")) {
            refuse("--output: '" + *file + ".part' is where '" + *file +
                   "' stands until it is whole");
        }
    }
    const bool to_file = o.report_file != "-" && !is_special(o.report_file);
    if (to_file && has_output(o, o.report_file)) {
        refuse("--report: '" + o.report_file + "' is an --output too");
    }
    const bool to_standard_output = o.output_files.size() < o.urls.size() || has_output(o, "-");
    const bool shares_it =
        to_standard_output ||
        std::any_of(o.output_files.begin(), o.output_files.end(), is_standard_output);
    if (o.report_file == "-" && shares_it) {
        refuse("--report - takes standard output; give each URL an --output FILE");
    }
    if (o.resume) check_resume(o, to_standard_output);
}

}  // namespace

void check_together(fetch_options& options) {
    check_request(options);
    check_connection(options);
    check_output(options);
}

}  // namespace asio_retry::tool
