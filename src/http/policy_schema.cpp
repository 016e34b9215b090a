// SPDX-License-Identifier: BSL-1.0
#include "http/json_print.hpp"
#include "http/policy_document.hpp"
#include "http/policy_keys.hpp"

#include <boost/json/array.hpp>

namespace asio_retry::http::detail {

namespace {

json::object described(const char* meaning, json::object schema) {
    json::object result{{"description", meaning}};
    for (const auto& [key, value] : schema) result.emplace(key, value);
    return result;
}

json::object object_of(json::object properties, json::array required) {
    json::object result{{"type", "object"}, {"additionalProperties", false}};
    if (!required.empty()) result.emplace("required", std::move(required));
    result.emplace("properties", std::move(properties));
    return result;
}

json::object match_schema() {
    json::object schema = object_of(
        {{"origin",
          described("Scheme, host and port; the host may be *.suffix. Default: any.",
                    {{"type", "string"}, {"pattern", "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#@]+/?$"}})},
         {"path",
          described("A path, or the beginning of one and * for any rest. Default: any.",
                    {{"type", "string"}, {"pattern", "^/[^*?#]*[*]?$"}, {"maxLength", 1025}})},
         {"methods", described("Default: any.", {{"type", "array"}, {"items", text_schema()}})}},
        {});
    schema.emplace("minProperties", 1);
    return schema;
}

json::object endpoint_schema() {
    return object_of(
        {{"name",
          described("Shows in reports; an endpoint whose name stays keeps its state on a reload.",
                    {{"type", "string"},
                     {"minLength", 1},
                     {"maxLength", 200},
                     {"not", json::object{{"const", "default"}}}})},
         {"match",
          described("Which requests it is for. Of several endpoints the most specific counts: an "
                    "exact host before *.suffix, then a longer path before a shorter, then named "
                    "methods before any.",
                    match_schema())},
         {"policy",
          described("What differs from the default, key by key.", {{"$ref", "#/$defs/policy"}})}},
        {"name", "match"});
}

json::object definitions() {
    return {
        {"duration",
         json::object{{"type", "string"},
                      {"pattern", "^([0-9]+([.][0-9]{1,9})?|[.][0-9]{1,9})(ns|us|ms|s|m|h)?$"}}},
        {"backoff", schema_of(backoff_keys(), backoff_draft())},
        {"kind", schema_of(kind_keys(), kind_draft())},
        {"retry_budget", schema_of(budget_keys(), budget_options())},
        {"circuit_breaker", schema_of(breaker_keys(), breaker_options())},
        {"hedge", schema_of(hedge_keys(), hedge_draft())},
        {"policy", schema_of(policy_keys(), policy_draft())}};
}

}  // namespace

std::string policy_schema() {
    json::object document{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                          {"title", "asio-retry policies"}};
    for (auto& [key, value] :
         object_of({{"$schema", text_schema()},
                    {"version", json::object{{"const", 1}}},
                    {"default",
                     described("The policy of all requests, and the ground of the endpoints' own.",
                               {{"$ref", "#/$defs/policy"}})},
                    {"endpoints", json::object{{"type", "array"}, {"items", endpoint_schema()}}}},
                   {"version"})) {
        document.emplace(key, value);
    }
    document.emplace("$defs", definitions());
    return pretty(document) + "\n";
}

}  // namespace asio_retry::http::detail
