// SPDX-License-Identifier: BSL-1.0
#include "http/endpoint_index.hpp"

#include "http/path_text.hpp"

#include <algorithm>

namespace asio_retry::http::detail {

/// What a lookup looks for. The method is looked up when some pattern asks for one.
class endpoint_index::request {
public:
    explicit request(const endpoint_key& key) noexcept : path_(key.path), method_(key.method) {}

    std::string_view path() const noexcept { return path_.text(); }

    bool has_method_of(std::uint64_t set, const endpoint_index& index) noexcept {
        if (!is_known_) bit_ = index.method_bit(method_);
        is_known_ = true;
        return (set & bit_) != 0;
    }

private:
    normal_path path_;
    std::string_view method_;
    std::uint64_t bit_ = 0;
    bool is_known_ = false;
};

std::uint64_t endpoint_index::method_bit(std::string_view method) const noexcept {
    const auto found = std::find(methods_.begin(), methods_.end(), method);
    if (found == methods_.end()) return 0;
    return std::uint64_t{1} << (found - methods_.begin());
}

bool endpoint_index::takes(const packed_endpoint& e, request& wanted) const noexcept {
    return e.methods == 0 || wanted.has_method_of(method_sets_[e.methods], *this);
}

endpoint_index::place endpoint_index::place_of(const packed_endpoint& e) const noexcept {
    const auto bytes = reinterpret_cast<const std::byte*>(&e) - memory_.get();
    return static_cast<place>(static_cast<std::size_t>(bytes) / packed_endpoint::alignment);
}

endpoint_index::number endpoint_index::find(const endpoint_key& key) const noexcept {
    if (size() == 0) return endpoint_table::default_number;
    request wanted(key);
    const packed_endpoint* found = nullptr;
    const packed_endpoint* exact = run_of(host_kind::exact, key.host, key);
    if (exact != nullptr) found = in_run(*exact, wanted);
    if (found == nullptr && suffix_labels_ != 0) found = in_suffixes(wanted, key);
    if (found == nullptr && any_origin_ != none) found = in_run(at(any_origin_), wanted);
    return found == nullptr ? endpoint_table::default_number : found->given;
}

const packed_endpoint* endpoint_index::run_of(host_kind k,
                                              std::string_view host,
                                              const endpoint_key& key) const noexcept {
    const auto hash = origin_hash(k, key.scheme, key.port, host);
    const place found = origins_.find(hash, [&](place p) {
        const packed_endpoint& e = at(p);
        return e.port == key.port && e.scheme == key.scheme && e.hosts == k && e.host() == host;
    });
    return found == none ? nullptr : &at(found);
}

const packed_endpoint* endpoint_index::in_suffixes(request& wanted,
                                                   const endpoint_key& key) const noexcept {
    std::string_view suffix = key.host;
    for (auto labels = label_count(suffix) - 1; labels > 0; --labels) {
        suffix.remove_prefix(suffix.find('.') + 1);
        if ((suffix_labels_ & label_bit(labels)) == 0) continue;
        const packed_endpoint* first = run_of(host_kind::suffix, suffix, key);
        if (first == nullptr) continue;
        if (const packed_endpoint* found = in_run(*first, wanted)) return found;
    }
    return nullptr;
}

const packed_endpoint* endpoint_index::in_run(const packed_endpoint& first,
                                              request& wanted) const noexcept {
    if ((first.run & long_run) != 0) return in_long_run(first, wanted);
    const packed_endpoint* e = &first;
    for (std::uint32_t left = first.run; left > 0; --left, e = e->next()) {
        const bool matches =
            e->is_prefix ? wanted.path().starts_with(e->path()) : wanted.path() == e->path();
        if (matches && takes(*e, wanted)) return e;
    }
    return nullptr;
}

const packed_endpoint* endpoint_index::in_long_run(const packed_endpoint& first,
                                                   request& wanted) const noexcept {
    const path_lengths& lengths = long_runs_[first.run & ~long_run];
    const std::string_view whole = wanted.path();
    if (std::binary_search(lengths.exact.begin(), lengths.exact.end(), whole.size())) {
        if (const auto* found = at_path(first, whole, false, wanted)) return found;
    }
    auto segment = lengths.segments.begin();
    auto other = lengths.others.begin();
    while (segment != lengths.segments.end() || other != lengths.others.end()) {
        const bool at_segment = other == lengths.others.end() ||
                                (segment != lengths.segments.end() && *segment > *other);
        const std::size_t length = at_segment ? *segment++ : *other++;
        if (length > whole.size() || (at_segment && whole[length - 1] != '/')) continue;
        if (const auto* found = at_path(first, whole.substr(0, length), true, wanted)) return found;
    }
    return nullptr;
}

const packed_endpoint* endpoint_index::at_path(const packed_endpoint& first,
                                               std::string_view text,
                                               bool is_prefix,
                                               request& wanted) const noexcept {
    const place head = paths_.find(path_hash(place_of(first), is_prefix, text), [&](place p) {
        const packed_endpoint& e = at(p);
        return e.is_prefix == is_prefix && e.path() == text && e.has_origin_of(first);
    });
    if (head == none) return nullptr;
    const packed_endpoint* e = &at(head);
    do {
        if (takes(*e, wanted)) return e;
        e = e->next();
    } while (e != end() && e->same_path);
    return nullptr;
}

endpoint_index::number endpoint_index::find_name(std::string_view text) const noexcept {
    const place found =
        names_.find(hash_text(text, 0), [&](place p) { return at(p).name() == text; });
    return found == none ? none : at(found).given;
}

std::string_view endpoint_index::name(number n) const noexcept {
    return n == 0 ? endpoint::default_name : at(places_[n - 1]).name();
}

const endpoint_policy& endpoint_index::policy(number n) const noexcept {
    return policies_[n == 0 ? 0 : at(places_[n - 1]).policy];
}

}  // namespace asio_retry::http::detail
