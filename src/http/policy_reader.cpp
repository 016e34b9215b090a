// SPDX-License-Identifier: BSL-1.0
#include "http/hidden_credentials.hpp"
#include "http/json_keys.hpp"
#include "http/policy_check.hpp"
#include "http/policy_document.hpp"
#include "http/policy_keys.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <fstream>
#include <optional>
#include <tuple>
#include <utility>

namespace asio_retry::http {

namespace detail {

namespace {

constexpr std::array<std::string_view, 4> document_keys{
    "$schema", "version", "default", "endpoints"};
constexpr std::array<std::string_view, 3> endpoint_keys{"name", "match", "policy"};
constexpr std::array<std::string_view, 3> match_keys{"origin", "path", "methods"};

/// Puts a conflict where the keys at fault stand, if they stand in this object: else they are
/// inherited, and are complained of where they were set.
void refuse_conflicts(const json_place& at,
                      const endpoint_policy& policy,
                      const std::vector<std::string>& methods) {
    for (const policy_conflict& conflict : conflicts_of(policy, methods)) {
        for (const std::string_view key : conflict.keys) {
            const json_member* to_blame = at.node().find_path(key);
            if (to_blame == nullptr || to_blame->value.is_null()) continue;
            const auto dot = key.find('.');
            at.attempt([&] {
                const json_place outer(at, *at.node().find(key.substr(0, dot)));
                if (dot == std::string_view::npos) outer.refuse(conflict.text);
                json_place(outer, *to_blame).refuse(conflict.text);
            });
            break;
        }
    }
}

endpoint_policy read_policy(const json_place& at,
                            const endpoint_policy& inherited,
                            const std::vector<std::string>& methods) {
    policy_draft draft(inherited);
    if (!read_keys(at, policy_keys(), draft)) return inherited;
    endpoint_policy policy = draft.finish();
    refuse_conflicts(at, policy, methods);
    return policy;
}

void read_methods(const json_place& at, endpoint_match& match) {
    at.require_list();
    std::vector<std::string> methods;
    for (std::size_t i = 0; i < at.node().elements.size(); ++i) {
        const json_place here(at, at.node().elements[i], i);
        const std::string method = here.text();
        here.set([&] { endpoint_match().methods({method}); });
        methods.push_back(method);
    }
    match.methods(std::move(methods));
}

bool read_match(const json_place& at, endpoint_match& match) {
    return each_member(at, match_keys, [&](const json_member& member) {
        const json_place here(at, member);
        if (member.key == "methods") {
            read_methods(here, match);
        } else if (member.key == "origin") {
            here.set([&] { match.origin(here.text()); });
        } else if (member.key == "path") {
            here.set([&] { match.path(here.text()); });
        } else {
            return false;
        }
        return true;
    });
}

bool has_only(const json_place& at, std::span<const std::string_view> keys) {
    return each_member(at, keys, [&](const json_member& member) {
        return std::find(keys.begin(), keys.end(), member.key) != keys.end();
    });
}

const json_member& required(const json_place& at, std::string_view key) {
    const json_member* found = at.node().find(key);
    if (found == nullptr) at.refuse("needs \"" + std::string(key) + "\"");
    return *found;
}

class document_reader {
public:
    document_reader(const json_node& root, const endpoint_policy& base, problem_list& problems)
        : root_(root, problems), default_(base) {}

    std::optional<endpoint_table> read() {
        root_.attempt([&] {
            has_only(root_, document_keys);
            read_version();
            if (const auto* member = root_.node().find("$schema"))
                json_place(root_, *member).text();
        });
        if (const auto* member = root_.node().find("default")) {
            root_.attempt(
                [&] { default_ = read_policy(json_place(root_, *member), default_, {}); });
        }
        if (const auto* member = root_.node().find("endpoints")) {
            root_.attempt([&] { read_endpoints(json_place(root_, *member)); });
        }
        return make_table();
    }

private:
    void read_version() {
        const json_place version(root_, required(root_, "version"));
        if (version.whole_number(0, 1'000'000) != 1) {
            version.refuse("is not a version that is known here; must be 1");
        }
    }

    void read_endpoints(const json_place& at) {
        at.require_list();
        for (std::size_t i = 0; i < at.node().elements.size(); ++i) {
            at.attempt([&] { read_endpoint(json_place(at, at.node().elements[i], i)); });
        }
    }

    void read_endpoint(const json_place& at) {
        const bool is_fine = has_only(at, endpoint_keys);
        const json_place name(at, required(at, "name"));
        const json_place where(at, required(at, "match"));
        endpoint_match match;
        const bool is_matching = read_match(where, match);
        const auto* own = at.node().find("policy");
        endpoint_policy policy = own == nullptr
                                     ? default_
                                     : read_policy(json_place(at, *own), default_, match.methods());
        std::string text = name.text();
        name.set([&] { endpoint(text, endpoint_match().path("/valid")); });
        if (!is_fine || !is_matching) return;
        where.set([&] { list_.emplace_back(std::move(text), match, std::move(policy)); });
        nodes_.push_back(&at.node());
    }

    std::optional<endpoint_table> make_table() {
        try {
            return endpoint_table(default_, list_);
        } catch (const endpoint_error& e) {
            const json_place endpoints(root_, *root_.node().find("endpoints"));
            const json_node& at_fault = *nodes_[e.position()];
            const auto index =
                static_cast<std::size_t>(&at_fault - endpoints.node().elements.data());
            const json_place at(endpoints, at_fault, index);
            const bool is_name = std::string_view(e.what()).starts_with("name:");
            root_.attempt([&] {
                const json_place key(at, *at_fault.find(is_name ? "name" : "match"));
                key.set([&] { throw std::invalid_argument(e.what()); });
            });
            return std::nullopt;
        }
    }

    const json_place root_;
    endpoint_policy default_;
    std::vector<endpoint> list_;
    std::vector<const json_node*> nodes_;  // of the endpoints in the list
};

endpoint_table read_table(const json_node& root,
                          const std::string& file,
                          const endpoint_policy& base) {
    problem_list problems;
    auto table = document_reader(root, base, problems).read();
    if (problems.empty()) return std::move(*table);
    std::sort(problems.begin(), problems.end(), [](const auto& a, const auto& b) {
        return std::tuple(a.line(), a.column()) < std::tuple(b.line(), b.column());
    });
    throw policy_file_error(file, std::move(problems));
}

json_node parse_document(std::string_view text, const std::string& file) {
    try {
        return parse_json(text);
    } catch (const json_error& e) {
        throw policy_file_error(file, {policy_problem(e.at.line, e.at.column, "", e.what())});
    }
}

}  // namespace

policy_document::policy_document(std::string_view text,
                                 const std::string& file,
                                 const endpoint_policy& base)
    : root_(parse_document(text, file)), base_(base), table_(read_table(root_, file, base)) {}

std::string read_policy_file(const std::string& path) {
    constexpr std::streamoff largest = 64 * 1024 * 1024;
    const auto refuse = [&](const char* why) {
        throw policy_file_error(path, {policy_problem(0, 0, "", why)});
    };
    std::ifstream file(path, std::ios::binary);
    std::string text;
    char buffer[64 * 1024];
    while (file.read(buffer, sizeof buffer) || file.gcount() > 0) {
        text.append(buffer, static_cast<std::size_t>(file.gcount()));
        if (text.size() > largest) refuse("is larger than 64 MiB");
    }
    if (!file.eof() || file.bad()) refuse("cannot be read; is it a file, and readable?");
    return text;
}

}  // namespace detail

std::string policy_problem::to_string() const {
    std::string text;
    if (line_ != 0) text = std::to_string(line_) + ":" + std::to_string(column_) + ": ";
    return text + (path_.empty() ? "" : path_ + ": ") + text_;
}

namespace {

std::string text_of(const std::string& file, const std::vector<policy_problem>& problems) {
    constexpr std::size_t most = 20;
    std::string text;
    for (std::size_t i = 0; i < std::min(problems.size(), most); ++i) {
        const policy_problem& p = problems[i];
        text += (i == 0 ? "" : "\n") + file + (p.line() == 0 ? ": " : ":") + p.to_string();
    }
    if (problems.size() > most) {
        text += "\n" + file + ": and " + std::to_string(problems.size() - most) + " more";
    }
    return text;
}

}  // namespace

policy_file_error::policy_file_error(const std::string& file, std::vector<policy_problem> problems)
    : std::invalid_argument(text_of(detail::hide_credentials(file), problems)),
      problems_(std::move(problems)) {}

endpoint_table parse_policies(std::string_view text,
                              const std::string& name,
                              const endpoint_policy& base) {
    return detail::policy_document(text, name, base).table();
}

endpoint_table load_policies(const std::string& path, const endpoint_policy& base) {
    return parse_policies(detail::read_policy_file(path), path, base);
}

}  // namespace asio_retry::http
