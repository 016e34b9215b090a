// SPDX-License-Identifier: BSL-1.0
#include "http/structured_field.hpp"

namespace asio_retry::http::detail {

namespace {

constexpr bool is_alphanumeric(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

constexpr bool is_key(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '-' || c == '.' ||
           c == '*';
}

/// Of tokens, numbers, booleans and dates; what each of them may look like is left open.
constexpr bool is_bare(char c) noexcept {
    return is_alphanumeric(c) ||
           std::string_view("!#$%&'*+-.^_`|~:/?@").find(c) != std::string_view::npos;
}

/// Reads from left to right; the first thing that does not fit spoils the whole.
class member_reader {
public:
    explicit member_reader(std::string_view text) noexcept : rest_(text) {}

    bool good() const noexcept { return good_; }
    bool at_end() const noexcept { return rest_.empty(); }

    bool skip(char c) noexcept {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    void skip_blanks() noexcept {
        while (skip(' ') || skip('\t')) continue;
    }

    field_member member() {
        field_member m;
        m.name = item();
        if (skip('=')) {
            m.value_is_bytes = rest_.starts_with(':');
            m.value = item();
        }
        while (good_ && skip(';')) {
            skip_blanks();
            std::string key = take_while(is_key);
            std::string value = skip('=') ? item() : "?1";
            m.parameters.emplace_back(std::move(key), std::move(value));
        }
        return m;
    }

    /// What stands between two members: a comma. False at the end.
    bool comma() noexcept {
        skip_blanks();
        if (at_end() || !good_) return false;
        good_ = skip(',');
        skip_blanks();
        // A list does not end in a comma.
        good_ = good_ && !at_end();
        return good_;
    }

private:
    std::string item() {
        if (skip('"')) return quoted();
        return skip(':') ? bytes() : take_while(is_bare);
    }

    std::string bytes() {
        if (skip(':')) return {};
        std::string text = take_while([](char c) { return c != ':'; });
        good_ = good_ && skip(':');
        return text;
    }

    std::string quoted() {
        std::string text;
        while (!rest_.empty() && rest_.front() != '"') {
            skip('\\');
            if (rest_.empty()) break;
            text += rest_.front();
            rest_.remove_prefix(1);
        }
        good_ = good_ && skip('"');
        return text;
    }

    template <typename Predicate>
    std::string take_while(Predicate fits) {
        std::size_t n = 0;
        while (n < rest_.size() && fits(rest_[n])) ++n;
        good_ = good_ && n != 0;
        std::string text(rest_.substr(0, n));
        rest_.remove_prefix(n);
        return text;
    }

    std::string_view rest_;
    bool good_ = true;
};

}  // namespace

std::string_view field_member::parameter(std::string_view key) const noexcept {
    std::string_view found;
    for (const auto& each : parameters) {
        if (each.first == key) found = each.second;
    }
    return found;
}

std::optional<std::vector<field_member>> parse_structured_field(std::string_view text) {
    std::vector<field_member> members;
    member_reader in(text);
    in.skip_blanks();
    if (in.at_end()) return members;
    do members.push_back(in.member());
    while (in.comma());
    if (!in.good()) return std::nullopt;
    return members;
}

}  // namespace asio_retry::http::detail
