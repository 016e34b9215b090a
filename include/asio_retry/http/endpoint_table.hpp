// A set of endpoints, and which of them a request belongs to.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_ENDPOINT_TABLE_HPP
#define ASIO_RETRY_HTTP_ENDPOINT_TABLE_HPP

#include <asio_retry/http/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::http {

namespace detail {
class endpoint_index;
}

/// Why a table cannot be made of its endpoints.
class endpoint_error : public std::invalid_argument {
public:
    endpoint_error(const std::string& text, std::size_t position)
        : std::invalid_argument(text), position_(position) {}

    /// Of the endpoint that is at fault, in the list that was given; from 0.
    std::size_t position() const noexcept { return position_; }

private:
    std::size_t position_;
};

/// The default endpoint and the others, in the order in which they were given. An immutable value.
/** Endpoints are numbered: 0 is the default, the others count from 1. Copies share one block in
    memory. A lookup takes a probe of a hash table for the host (one more for each of its suffixes,
    where some endpoint has a suffix of as many labels) and one for each length at which a pattern
    of that host could end; it does not allocate.
    Thread safety: objects are safe to read from any number of threads. */
class endpoint_table {
public:
    using number = std::uint32_t;
    static constexpr number default_number = 0;

    /// Only the default endpoint, under the default policy.
    endpoint_table();

    /// @throws endpoint_error if two endpoints have one name, or would both match a request without
    /// one of them being more specific; or for more than 64 different methods.
    explicit endpoint_table(endpoint_policy default_policy,
                            const std::vector<endpoint>& endpoints = {});

    /// How many endpoints there are beside the default.
    std::size_t size() const noexcept;

    /// The endpoint that the request belongs to: of those that match the most specific one.
    number find(const endpoint_key& key) const noexcept;

    /// The endpoint of this name.
    std::optional<number> find(std::string_view name) const noexcept;

    std::string_view name(number n) const noexcept;
    const endpoint_policy& policy(number n) const noexcept;
    /// What the endpoint matches; of the default: anything.
    endpoint_match match(number n) const;
    /// All but the default, in the order in which they were given.
    std::vector<endpoint> endpoints() const;

    /// The bytes that the table takes, policies apart.
    std::size_t memory() const noexcept;

    friend bool operator==(const endpoint_table& a, const endpoint_table& b);

private:
    std::shared_ptr<const detail::endpoint_index> index_;
};

}  // namespace asio_retry::http

#endif
