// SPDX-License-Identifier: BSL-1.0
#include "http/endpoint_index.hpp"

#include <utility>

namespace asio_retry::http {

endpoint_table::endpoint_table() : endpoint_table(endpoint_policy()) {}

endpoint_table::endpoint_table(endpoint_policy default_policy,
                               const std::vector<endpoint>& endpoints)
    : index_(std::make_shared<detail::endpoint_index>(std::move(default_policy), endpoints)) {}

std::size_t endpoint_table::size() const noexcept { return index_->size(); }

endpoint_table::number endpoint_table::find(const endpoint_key& key) const noexcept {
    return index_->find(key);
}

std::optional<endpoint_table::number> endpoint_table::find(std::string_view name) const noexcept {
    if (name == endpoint::default_name) return default_number;
    const number n = index_->find_name(name);
    if (n == detail::flat_slots::none) return std::nullopt;
    return n;
}

std::string_view endpoint_table::name(number n) const noexcept { return index_->name(n); }

const endpoint_policy& endpoint_table::policy(number n) const noexcept { return index_->policy(n); }

endpoint_match endpoint_table::match(number n) const { return index_->match(n); }

std::vector<endpoint> endpoint_table::endpoints() const {
    std::vector<endpoint> list;
    list.reserve(size());
    for (number n = 1; n <= size(); ++n) {
        list.emplace_back(std::string(name(n)), match(n), policy(n));
    }
    return list;
}

std::size_t endpoint_table::memory() const noexcept { return index_->memory(); }

bool operator==(const endpoint_table& a, const endpoint_table& b) {
    if (a.index_ == b.index_) return true;
    return a.policy(0) == b.policy(0) && a.endpoints() == b.endpoints();
}

}  // namespace asio_retry::http
