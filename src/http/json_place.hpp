// A value in a JSON document, on its way to what it stands for: checked, with a place for
// complaints. SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_JSON_PLACE_HPP
#define ASIO_RETRY_SRC_HTTP_JSON_PLACE_HPP

#include "http/json_tree.hpp"
#include <asio_retry/http/policy_file.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio_retry::http::detail {

/// What is wrong with a value; ends the reading of it, and of no other.
class json_fault {
public:
    json_fault(text_position p, std::string where, std::string what)
        : problem(p.line, p.column, std::move(where), std::move(what)) {}

    policy_problem problem;
};

/// The problems of a document, in the order in which they were found.
using problem_list = std::vector<policy_problem>;

/// Stands on the stack: a place inside another refers to it.
class json_place {
public:
    json_place(const json_node& root, problem_list& problems) noexcept
        : node_(root), at_(root.at), problems_(problems) {}
    json_place(const json_place& parent, const json_member& member) noexcept
        : node_(member.value),
          parent_(&parent),
          key_(member.key),
          at_(member.value.at),
          problems_(parent.problems_) {}
    json_place(const json_place& parent, const json_node& element, std::size_t index) noexcept
        : node_(element),
          parent_(&parent),
          index_(index),
          at_(element.at),
          problems_(parent.problems_) {}
    json_place(const json_place&) = delete;
    json_place& operator=(const json_place&) = delete;

    const json_node& node() const noexcept { return node_; }
    bool is_null() const noexcept { return node_.is_null(); }
    /// The whole document.
    const json_node& root() const noexcept { return parent_ == nullptr ? node_ : parent_->root(); }
    /// As in `$.endpoints[0].policy.backoff`.
    std::string path() const;

    /// Throws json_fault, without the credentials of what is quoted.
    [[noreturn]] void refuse(const std::string& what) const;
    /// The same for the key rather than the value.
    [[noreturn]] void refuse_key(const json_member& member, const std::string& what) const;

    /// Runs `read` and keeps its fault, so that what follows is read too.
    template <typename Read>
    void attempt(Read&& read) const {
        try {
            read();
        } catch (json_fault& fault) {
            problems_.push_back(std::move(fault.problem));
        }
    }
    /// Of the whole document, so far.
    std::size_t problem_count() const noexcept { return problems_.size(); }

    /// Runs a setter, whose complaint becomes a fault of this value. Texts of setters begin with
    /// the name of the option, which the path has already.
    template <typename Setter>
    void set(Setter&& setter) const {
        try {
            setter();
        } catch (const std::invalid_argument& e) {
            refuse(without_name(e.what()));
        }
    }

    // What the value has to be; another one is refused.

    void require_object() const;
    void require_list() const;
    std::string text() const;
    bool boolean() const;
    double number() const;
    std::uint64_t whole_number(std::uint64_t least, std::uint64_t most) const;
    std::chrono::nanoseconds duration() const;
    /// null means that there is no limit: the longest duration.
    std::chrono::nanoseconds limit() const;
    /// One of several words; answers which.
    std::size_t one_of(std::span<const std::string_view> words) const;

private:
    static std::string without_name(std::string_view what);

    const json_node& node_;
    const json_place* parent_ = nullptr;
    std::string_view key_;
    std::size_t index_ = 0;
    text_position at_;
    problem_list& problems_;
};

/// "; did you mean x?", or nothing if no word is alike.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> words);

}  // namespace asio_retry::http::detail

#endif
