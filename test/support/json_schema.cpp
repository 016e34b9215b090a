#include "support/json_schema.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <map>
#include <regex>
#include <stdexcept>

namespace asio_retry::test {

namespace {

namespace json = boost::json;

std::string text_of(json::string_view s) { return {s.data(), s.size()}; }

class validator {
public:
    explicit validator(const json::value& root) : root_(root) {}

    std::string check(const json::value& schema, const json::value& value) const {
        for (const auto& [word, rule] : schema.as_object()) {
            if (!holds(text_of(word), rule, schema.as_object(), value)) {
                return json::serialize(value) + " against " + text_of(word) + " " +
                       json::serialize(rule).substr(0, 100);
            }
            const auto inside = descend(text_of(word), rule, value);
            if (!inside.empty()) return inside;
        }
        return "";
    }

private:
    bool fits(const json::value& schema, const json::value& value) const {
        return check(schema, value).empty();
    }

    bool holds(const std::string& word,
               const json::value& rule,
               const json::object& schema,
               const json::value& value) const {
        if (word == "type") return has_type(text_of(rule.as_string()), value);
        if (word == "const") return value == rule;
        if (word == "enum") return std::ranges::count(rule.as_array(), value) > 0;
        if (word == "not") return !fits(rule, value);
        if (word == "anyOf") {
            return std::ranges::any_of(rule.as_array(),
                                       [&](const auto& s) { return fits(s, value); });
        }
        if (word == "$ref") return true;
        if (word == "minimum" || word == "maximum") {
            if (!value.is_number()) return true;
            const auto n = value.to_number<double>();
            const auto bound = rule.to_number<double>();
            return word == "minimum" ? n >= bound : n <= bound;
        }
        if (word == "minLength" || word == "maxLength") {
            if (!value.is_string()) return true;
            const auto bound = rule.to_number<std::size_t>();
            const auto size = value.get_string().size();
            return word == "minLength" ? size >= bound : size <= bound;
        }
        if (word == "pattern") {
            return !value.is_string() || std::regex_search(text_of(value.get_string()),
                                                           expression(text_of(rule.as_string())));
        }
        if (word == "minProperties") {
            return !value.is_object() || value.get_object().size() >= rule.to_number<std::size_t>();
        }
        if (word == "required") {
            return !value.is_object() || std::ranges::all_of(rule.as_array(), [&](const auto& key) {
                return value.get_object().contains(key.as_string());
            });
        }
        if (word == "additionalProperties") {
            if (rule != json::value(false)) throw std::logic_error("additionalProperties");
            const auto& known = schema.at("properties").as_object();
            return !value.is_object() ||
                   std::ranges::all_of(value.get_object(),
                                       [&](const auto& m) { return known.contains(m.key()); });
        }
        for (const char* other :
             {"properties", "items", "description", "default", "title", "$schema", "$defs"}) {
            if (word == other) return true;
        }
        throw std::logic_error("a word of schemas that is not known here: " + word);
    }

    std::string descend(const std::string& word,
                        const json::value& rule,
                        const json::value& value) const {
        if (word == "$ref") {
            const auto name = text_of(rule.as_string()).substr(std::string("#/$defs/").size());
            return check(root_.at("$defs").at(name), value);
        }
        if (word == "items" && value.is_array()) {
            for (const auto& each : value.get_array()) {
                if (const auto why = check(rule, each); !why.empty()) return why;
            }
        }
        if (word == "properties" && value.is_object()) {
            for (const auto& [key, schema] : rule.as_object()) {
                const auto* member = value.get_object().if_contains(key);
                if (member == nullptr) continue;
                if (const auto why = check(schema, *member); !why.empty()) return why;
            }
        }
        return "";
    }

    /// Making one takes longer than all else here.
    const std::regex& expression(const std::string& text) const {
        auto known = expressions_.find(text);
        if (known == expressions_.end()) known = expressions_.emplace(text, text).first;
        return known->second;
    }

    static bool has_type(const std::string& type, const json::value& value) {
        if (type == "object") return value.is_object();
        if (type == "array") return value.is_array();
        if (type == "string") return value.is_string();
        if (type == "boolean") return value.is_bool();
        if (type == "null") return value.is_null();
        if (type == "number") return value.is_number();
        if (type == "integer") return value.is_int64() || value.is_uint64();
        throw std::logic_error("a type that is not known here: " + type);
    }

    const json::value& root_;
    mutable std::map<std::string, std::regex> expressions_;
};

}  // namespace

std::string misfit(const boost::json::value& schema, const boost::json::value& value) {
    return validator(schema).check(schema, value);
}

}  // namespace asio_retry::test
