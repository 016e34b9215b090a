// Values by name that are good for a while.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_EXPIRING_MAP_HPP
#define ASIO_RETRY_SRC_HTTP_EXPIRING_MAP_HPP

#include <asio_retry/attempt.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace asio_retry::http::detail {

/// Holds a bounded number of values, each until its time. Not thread-safe.
/** What has expired goes when room is needed, and the value that would expire first if there still
    is none; that takes a look at all of them. */
template <typename Value>
class expiring_map {
public:
    explicit expiring_map(std::size_t most) : most_(most) {}

    /// Null if there is none, or its time has come.
    const Value* find(std::string_view key, steady_time now) const {
        const auto found = entries_.find(key);
        if (found == entries_.end() || now >= found->second.until) return nullptr;
        return &found->second.value;
    }

    /// Takes the place of the value that there may be.
    void put(const std::string& key, Value value, steady_time until, steady_time now) {
        if (entries_.size() >= most_ && entries_.find(key) == entries_.end()) make_room(now);
        entries_.insert_or_assign(key, entry(std::move(value), until));
    }

    void erase(std::string_view key) {
        if (const auto found = entries_.find(key); found != entries_.end()) entries_.erase(found);
    }

    bool empty() const noexcept { return entries_.empty(); }
    std::size_t size() const noexcept { return entries_.size(); }

private:
    class entry {
    public:
        entry(Value v, steady_time t) : value(std::move(v)), until(t) {}

        Value value;
        steady_time until;
    };

    class hash {
    public:
        using is_transparent = void;
        std::size_t operator()(std::string_view key) const noexcept {
            return std::hash<std::string_view>()(key);
        }
    };

    void make_room(steady_time now) {
        std::erase_if(entries_, [now](const auto& each) { return now >= each.second.until; });
        if (entries_.size() < most_) return;
        entries_.erase(
            std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
                return a.second.until < b.second.until;
            }));
    }

    std::unordered_map<std::string, entry, hash, std::equal_to<>> entries_;
    const std::size_t most_;
};

}  // namespace asio_retry::http::detail

#endif
