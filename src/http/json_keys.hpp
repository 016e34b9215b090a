// The keys of a JSON object as a table, from which it is read, written and described.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_JSON_KEYS_HPP
#define ASIO_RETRY_SRC_HTTP_JSON_KEYS_HPP

#include "http/json_place.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace asio_retry::http::detail {

/// One key of an object that stands for some Options.
template <typename Options>
class json_key {
public:
    std::string_view name;
    /// For the schema: what it means.
    std::string_view meaning;
    /// For the schema: which values it takes.
    json::object (*schema)();
    /// Sets the option; throws json_fault.
    void (*read)(const json_place&, Options&);
    /// The option as a value, or nothing where it is not to be written.
    std::optional<json::value> (*write)(const Options&);
};

template <typename Options>
using json_keys = std::span<const json_key<Options>>;

/// Calls `handle(member)` for the members of an object, each key once; it answers whether it knows
/// the key. Problems go to the place's list; answers whether there were none.
template <typename Handle>
bool each_member(const json_place& at,
                 std::span<const std::string_view> known,
                 const Handle& handle) {
    at.require_object();
    const auto& members = at.node().members;
    const std::size_t before = at.problem_count();
    for (auto i = members.begin(); i != members.end(); ++i) {
        at.attempt([&] {
            const auto same = std::find_if(
                members.begin(), i, [&](const json_member& m) { return m.key == i->key; });
            if (same != i) {
                at.refuse_key(*i,
                              "comes a second time; it is in line " +
                                  std::to_string(same->at.line) + " already");
            }
            if (!handle(*i)) {
                at.refuse_key(*i, "is not a known key" + did_you_mean(i->key, known));
            }
        });
    }
    return at.problem_count() == before;
}

/// Sets what the object says. As `each_member`.
template <typename Options>
bool read_keys(const json_place& at, json_keys<Options> keys, Options& options) {
    std::vector<std::string_view> known;
    for (const auto& key : keys) known.push_back(key.name);
    return each_member(at, known, [&](const json_member& member) {
        for (const auto& key : keys) {
            if (key.name != member.key) continue;
            key.read(json_place(at, member), options);
            return true;
        }
        return false;
    });
}

template <typename Options>
json::object write_keys(json_keys<Options> keys, const Options& options) {
    json::object result;
    for (const auto& key : keys) {
        if (auto value = key.write(options)) result.emplace(key.name, std::move(*value));
    }
    return result;
}

/// The schema of such an object; `defaults` show in it.
template <typename Options>
json::object schema_of(json_keys<Options> keys, const Options& defaults) {
    json::object properties;
    for (const auto& key : keys) {
        json::object property{{"description", json::string_view(key.meaning)}};
        for (const auto& [name, value] : key.schema()) property.emplace(name, value);
        const auto value = key.write(defaults);
        if (value && !value->is_object()) property.emplace("default", *value);
        properties.emplace(key.name, std::move(property));
    }
    return {{"type", "object"}, {"additionalProperties", false}, {"properties", properties}};
}

// Schemas of single values.

json::object duration_schema();
json::object limit_schema();  ///< a duration, or null for none
json::object count_schema(std::uint64_t least, std::uint64_t most);
json::object number_schema(double least, double most);
json::object boolean_schema();
json::object text_schema();
json::object choice_schema(std::span<const std::string_view> words);
json::object or_null(json::object schema);

// Values for files.

json::value duration_value(std::chrono::nanoseconds d);
json::value limit_value(std::chrono::nanoseconds d);  ///< null for the longest duration
json::value number_value(double d);                   ///< whole where it is
json::value text_value(std::string_view text);

}  // namespace asio_retry::http::detail

#endif
