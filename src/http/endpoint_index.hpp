// What an endpoint_table is inside: its endpoints, packed and sorted for the lookup.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_ENDPOINT_INDEX_HPP
#define ASIO_RETRY_SRC_HTTP_ENDPOINT_INDEX_HPP

#include "http/flat_slots.hpp"
#include "http/packed_endpoint.hpp"
#include <asio_retry/http/endpoint_table.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::http::detail {

/// Immutable once made.
/** Endpoints stand sorted by origin, and within an origin by precedence: the first match of such a
    run is the answer. Short runs are walked; in long ones each path has a slot of its own, and the
    lengths that paths have are tried in turn. Slots hold places: how far into the memory an
    endpoint stands, in alignments. */
class endpoint_index {
public:
    using number = endpoint_table::number;

    /// Throws endpoint_error.
    endpoint_index(endpoint_policy default_policy, const std::vector<endpoint>& endpoints);

    std::size_t size() const noexcept { return places_.size(); }
    number find(const endpoint_key& key) const noexcept;
    /// `flat_slots::none` if there is none of this name.
    number find_name(std::string_view name) const noexcept;

    std::string_view name(number n) const noexcept;
    const endpoint_policy& policy(number n) const noexcept;
    endpoint_match match(number n) const;
    std::size_t memory() const noexcept;

private:
    using host_kind = endpoint_match::host_kind;
    using place = std::uint32_t;

    /// The paths of an origin with a long run.
    class path_lengths {
    public:
        std::vector<std::uint16_t> exact;  // in ascending order
        std::vector<std::uint16_t>
            segments;                       // of prefixes that end in a slash; in descending order
        std::vector<std::uint16_t> others;  // of other prefixes; in descending order
    };

    class request;

    static constexpr place none = flat_slots::none;
    static constexpr std::uint32_t walked_at_most = 8;
    static constexpr std::uint32_t long_run = 0x80000000;
    static constexpr std::size_t most_methods = 64;

    static std::uint64_t origin_hash(host_kind k,
                                     url_scheme s,
                                     std::uint16_t port,
                                     std::string_view host) noexcept {
        return hash_text(host,
                         std::uint64_t{port} << 16 | static_cast<std::uint64_t>(s) << 8 |
                             static_cast<std::uint64_t>(k));
    }
    static std::uint64_t path_hash(place first, bool is_prefix, std::string_view path) noexcept {
        return hash_text(path, std::uint64_t{first} << 1 | static_cast<std::uint64_t>(is_prefix));
    }
    static std::ptrdiff_t label_count(std::string_view host) noexcept {
        return std::count(host.begin(), host.end(), '.') + 1;
    }
    /// The bit of suffix_labels_ for so many labels.
    static std::uint64_t label_bit(std::ptrdiff_t labels) noexcept {
        return std::uint64_t{1} << std::min<std::ptrdiff_t>(labels, 63);
    }

    void lay_out(const std::vector<endpoint>& endpoints);
    void number_policies(const std::vector<endpoint>& endpoints);
    std::uint16_t method_set(const std::vector<std::string>& names, std::size_t position);
    void index_names();
    void index_runs();
    void index_run(packed_endpoint& first);
    void index_long_run(packed_endpoint& first);
    void refuse_ambiguity() const;

    const packed_endpoint& at(place p) const noexcept {
        return *reinterpret_cast<const packed_endpoint*>(&memory_[p * packed_endpoint::alignment]);
    }
    packed_endpoint& at(place p) noexcept {
        return *reinterpret_cast<packed_endpoint*>(&memory_[p * packed_endpoint::alignment]);
    }
    place place_of(const packed_endpoint& e) const noexcept;
    const packed_endpoint* begin() const noexcept {
        return reinterpret_cast<const packed_endpoint*>(memory_.get());
    }
    const packed_endpoint* end() const noexcept {
        return reinterpret_cast<const packed_endpoint*>(memory_.get() + memory_size_);
    }

    const packed_endpoint* run_of(host_kind k,
                                  std::string_view host,
                                  const endpoint_key& key) const noexcept;
    const packed_endpoint* in_suffixes(request& wanted, const endpoint_key& key) const noexcept;
    const packed_endpoint* in_run(const packed_endpoint& first, request& wanted) const noexcept;
    const packed_endpoint* in_long_run(const packed_endpoint& first,
                                       request& wanted) const noexcept;
    const packed_endpoint* at_path(const packed_endpoint& first,
                                   std::string_view text,
                                   bool is_prefix,
                                   request& wanted) const noexcept;
    bool takes(const packed_endpoint& e, request& wanted) const noexcept;
    std::uint64_t method_bit(std::string_view method) const noexcept;

    std::unique_ptr<std::byte[]> memory_;
    std::size_t memory_size_ = 0;
    std::vector<place> places_;  // of the endpoint with this number, less one
    std::vector<endpoint_policy> policies_;
    std::vector<std::uint64_t> method_sets_{0};
    std::vector<std::string> methods_;
    flat_slots origins_;
    flat_slots paths_;
    flat_slots names_;
    std::vector<path_lengths> long_runs_;
    std::uint64_t suffix_labels_ = 0;  // bit n: some suffix has n labels; the last bit: or more
    place any_origin_ = none;
};

}  // namespace asio_retry::http::detail

#endif
