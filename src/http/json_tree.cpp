// Boost.JSON reads and checks the text, and tells what it found piece by piece, but not where. So a
// cursor follows it through the text, from token to token: it need not check anything any more.
// SPDX-License-Identifier: BSL-1.0
#include "http/json_tree.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>

#include <algorithm>
#include <utility>

namespace asio_retry::http::detail {

namespace {

class cursor {
public:
    explicit cursor(std::string_view text) noexcept : text_(text) {}

    /// Goes to the next token; answers where it begins.
    text_position token() noexcept {
        while (at_ < text_.size() && is_one_of(" \t\r\n:,")) step();
        return {line_, column_};
    }
    /// Over a bracket.
    void pass_bracket() noexcept { step(); }
    /// Over a literal or number.
    void pass_word() noexcept {
        while (at_ < text_.size() && !is_one_of(" \t\r\n:,]}")) step();
    }
    void pass_string() noexcept {
        step();
        while (at_ < text_.size() && text_[at_] != '"') {
            if (text_[at_] == '\\') step();
            step();
        }
        step();
    }
    void go_to(std::size_t offset) noexcept {
        while (at_ < std::min(offset, text_.size())) step();
    }
    text_position position() const noexcept { return {line_, column_}; }

private:
    bool is_one_of(std::string_view characters) const noexcept {
        return characters.find(text_[at_]) != std::string_view::npos;
    }

    void step() noexcept {
        if (at_ == text_.size()) return;
        const char c = text_[at_++];
        if (c == '\n') {
            ++line_;
            column_ = 1;
        } else if ((static_cast<unsigned char>(at_ < text_.size() ? text_[at_] : 0) & 0xC0) !=
                   0x80) {
            ++column_;  // a new character of UTF-8 begins
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
    std::uint32_t column_ = 1;
};

/// Called by Boost.JSON as it reads.
class tree_builder {
public:
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    explicit tree_builder(std::string_view text) noexcept : cursor_(text) {}

    json_node take() { return std::move(root_); }

    bool on_document_begin(json::error_code&) { return true; }
    bool on_document_end(json::error_code&) { return true; }

    bool on_object_begin(json::error_code&) { return open(json_node::kind::object); }
    bool on_object_end(std::size_t, json::error_code&) { return close(); }
    bool on_array_begin(json::error_code&) { return open(json_node::kind::array); }
    bool on_array_end(std::size_t, json::error_code&) { return close(); }

    bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
        text_.append(part.data(), part.size());
        return true;
    }
    bool on_key(json::string_view part, std::size_t, json::error_code&) {
        text_.append(part.data(), part.size());
        json_member member;
        member.at = cursor_.token();
        cursor_.pass_string();
        member.key = std::exchange(text_, {});
        open_.back()->members.push_back(std::move(member));
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
        text_.append(part.data(), part.size());
        return true;
    }
    bool on_string(json::string_view part, std::size_t, json::error_code&) {
        text_.append(part.data(), part.size());
        json_node& node = add();
        cursor_.pass_string();
        node.scalar = json::string_view(text_);
        text_.clear();
        return true;
    }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t i, json::string_view, json::error_code&) { return word(i); }
    bool on_uint64(std::uint64_t i, json::string_view, json::error_code&) { return word(i); }
    bool on_double(double d, json::string_view, json::error_code&) { return word(d); }
    bool on_bool(bool b, json::error_code&) { return word(b); }
    bool on_null(json::error_code&) { return word(nullptr); }
    bool on_comment_part(json::string_view, json::error_code&) { return true; }
    bool on_comment(json::string_view, json::error_code&) { return true; }

private:
    /// The place of the next value: an element, the value of the last key, or the document.
    json_node& add() {
        json_node* node = &root_;
        if (!open_.empty()) {
            json_node& parent = *open_.back();
            if (parent.is_array()) parent.elements.emplace_back();
            node = parent.is_array() ? &parent.elements.back() : &parent.members.back().value;
        }
        node->at = cursor_.token();
        return *node;
    }

    bool open(json_node::kind k) {
        json_node& node = add();
        node.type = k;
        cursor_.pass_bracket();
        open_.push_back(&node);  // its parent gains no members while it is open
        return true;
    }

    bool close() {
        cursor_.token();
        cursor_.pass_bracket();
        open_.pop_back();
        return true;
    }

    template <typename Value>
    bool word(Value value) {
        json_node& node = add();
        cursor_.pass_word();
        node.scalar = value;
        return true;
    }

    cursor cursor_;
    json_node root_;
    std::vector<json_node*> open_;
    std::string text_;
};

bool follows_a_comma(std::string_view text, std::size_t place) {
    if (place >= text.size() || (text[place] != '}' && text[place] != ']')) return false;
    const auto last = text.substr(0, place).find_last_not_of(" \t\r\n");
    return last != std::string_view::npos && text[last] == ',';
}

}  // namespace

const json_member* json_node::find(std::string_view key) const noexcept {
    const auto found = std::find_if(
        members.begin(), members.end(), [&](const json_member& m) { return m.key == key; });
    return found == members.end() ? nullptr : &*found;
}

const json_member* json_node::find_path(std::string_view path) const noexcept {
    const auto dot = path.find('.');
    const json_member* member = find(path.substr(0, dot));
    if (member == nullptr || dot == std::string_view::npos) return member;
    return member->value.find_path(path.substr(dot + 1));
}

const char* json_node::type_name() const noexcept {
    if (is_object()) return "an object";
    if (is_array()) return "a list";
    if (scalar.is_string()) return "a string";
    if (scalar.is_bool()) return "true or false";
    return scalar.is_null() ? "null" : "a number";
}

json_node parse_json(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    json::basic_parser<tree_builder> parser(json::parse_options(), text);
    json::error_code ec;
    const std::size_t taken = parser.write_some(false, text.data(), text.size(), ec);
    if (!ec && taken < text.size()) ec = json::error::extra_data;
    if (!ec) return parser.handler().take();
    cursor stop(text);
    stop.go_to(taken);
    throw json_error("is not JSON: " + ec.message() +
                         (follows_a_comma(text, taken) ? "; leave out the comma before it" : ""),
                     stop.position());
}

}  // namespace asio_retry::http::detail
