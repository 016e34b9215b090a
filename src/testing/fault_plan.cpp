// SPDX-License-Identifier: BSL-1.0
#include <testing/fault_plan.hpp>

#include <algorithm>
#include <cmath>

namespace asio_retry::testing::detail {
namespace {

// SplitMix64's finalizer (Steele, Lea, Flood 2014): every input bit reaches every output bit.
std::uint64_t mixed(std::uint64_t value) {
    value += 0x9e3779b97f4a7c15;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

// FNV-1a over the method, a NUL and the path: the same on every platform, unlike std::hash.
std::uint64_t key_of(std::string_view method, std::string_view path) {
    std::uint64_t hash = 0xcbf29ce484222325;
    const auto add = [&hash](std::string_view text) {
        for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    };
    add(method);
    add(std::string_view("\0", 1));
    add(path);
    return hash;
}

/// In [0, 1).
double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

fault drawn(const fault_behaviour& behaviour, std::uint64_t key, std::uint64_t ordinal) {
    const double u = unit(mixed(key ^ mixed(ordinal)));
    for (const auto& [what, below] : behaviour.ladder) {
        if (u < below) return what;
    }
    return fault();
}

/// How many drawn faults end with this request, itself included.
std::uint64_t run_length(const fault_behaviour& behaviour,
                         std::uint64_t key,
                         std::uint64_t ordinal) {
    const auto first = behaviour.sequence.size() + 1;
    if (!behaviour.ladder.empty() && behaviour.ladder.back().second >= 1)
        return ordinal + 1 - first;
    std::uint64_t length = 0;
    while (ordinal >= first && drawn(behaviour, key, ordinal).kind() != fault_kind::none) {
        ++length;
        --ordinal;
    }
    return length;
}

fault fault_of(const fault_behaviour& behaviour, std::uint64_t key, std::uint64_t ordinal) {
    if (ordinal <= behaviour.sequence.size()) return behaviour.sequence[ordinal - 1];
    const auto what = drawn(behaviour, key, ordinal);
    if (what.kind() == fault_kind::none || behaviour.max_in_a_row == 0) return what;
    const auto period = std::uint64_t{behaviour.max_in_a_row} + 1;
    return run_length(behaviour, key, ordinal) % period == 0 ? fault() : what;
}

std::chrono::nanoseconds latency_of(const fault_behaviour& behaviour,
                                    std::uint64_t key,
                                    std::uint64_t ordinal) {
    const auto range = behaviour.latency_most - behaviour.latency_least;
    const double u = unit(mixed(mixed(key ^ mixed(ordinal))));
    const auto extra = std::floor(u * static_cast<double>(range.count()));
    return behaviour.latency_least +
           std::min(range, std::chrono::nanoseconds(static_cast<std::int64_t>(extra)));
}

template <class T>
const std::optional<T>& either(const std::optional<T>& own, const std::optional<T>& inherited) {
    return own ? own : inherited;
}

}  // namespace

fault_behaviour fault_plan::resolve(const fault_rule& rule, const fault_rule& defaults) {
    fault_behaviour made;
    made.prefix = rule.prefix_;
    made.method = rule.method_.value_or("");
    made.sequence = either(rule.sequence_, defaults.sequence_).value_or(made.sequence);
    const bool own_sequence = rule.sequence_.has_value();
    const auto& rates = own_sequence ? rule.rates_ : either(rule.rates_, defaults.rates_);
    double sum = 0;
    if (rates) {
        for (const auto& [what, share] : *rates) {
            if (share > 0) made.ladder.emplace_back(what, sum += share);
        }
    }
    made.max_in_a_row = either(rule.max_in_a_row_, defaults.max_in_a_row_).value_or(0);
    made.latency_least =
        either(rule.latency_least_, defaults.latency_least_).value_or(made.latency_least);
    made.latency_most =
        either(rule.latency_most_, defaults.latency_most_).value_or(made.latency_most);
    made.drip_interval =
        either(rule.drip_interval_, defaults.drip_interval_).value_or(made.drip_interval);
    made.retry_after = either(rule.retry_after_, defaults.retry_after_).value_or("");
    const auto& of_body = rule.body_ || rule.body_size_ ? rule : defaults;
    made.body = of_body.body_.value_or(made.body);
    made.body_is_pattern = of_body.body_size_.has_value();
    made.body_size = of_body.body_size_.value_or(made.body.size());
    made.chunked = either(rule.chunked_, defaults.chunked_).value_or(false);
    return made;
}

fault_plan::fault_plan(const fault_script& script) : seed_(mixed(script.seed_)) {
    script.validate();
    for (const auto& rule : script.rules_) {
        behaviours_.push_back(
            std::make_shared<const fault_behaviour>(resolve(rule, script.defaults_)));
    }
    behaviours_.push_back(
        std::make_shared<const fault_behaviour>(resolve(script.defaults_, script.defaults_)));
}

fault_decision fault_plan::decide(std::string_view method,
                                  std::string_view path,
                                  std::uint64_t ordinal) const {
    const auto matches = [&](const fault_behaviour& each) {
        return path.starts_with(each.prefix) && (each.method.empty() || each.method == method);
    };
    std::size_t at = 0;
    while (at + 1 < behaviours_.size() && !matches(*behaviours_[at])) ++at;
    const auto& behaviour = behaviours_[at];
    const auto key = mixed(seed_ ^ key_of(method, path));
    fault_decision decision;
    decision.what = fault_of(*behaviour, key, ordinal);
    decision.latency = latency_of(*behaviour, key, ordinal);
    decision.behaviour = behaviour;
    return decision;
}

}  // namespace asio_retry::testing::detail
