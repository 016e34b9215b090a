// SPDX-License-Identifier: BSL-1.0
#include "http/target.hpp"
#include <asio_retry/detail/light_mutex.hpp>
#include <asio_retry/http/endpoint_registry.hpp>

#include <boost/intrusive/list.hpp>

#include <functional>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

namespace asio_retry::http {

namespace detail {

namespace {

using state_ptr = std::shared_ptr<const endpoint_state>;
using number = endpoint_table::number;

/// An endpoint and an origin.
class state_key {
public:
    state_key(number n, const endpoint_key& key)
        : host(key.host), endpoint(n), port(key.port), scheme(key.scheme) {}

    std::string host;
    number endpoint;
    std::uint16_t port;
    url_scheme scheme;
};

/// The same, as a lookup has it.
class state_key_view {
public:
    state_key_view(number n, const endpoint_key& key) noexcept
        : host(key.host), endpoint(n), port(key.port), scheme(key.scheme) {}

    std::string_view host;
    number endpoint;
    std::uint16_t port;
    url_scheme scheme;
};

class state_hash {
public:
    using is_transparent = void;
    template <typename Key>
    std::size_t operator()(const Key& k) const noexcept {
        const auto rest = std::uint64_t{k.endpoint} << 17 | std::uint64_t{k.port} << 1 |
                          static_cast<std::uint64_t>(k.scheme);
        return std::hash<std::string_view>()(k.host) ^ (rest * 0x9E3779B97F4A7C15);
    }
};

class state_equal {
public:
    using is_transparent = void;
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const noexcept {
        return a.endpoint == b.endpoint && a.port == b.port && a.scheme == b.scheme &&
               a.host == b.host;
    }
};

class state_node : public boost::intrusive::list_base_hook<> {
public:
    explicit state_node(state_ptr s) noexcept : state(std::move(s)) {}

    state_ptr state;
    const state_key* key = nullptr;
};

using state_map = std::unordered_map<state_key, state_node, state_hash, state_equal>;

/// The guard that goes on: the old one where its options stay.
template <typename Guard, typename Options>
std::shared_ptr<Guard> carried(const std::shared_ptr<Guard>& old,
                               const std::optional<Options>& options) {
    if (!options) return nullptr;
    if (old && old->options() == *options) return old;
    return std::make_shared<Guard>(*options);
}

std::shared_ptr<retry_budget> carried_budget(const std::shared_ptr<retry_budget>& old,
                                             const std::optional<budget_options>& options,
                                             steady_time now) {
    if (!options || !old || old->options() == *options) return carried(old, options);
    return std::make_shared<retry_budget>(*options, old->available(now), now);
}

std::shared_ptr<circuit_breaker> carried_breaker(const std::shared_ptr<circuit_breaker>& old,
                                                 const std::optional<breaker_options>& options,
                                                 steady_time now) {
    if (!options || !old || old->options() == *options) return carried(old, options);
    return std::make_shared<circuit_breaker>(*options, *old, now);
}

std::string origin_text(const endpoint_key& key) {
    const bool is_ipv6 = key.host.find(':') != std::string_view::npos;
    std::string text = key.scheme == url_scheme::https ? "https://" : "http://";
    text.append(is_ipv6 ? "[" : "").append(key.host).append(is_ipv6 ? "]" : "");
    const unsigned own_port = key.scheme == url_scheme::https ? 443 : 80;
    if (key.port != own_port) text += ":" + std::to_string(key.port);
    return text;
}

fetch_policy with_guards(const endpoint_state& s) {
    retry_policy retry = s.options.fetch().retry();
    if (s.budget) retry.retry_budget(s.budget);
    if (s.breaker) retry.circuit_breaker(s.breaker);
    fetch_policy policy = s.options.fetch();
    return policy.retry(std::move(retry));
}

/// A state under `options`, with what goes on of the `old` one.
std::shared_ptr<endpoint_state> make_state(const endpoint_policy& options,
                                           const endpoint_state& old,
                                           steady_time now) {
    auto s = std::make_shared<endpoint_state>();
    s->name = old.name;
    s->origin = old.origin;
    s->options = options;
    s->budget = carried_budget(old.budget, options.retry_budget(), now);
    s->breaker = carried_breaker(old.breaker, options.circuit_breaker(), now);
    s->limit = carried(old.limit, options.concurrency());
    s->latency = old.latency;
    s->pacer = old.pacer;
    s->counters = old.counters;
    s->policy = with_guards(*s);
    return s;
}

state_ptr first_state(const endpoint_table& table,
                      number n,
                      const endpoint_key& key,
                      std::uint64_t generation) {
    endpoint_state blank;
    blank.name = table.name(n);
    blank.origin = origin_text(key);
    blank.latency = std::make_shared<asio_retry::detail::latency_window>();
    blank.pacer = std::make_shared<pacer>();
    blank.counters = std::make_shared<endpoint_counters>();
    auto s = make_state(table.policy(n), blank, steady_time());
    s->generation = generation;
    return s;
}

}  // namespace

/// Two locks: `changes_` is held by those that add states or replace the table, while they prepare;
/// `mutex_` for moments, by all.
class registry_state {
public:
    registry_state(endpoint_table t, std::size_t most) : most_(most), table_(std::move(t)) {}

    endpoint_table table() const {
        const std::lock_guard lock(mutex_);
        return table_;
    }

    std::uint64_t generation() const noexcept {
        return generation_.load(std::memory_order_acquire);
    }

    state_ptr find(const endpoint_key& key) {
        {
            const std::lock_guard lock(mutex_);
            if (state_ptr found = look_up(table_.find(key), key)) return found;
        }
        const std::lock_guard changes(changes_);
        return find_or_add(table_.find(key), key);
    }

    state_ptr find(std::string_view name, const endpoint_key& key) {
        const std::lock_guard changes(changes_);
        const auto n = table_.find(name);
        return n ? find_or_add(*n, key) : nullptr;
    }

    void replace(endpoint_table t, steady_time now) {
        const std::lock_guard changes(changes_);
        const std::uint64_t next = generation() + 1;
        state_map states;
        boost::intrusive::list<state_node> by_use;
        for (const auto& [key, state] : in_order_of_use()) {
            const auto n = t.find(state->name);
            if (!n) continue;
            auto renewed = make_state(t.policy(*n), *state, now);
            renewed->generation = next;
            state_key new_key = key;
            new_key.endpoint = *n;
            by_use.push_back(add(states, std::move(new_key), std::move(renewed)));
        }
        {
            const std::lock_guard lock(mutex_);
            by_use_.swap(by_use);
            states_.swap(states);
            std::swap(table_, t);
            generation_.store(next, std::memory_order_release);
        }
    }

    std::vector<endpoint_handle> states() const {
        std::vector<endpoint_handle> list;
        const std::lock_guard changes(changes_);
        list.reserve(states_.size());
        const std::lock_guard lock(mutex_);
        for (const state_node& each : by_use_) list.emplace_back(each.state);
        return list;
    }

private:
    static state_node& add(state_map& states, state_key key, state_ptr state) {
        const auto added = states.try_emplace(std::move(key), std::move(state)).first;
        added->second.key = &added->first;
        return added->second;
    }

    /// Call with `mutex_` held.
    state_ptr look_up(number n, const endpoint_key& key) noexcept {
        const auto found = states_.find(state_key_view(n, key));
        if (found == states_.end()) return nullptr;
        state_node& node = found->second;
        if (&node != &by_use_.front()) {
            by_use_.splice(by_use_.begin(), by_use_, by_use_.iterator_to(node));
        }
        return node.state;
    }

    /// Call with `changes_` held.
    state_ptr find_or_add(number n, const endpoint_key& key) {
        {
            const std::lock_guard lock(mutex_);
            if (state_ptr found = look_up(n, key)) return found;
        }
        state_ptr state = first_state(table_, n, key, generation());
        state_ptr forgotten;  // outlives the lock
        const std::lock_guard lock(mutex_);
        if (states_.size() >= most_) forgotten = forget_longest_unused();
        by_use_.push_front(add(states_, state_key(n, key), state));
        return state;
    }

    /// Of those that nobody else holds. Handles are copied under the lock, or from handles, so that
    /// a count of one stays one.
    state_ptr forget_longest_unused() noexcept {
        for (auto i = by_use_.rbegin(); i != by_use_.rend(); ++i) {
            if (i->state.use_count() > 1) continue;
            state_ptr state = i->state;
            const auto place = states_.find(*i->key);
            by_use_.erase(by_use_.iterator_to(*i));
            states_.erase(place);
            return state;
        }
        return nullptr;
    }

    /// Call with `changes_` held.
    std::vector<std::pair<state_key, state_ptr>> in_order_of_use() const {
        std::vector<std::pair<state_key, state_ptr>> list;
        list.reserve(states_.size());
        const std::lock_guard lock(mutex_);
        for (const state_node& each : by_use_) list.emplace_back(*each.key, each.state);
        return list;
    }

    const std::size_t most_;
    mutable std::mutex changes_;
    mutable asio_retry::detail::light_mutex mutex_;
    // Changed with both locks held; so either will do to read, but for the order of by_use_.
    endpoint_table table_;
    state_map states_;
    boost::intrusive::list<state_node> by_use_;
    std::atomic<std::uint64_t> generation_{0};
};

namespace {

target parsed(std::string_view url) {
    target t;
    if (const error_code ec = parse_target(url, t)) {
        throw std::invalid_argument("'" + std::string(url) + "': " + ec.message());
    }
    return t;
}

endpoint_key key_of(std::string_view method, const target& t) noexcept {
    return {method, t.tls ? url_scheme::https : url_scheme::http, t.host, t.port, t.path};
}

}  // namespace

}  // namespace detail

endpoint_registry::endpoint_registry(endpoint_table table, std::size_t most_states)
    : state_(std::make_unique<detail::registry_state>(std::move(table), most_states)) {}

endpoint_registry::~endpoint_registry() = default;

endpoint_table endpoint_registry::table() const { return state_->table(); }

void endpoint_registry::replace(endpoint_table t, steady_time now) {
    state_->replace(std::move(t), now);
}

std::uint64_t endpoint_registry::generation() const noexcept { return state_->generation(); }

endpoint_handle endpoint_registry::find(const endpoint_key& key) {
    return endpoint_handle(state_->find(key));
}

endpoint_handle endpoint_registry::find(std::string_view method, std::string_view url) {
    const detail::target t = detail::parsed(url);
    return find(detail::key_of(method, t));
}

endpoint_handle endpoint_registry::renew(const endpoint_handle& h) {
    if (h.generation() == generation()) return h;
    const detail::target t = detail::parsed(h.origin());
    return endpoint_handle(state_->find(h.name(), detail::key_of("GET", t)));
}

std::vector<endpoint_handle> endpoint_registry::states() const { return state_->states(); }

}  // namespace asio_retry::http
