// Policies as JSON, and where each value of them comes from.
// SPDX-License-Identifier: BSL-1.0
#include "http/json_print.hpp"
#include "http/policy_document.hpp"
#include "http/policy_keys.hpp"

#include <boost/json/array.hpp>

#include <stdexcept>
#include <utility>

namespace asio_retry::http {

namespace detail {

namespace {

std::string text_of(std::string_view name) { return "endpoint '" + std::string(name) + "': "; }

/// What a file cannot hold, though the policy would behave otherwise without it.
void check_writable(const retry_policy& p) {
    if (p.has_classifier()) {
        throw std::invalid_argument("classifier: a function cannot be written to a file");
    }
    if (p.deadline() != steady_time::max()) {
        throw std::invalid_argument(
            "deadline: a point in time cannot be written to a file; use total_timeout");
    }
}

json::object written(const endpoint_policy& policy) {
    check_writable(policy.fetch().retry());
    return write_keys(policy_keys(), policy_draft(policy));
}

json::object written(const endpoint_table& table, endpoint_table::number n) {
    try {
        return written(table.policy(n));
    } catch (const std::invalid_argument& e) {
        throw std::invalid_argument(text_of(table.name(n)) + e.what());
    }
}

/// Of an object.
const json::value* kind_of(const json::value& v) { return v.get_object().if_contains("kind"); }

/// What has to be said on the ground of `base` to mean `own`.
json::object difference(const json::object& base, const json::object& own) {
    json::object result;
    for (const auto& [key, value] : own) {
        const json::value* inherited = base.if_contains(key);
        if (inherited != nullptr && *inherited == value) continue;
        const bool both = inherited != nullptr && inherited->is_object() && value.is_object();
        // A backoff of another kind inherits nothing.
        const bool anew = both && kind_of(value) != nullptr && kind_of(*inherited) != nullptr &&
                          *kind_of(value) != *kind_of(*inherited);
        if (both && !anew) {
            result.emplace(key, difference(inherited->get_object(), value.get_object()));
        } else {
            result.emplace(key, value);
        }
    }
    for (const auto& [key, value] : base) {
        if (!own.contains(key)) result.emplace(key, nullptr);
    }
    return result;
}

json::object written(const endpoint_match& match) {
    json::object result;
    if (!match.origin().empty()) result.emplace("origin", match.origin());
    if (match.path() != endpoint_match().path()) result.emplace("path", match.path());
    if (!match.methods().empty()) {
        result.emplace("methods", json::array(match.methods().begin(), match.methods().end()));
    }
    return result;
}

/// Writes values down, leaf by leaf.
class leaf_walk {
public:
    /// `own` and `file` are what the file says for the endpoint and for its default, if anything;
    /// `inherited` and `base` what was in force before each of the two.
    leaf_walk(const json_node* own,
              const json::object& inherited,
              const json_node* file,
              const json::object& base)
        : layers_{{own, &inherited, value_source::endpoint},
                  {file, &base, value_source::file_default}} {}

    std::vector<policy_value> walk(const json::object& policy) {
        descend(policy, "");
        return std::move(values_);
    }

private:
    class layer {
    public:
        const json_node* node;
        const json::object* before;
        value_source source;
    };

    void descend(const json::object& object, const std::string& path) {
        for (const auto& [key, value] : object) {
            std::string here = path + (path.empty() ? "" : ".");
            here.append(key.data(), key.size());
            if (value.is_object() && !value.get_object().empty()) {
                descend(value.get_object(), here);
            } else {
                values_.emplace_back(here, one_line(value), source_of(here));
            }
        }
    }

    value_source source_of(const std::string& path) const {
        for (const layer& each : layers_) {
            if (each.node == nullptr) continue;
            if (each.node->find_path(path) != nullptr) return each.source;
            if (begins_anew(each, path)) return value_source::library;
        }
        return value_source::library;
    }

    /// Whether the value belongs to a backoff of which this layer has named another kind, and so
    /// inherited nothing.
    static bool begins_anew(const layer& l, const std::string& path) {
        const auto last = path.rfind('.');
        if (last == std::string::npos) return false;
        const json_member* kind = l.node->find_path(path.substr(0, last) + ".kind");
        if (kind == nullptr) return false;
        const json::value* before = find(*l.before, path.substr(0, last) + ".kind");
        return before == nullptr || *before != kind->value.scalar;
    }

    static const json::value* find(const json::object& object, std::string_view path) {
        const auto dot = path.find('.');
        const auto key = path.substr(0, dot);
        const json::value* value = object.if_contains(json::string_view(key.data(), key.size()));
        if (value == nullptr || dot == std::string_view::npos) return value;
        return value->is_object() ? find(value->get_object(), path.substr(dot + 1)) : nullptr;
    }

    std::vector<policy_value> values_;
    layer layers_[2];
};

}  // namespace

std::vector<policy_value> policy_document::values(endpoint_table::number n) const {
    const json_member* file = root_.find("default");
    const json_member* own = nullptr;
    if (n != endpoint_table::default_number) {
        own = root_.find("endpoints")->value.elements[n - 1].find("policy");
    }
    const auto inherited = written(table_, endpoint_table::default_number);
    const auto base = written(base_);
    leaf_walk walk(own == nullptr ? nullptr : &own->value,
                   inherited,
                   file == nullptr ? nullptr : &file->value,
                   base);
    return walk.walk(written(table_, n));
}

}  // namespace detail

std::string print_policies(const endpoint_table& table) {
    using namespace detail;
    const json::object defaults = written(table, endpoint_table::default_number);
    json::array endpoints;
    for (endpoint_table::number n = 1; n <= table.size(); ++n) {
        json::object each{{"name", text_value(table.name(n))}, {"match", written(table.match(n))}};
        json::object own = difference(defaults, written(table, n));
        if (!own.empty()) each.emplace("policy", std::move(own));
        endpoints.push_back(std::move(each));
    }
    json::object document{{"version", 1}, {"default", defaults}};
    if (!endpoints.empty()) document.emplace("endpoints", std::move(endpoints));
    std::string text = pretty(document) + "\n";
    try {
        parse_policies(text);  // what conflicts in the policies is found here
    } catch (const policy_file_error& e) {
        const policy_problem& first = e.problems().front();
        throw std::invalid_argument(first.path() + ": " + first.text());
    }
    return text;
}

}  // namespace asio_retry::http
