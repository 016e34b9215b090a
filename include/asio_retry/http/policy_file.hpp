// Policies in a file: JSON that is read, checked, written, and watched for changes.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_POLICY_FILE_HPP
#define ASIO_RETRY_HTTP_POLICY_FILE_HPP

#include <asio_retry/http/endpoint_table.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio_retry::http {

/// One thing that is wrong with a policy file, where, and what would be right.
class policy_problem {
public:
    policy_problem(std::uint32_t line, std::uint32_t column, std::string path, std::string text)
        : path_(std::move(path)), text_(std::move(text)), line_(line), column_(column) {}

    /// From 1; 0 if the problem is not one of the text: the file cannot be read, say.
    std::uint32_t line() const noexcept { return line_; }
    /// In characters, from 1.
    std::uint32_t column() const noexcept { return column_; }
    /// As in `$.endpoints[0].policy.backoff.cap`; empty if the text is no JSON at all.
    const std::string& path() const noexcept { return path_; }
    const std::string& text() const noexcept { return text_; }

    /// `12:5: $.default.max_attempts: 0 must be ...`
    std::string to_string() const;

private:
    std::string path_;
    std::string text_;
    std::uint32_t line_;
    std::uint32_t column_;
};

/// A policy file that cannot be used. Its text has a line for each problem, with the file's name.
class policy_file_error : public std::invalid_argument {
public:
    policy_file_error(const std::string& file, std::vector<policy_problem> problems);

    /// At least one. Several where one does not follow from another.
    const std::vector<policy_problem>& problems() const noexcept { return problems_; }

private:
    std::vector<policy_problem> problems_;
};

/// Reads policies from the text of a file. `name` is what errors call it.
/** The file is an object with `version` (1), `default` (a policy), and `endpoints`, a list of
    objects with `name`, `match` and `policy`; policy.schema.json, which is installed beside this
    header, describes all keys.

    What `default` does not say is as in `base`; what the policy of an endpoint does not say is as
    in `default`. Objects are inherited key by key, lists whole. A `backoff` that names another
    `kind` than the inherited one inherits nothing from it. `null` removes what is inherited: it
    turns a guard or hedging off, lifts a time limit, drops the limits of a kind. Functions and
    observers come from `base` alone.
    @throws policy_file_error. */
endpoint_table parse_policies(std::string_view text,
                              const std::string& name = "policies",
                              const endpoint_policy& base = endpoint_policy());

/// The same from a file of at most 64 MiB. @throws policy_file_error also if it cannot be read.
endpoint_table load_policies(const std::string& path,
                             const endpoint_policy& base = endpoint_policy());

/// Writes a file that `parse_policies` reads back into an equal table: `default` in full, and of
/// each endpoint what differs from it.
/** Observers and random functions, which only watch and seed, are left out.
    @throws std::invalid_argument for what no file can hold: a custom backoff, a classifier, a
    deadline. */
std::string print_policies(const endpoint_table& table);

}  // namespace asio_retry::http

#endif
