// How an endpoint_index is made of a list of endpoints.
// SPDX-License-Identifier: BSL-1.0
#include "http/endpoint_index.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace asio_retry::http::detail {

namespace {

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

/// Origins in any order; in each the order in which patterns are tried.
bool comes_before(const endpoint_match& a, const endpoint_match& b) {
    const auto origin = [](const endpoint_match& m) {
        return std::tuple(m.host_pattern(), m.scheme(), m.port(), std::string_view(m.host()));
    };
    if (origin(a) != origin(b)) return origin(a) < origin(b);
    const std::string& one = a.path_text();
    const std::string& other = b.path_text();
    if (one.size() != other.size()) return one.size() > other.size();
    if (one != other) return one < other;
    if (a.is_path_prefix() != b.is_path_prefix()) return b.is_path_prefix();
    return !a.methods().empty() && b.methods().empty();
}

std::vector<std::uint32_t> in_order(const std::vector<endpoint>& endpoints) {
    std::vector<std::uint32_t> order(endpoints.size());
    std::iota(order.begin(), order.end(), std::uint32_t{0});
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
        const endpoint_match& one = endpoints[a].match();
        const endpoint_match& other = endpoints[b].match();
        if (comes_before(one, other)) return true;
        return !comes_before(other, one) && a < b;
    });
    return order;
}

}  // namespace

endpoint_index::endpoint_index(endpoint_policy default_policy,
                               const std::vector<endpoint>& endpoints) {
    policies_.push_back(std::move(default_policy));
    lay_out(endpoints);
    number_policies(endpoints);
    index_names();
    index_runs();
}

void endpoint_index::lay_out(const std::vector<endpoint>& endpoints) {
    for (const endpoint& e : endpoints) memory_size_ += packed_endpoint::size_of(e);
    if (memory_size_ / packed_endpoint::alignment >= none) {
        throw std::length_error("endpoint_table: more than 16 GiB of names and patterns");
    }
    memory_ = std::make_unique<std::byte[]>(memory_size_);
    places_.resize(endpoints.size());
    std::byte* where = memory_.get();
    for (const std::uint32_t i : in_order(endpoints)) {
        const endpoint& e = endpoints[i];
        packed_endpoint* made = packed_endpoint::make(where, e);
        made->given = i + 1;
        places_[i] = place_of(*made);
        where += packed_endpoint::size_of(e);
    }
    for (std::uint32_t i = 0; i < endpoints.size(); ++i) {
        at(places_[i]).methods = method_set(endpoints[i].match().methods(), i);
    }
}

void endpoint_index::number_policies(const std::vector<endpoint>& endpoints) {
    std::unordered_map<const void*, std::uint32_t> blocks{{policies_.front().identity(), 0}};
    for (std::uint32_t i = 0; i < endpoints.size(); ++i) {
        const endpoint_policy& policy = endpoints[i].policy();
        const auto next = static_cast<std::uint32_t>(policies_.size());
        const auto [block, is_new] = blocks.emplace(policy.identity(), next);
        if (is_new) policies_.push_back(policy);
        at(places_[i]).policy = block->second;
    }
    policies_.shrink_to_fit();
}

std::uint16_t endpoint_index::method_set(const std::vector<std::string>& names,
                                         std::size_t position) {
    std::uint64_t set = 0;
    for (const auto& each : names) {
        if (method_bit(each) == 0) methods_.push_back(each);
        if (methods_.size() > most_methods) {
            throw endpoint_error("methods: " + quoted(each) +
                                     " is one more than the 64 different methods that a table can "
                                     "tell apart",
                                 position);
        }
        set |= method_bit(each);
    }
    auto found = std::find(method_sets_.begin(), method_sets_.end(), set);
    if (found == method_sets_.end()) found = method_sets_.insert(found, set);
    if (method_sets_.size() > std::numeric_limits<std::uint16_t>::max()) {
        throw endpoint_error("methods: no table holds more than 65,535 different lists of methods",
                             position);
    }
    return static_cast<std::uint16_t>(found - method_sets_.begin());
}

void endpoint_index::index_names() {
    names_ = flat_slots(size());
    for (const place p : places_) {
        const std::string_view text = at(p).name();
        if (find_name(text) != none) {
            throw endpoint_error(
                "name: " + quoted(text) + " is taken by an endpoint before this one",
                at(p).given - 1);
        }
        names_.insert(hash_text(text, 0), p);
    }
}

void endpoint_index::index_runs() {
    std::vector<place> runs;
    std::size_t paths = 0;
    for (const packed_endpoint *e = begin(), *last = nullptr; e != end(); last = e, e = e->next()) {
        packed_endpoint& here = at(place_of(*e));
        if (last == nullptr || !last->has_origin_of(*e)) {
            runs.push_back(place_of(*e));
        } else {
            here.same_path = last->is_prefix == e->is_prefix && last->path() == e->path();
        }
        ++at(runs.back()).run;
    }
    refuse_ambiguity();
    for (const place p : runs) paths += at(p).run > walked_at_most ? at(p).run : 0;
    origins_ = flat_slots(runs.size());
    paths_ = flat_slots(paths);
    for (const place p : runs) index_run(at(p));
}

void endpoint_index::index_run(packed_endpoint& first) {
    if (first.hosts == host_kind::any) {
        any_origin_ = place_of(first);
    } else {
        if (first.hosts == host_kind::suffix) {
            suffix_labels_ |= label_bit(label_count(first.host()));
        }
        origins_.insert(origin_hash(first.hosts, first.scheme, first.port, first.host()),
                        place_of(first));
    }
    if (first.run > walked_at_most) index_long_run(first);
}

void endpoint_index::index_long_run(packed_endpoint& first) {
    path_lengths lengths;
    const packed_endpoint* e = &first;
    for (std::uint32_t left = first.run; left > 0; --left, e = e->next()) {
        if (e->same_path) continue;
        const std::string_view path = e->path();
        paths_.insert(path_hash(place_of(first), e->is_prefix, path), place_of(*e));
        auto& list = !e->is_prefix         ? lengths.exact
                     : path.ends_with('/') ? lengths.segments
                                           : lengths.others;
        const auto length = static_cast<std::uint16_t>(path.size());
        if (list.empty() || list.back() != length) list.push_back(length);
    }
    std::reverse(lengths.exact.begin(), lengths.exact.end());
    first.run = long_run | static_cast<std::uint32_t>(long_runs_.size());
    long_runs_.push_back(std::move(lengths));
}

/// Two patterns for one path of one origin, of which a method would match both.
void endpoint_index::refuse_ambiguity() const {
    const packed_endpoint* head = nullptr;  // the first for this path
    for (const packed_endpoint* b = begin(); b != end(); b = b->next()) {
        if (!b->same_path) head = b;
        for (const packed_endpoint* a = head; a != b; a = a->next()) {
            const bool both_any = a->methods == 0 && b->methods == 0;
            if (!both_any && (method_sets_[a->methods] & method_sets_[b->methods]) == 0) continue;
            const packed_endpoint& later = a->given < b->given ? *b : *a;
            const packed_endpoint& earlier = a->given < b->given ? *a : *b;
            throw endpoint_error("match: " + match(later.given).to_string() +
                                     " is matched by endpoint " + quoted(earlier.name()) +
                                     " too; tell them apart by origin, path or methods",
                                 later.given - 1);
        }
    }
}

endpoint_match endpoint_index::match(number n) const {
    endpoint_match result;
    if (n == 0) return result;
    const packed_endpoint& e = at(places_[n - 1]);
    if (e.hosts != host_kind::any) {
        const std::string host(e.host());
        std::string origin(e.scheme == url_scheme::https ? "https://" : "http://");
        if (e.hosts == host_kind::suffix) origin += "*.";
        origin += host.find(':') == std::string::npos ? host : "[" + host + "]";
        result.origin(origin + ":" + std::to_string(e.port));
    }
    result.path(std::string(e.path()) + (e.is_prefix ? "*" : ""));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < methods_.size(); ++i) {
        if ((method_sets_[e.methods] >> i & 1) != 0) names.push_back(methods_[i]);
    }
    return result.methods(std::move(names));
}

std::size_t endpoint_index::memory() const noexcept {
    std::size_t bytes = sizeof *this + memory_size_ + places_.capacity() * sizeof(place) +
                        method_sets_.capacity() * sizeof(std::uint64_t) + origins_.memory() +
                        paths_.memory() + names_.memory();
    for (const auto& each : methods_) bytes += sizeof(std::string) + each.capacity();
    for (const auto& each : long_runs_) {
        bytes += sizeof each +
                 2 * (each.exact.capacity() + each.segments.capacity() + each.others.capacity());
    }
    return bytes;
}

}  // namespace asio_retry::http::detail
