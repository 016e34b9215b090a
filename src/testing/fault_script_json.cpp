// A script from JSON: strict, and every error names the file, the place, the fault and the cure.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/detail/duration_text.hpp>
#include <asio_retry/testing/fault_script.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/object.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::testing {
namespace {

namespace json = boost::json;

constexpr std::size_t largest_script = 16 * 1024 * 1024;

/// A place in the document, for errors.
class place {
public:
    place(const json::value& value, std::string path) : value_(&value), path_(std::move(path)) {}

    const json::value& value() const { return *value_; }

    [[noreturn]] void refuse(const std::string& why) const {
        throw std::invalid_argument(path_ + ": " + why);
    }

    place member(std::string_view key, const json::value& value) const {
        return place(value, path_ + "." + std::string(key));
    }
    place element(std::size_t index, const json::value& value) const {
        return place(value, path_ + "[" + std::to_string(index) + "]");
    }

    /// Runs a setter and puts the place before what it complains of.
    template <class Setter>
    void set(Setter&& setter) const {
        try {
            setter();
        } catch (const std::invalid_argument& error) {
            refuse(error.what());
        }
    }

    const json::object& object() const {
        if (!value_->is_object()) refuse("is not an object; write {...}");
        return value_->get_object();
    }
    const json::array& array() const {
        if (!value_->is_array()) refuse("is not a list; write [...]");
        return value_->get_array();
    }
    std::string text() const {
        if (!value_->is_string()) refuse("is not a string; write it in quotes");
        return std::string(value_->get_string().c_str(), value_->get_string().size());
    }
    bool boolean() const {
        if (!value_->is_bool()) refuse("is not true or false");
        return value_->get_bool();
    }
    double number() const {
        if (!value_->is_number()) refuse("is not a number");
        return value_->to_number<double>();
    }
    std::uint64_t whole_number(
        std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) const {
        json::error_code failed;
        const bool is_whole = value_->is_int64() || value_->is_uint64();
        const auto count = is_whole ? value_->to_number<std::uint64_t>(failed) : 0;
        if (!is_whole || failed || count > most) {
            refuse("is not a whole number from 0 to " + std::to_string(most));
        }
        return count;
    }
    std::chrono::nanoseconds duration(std::string_view written) const {
        std::chrono::nanoseconds parsed{};
        set([&] { parsed = asio_retry::detail::parse_duration(written); });
        return parsed;
    }
    std::chrono::nanoseconds duration() const {
        // Numbers are refused: 50 would be 50 seconds here and 50 ms in the mind of many.
        if (!value_->is_string()) refuse("is not a duration; write \"250ms\", \"1.5s\" or \"2m\"");
        return duration(text());
    }

private:
    const json::value* value_;
    std::string path_;
};

void read_rates(const place& at, fault_rule& rule) {
    for (const auto& [key, value] : at.object()) {
        const auto here = at.member(key, value);
        const auto share = here.number();
        here.set([&, name = std::string_view(key)] { rule.rate(fault::parse(name), share); });
    }
}

void read_latency(const place& at, fault_rule& rule) {
    const auto range = at.value().is_string() ? at.text() : std::string();
    const auto dots = range.find("..");
    if (dots == std::string::npos) {
        rule.latency(at.duration());
        return;
    }
    const auto least = at.duration(std::string_view(range).substr(0, dots));
    const auto most = at.duration(std::string_view(range).substr(dots + 2));
    at.set([&] { rule.latency(least, most); });
}

void read_outage(const place& at, fault_script& script) {
    const auto range = at.text();
    const auto dots = range.find("..");
    if (dots == std::string::npos) at.refuse("is not a span of time; write \"10s..20s\"");
    const auto from = at.duration(std::string_view(range).substr(0, dots));
    const auto to = at.duration(std::string_view(range).substr(dots + 2));
    at.set([&] { script.outage(from, to); });
}

void read_sequence(const place& at, fault_rule& rule) {
    std::vector<fault> faults;
    for (std::size_t i = 0; i < at.array().size(); ++i) {
        const auto here = at.element(i, at.array()[i]);
        const auto written = here.text();
        here.set([&] { faults.push_back(fault::parse(written)); });
    }
    rule.sequence(std::move(faults));
}

void read_fail_first(const place& at, const json::object& object, fault_rule& rule) {
    auto what = fault::status(503);
    if (const auto* with = object.if_contains("fail_with")) {
        const auto here = at.member("fail_with", *with);
        const auto written = here.text();
        here.set([&] { what = fault::parse(written); });
    }
    const auto* count = object.if_contains("fail_first");
    if (count == nullptr)
        at.member("fail_with", at.value()).refuse("needs \"fail_first\" beside it");
    if (object.contains("sequence")) {
        at.member("fail_first", *count).refuse("and \"sequence\" exclude each other; keep one");
    }
    const auto here = at.member("fail_first", *count);
    const auto number = here.whole_number(std::numeric_limits<unsigned>::max());
    here.set([&] { rule.fail_first(static_cast<unsigned>(number), what); });
}

constexpr std::array<std::string_view, 2> path_keys{"path", "method"};
constexpr std::array<std::string_view, 4> script_keys{"seed", "rules", "capacity", "outage"};

using key_reader = void (*)(const place&, fault_rule&);
constexpr std::array<std::pair<std::string_view, key_reader>, 9> rule_keys{{
    {"rates", read_rates},
    {"max_in_a_row",
     [](const place& at, fault_rule& rule) {
         const auto count = at.whole_number(std::numeric_limits<unsigned>::max());
         at.set([&] { rule.max_in_a_row(static_cast<unsigned>(count)); });
     }},
    {"sequence", read_sequence},
    {"latency", read_latency},
    {"drip_interval", [](const place& at, fault_rule& rule) { rule.drip_interval(at.duration()); }},
    {"retry_after",
     [](const place& at, fault_rule& rule) {
         const auto value = at.text();
         at.set([&] { rule.retry_after(value); });
     }},
    {"body", [](const place& at, fault_rule& rule) { rule.body(at.text()); }},
    {"body_size", [](const place& at, fault_rule& rule) { rule.body_size(at.whole_number()); }},
    {"chunked", [](const place& at, fault_rule& rule) { rule.chunked(at.boolean()); }},
}};

/// Reads what a rule and the top level share; `own_keys` are the caller's and passed over.
void read_rule(const place& at, fault_rule& rule, std::span<const std::string_view> own_keys) {
    const auto& object = at.object();
    for (const auto& member : object) {
        const std::string_view key = member.key();
        const bool own = std::find(own_keys.begin(), own_keys.end(), key) != own_keys.end();
        if (own || key == "fail_first" || key == "fail_with") continue;
        const auto found = std::find_if(rule_keys.begin(), rule_keys.end(), [&](const auto& each) {
            return each.first == key;
        });
        if (found == rule_keys.end()) {
            std::string known;
            for (const auto each : own_keys) known.append(each).append(", ");
            known.append("fail_first, fail_with");
            for (const auto& each : rule_keys) known.append(", ").append(each.first);
            at.member(key, at.value()).refuse("is not a known key; there are " + known);
        }
        found->second(at.member(key, member.value()), rule);
    }
    if (object.contains("fail_first") || object.contains("fail_with")) {
        read_fail_first(at, object, rule);
    }
    if (object.contains("body") && object.contains("body_size")) {
        at.member("body", at.value()).refuse("and \"body_size\" exclude each other; keep one");
    }
}

fault_rule read_path_rule(const place& at) {
    const auto& object = at.object();
    fault_rule rule;
    if (const auto* path = object.if_contains("path")) {
        const auto here = at.member("path", *path);
        const auto written = here.text();
        here.set([&] { rule = fault_rule(written); });
    }
    if (const auto* method = object.if_contains("method")) {
        const auto here = at.member("method", *method);
        const auto written = here.text();
        here.set([&] { rule.method(written); });
    }
    read_rule(at, rule, path_keys);
    return rule;
}

/// Called by Boost.JSON as it reads; refuses what its values would hide, a key that comes twice.
class key_check {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    const std::string& key() const noexcept { return key_; }

    bool on_object_begin(json::error_code&) {
        open_.emplace_back();
        return true;
    }
    bool on_object_end(std::size_t, json::error_code&) {
        open_.pop_back();
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        part_.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
        key_ = std::exchange(part_, {}).append(part.data(), part.size());
        if (open_.back().insert(key_).second) return true;
        ec = json::error::syntax;
        return false;
    }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t, json::error_code&) { return true; }
    bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }
    bool on_double(double, json::string_view, json::error_code&) { return true; }
    bool on_bool(bool, json::error_code&) { return true; }
    bool on_null(json::error_code&) { return true; }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

private:
    std::vector<std::set<std::string>> open_;
    std::string part_;
    std::string key_;
};

std::string line_of(std::string_view text, std::size_t place) {
    const auto before = text.substr(0, std::min(place, text.size()));
    return "line " + std::to_string(std::count(before.begin(), before.end(), '\n') + 1) + ": ";
}

/// Of a text that is JSON.
void check_keys(std::string_view text) {
    json::basic_parser<key_check> parser{json::parse_options()};
    json::error_code failed;
    const auto taken = parser.write_some(false, text.data(), text.size(), failed);
    if (failed) {
        throw std::invalid_argument(line_of(text, taken) + "\"" + parser.handler().key() +
                                    "\" comes a second time");
    }
}

json::value parse_document(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    json::stream_parser parser;
    json::error_code failed;
    const auto taken = parser.write_some(text.data(), text.size(), failed);
    if (!failed && taken == text.size()) parser.finish(failed);
    if (failed || taken < text.size()) {
        throw std::invalid_argument(line_of(text, taken) + "not JSON (" +
                                    (failed ? failed.message() : "text after the end") + ")");
    }
    check_keys(text);
    return parser.release();
}

fault_script read_script(const json::value& document) {
    fault_script script;
    const place root(document, "$");
    read_rule(root, script.defaults(), script_keys);
    const auto& object = root.object();
    if (const auto* capacity = object.if_contains("capacity")) {
        const auto here = root.member("capacity", *capacity);
        const auto value = here.number();
        here.set([&] { script.capacity(value); });
    }
    if (const auto* outage = object.if_contains("outage")) {
        read_outage(root.member("outage", *outage), script);
    }
    if (const auto* seed = object.if_contains("seed")) {
        script.seed(root.member("seed", *seed).whole_number());
    }
    if (const auto* rules = object.if_contains("rules")) {
        const auto list = root.member("rules", *rules);
        for (std::size_t i = 0; i < list.array().size(); ++i) {
            script.add(read_path_rule(list.element(i, list.array()[i])));
        }
    }
    root.set([&] { script.validate(); });
    return script;
}

}  // namespace

fault_script fault_script::from_json(std::string_view text, std::string_view name) {
    try {
        return read_script(parse_document(text));
    } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(std::string(name) + ": " + error.what());
    }
}

fault_script fault_script::from_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(64 * 1024, '\0');
    std::size_t size = 0;
    while (file && size <= largest_script) {
        text.resize(std::max(text.size(), 2 * size));
        file.read(text.data() + size, static_cast<std::streamsize>(text.size() - size));
        size += static_cast<std::size_t>(file.gcount());
    }
    if (!file.eof() || file.bad()) {
        throw std::runtime_error(path +
                                 ": cannot be read; is it a file, readable and below 16 MB?");
    }
    text.resize(size);
    return from_json(text, path);
}

}  // namespace asio_retry::testing
