// What finding an endpoint costs beside the find of an unordered_map, whose key is as much of the
// request as the endpoints are told apart by; and what a table takes in memory.
// SPDX-License-Identifier: BSL-1.0
#include "bench/allocations.hpp"
#include <asio_retry/http/endpoint_registry.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

using namespace asio_retry::http;

constexpr std::size_t endpoints = 100'000;
constexpr std::size_t requests = 1 << 16;

class string_hash {
public:
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>()(text);
    }
};

using map = std::unordered_map<std::string, std::uint32_t, string_hash, std::equal_to<>>;

/// The pattern of an endpoint, a URL that it matches, and how much of that is the key of the map.
class rule {
public:
    endpoint_match match;
    std::string url;
    std::size_t host_size;
    std::size_t key_size;
};

constexpr std::string_view https = "https://";

std::string numbered(const char* before, std::size_t i, const char* after) {
    return before + std::to_string(i) + after;
}

/// Each endpoint at a host of its own.
rule own_host(std::size_t i) {
    const auto host = numbered("service-", i, ".prod.example.com");
    return {endpoint_match().origin("https://" + host),
            "https://" + host + "/v1/items/17",
            host.size(),
            https.size() + host.size()};
}

/// The same, at one path and for one method.
rule own_host_and_path(std::size_t i) {
    auto r = own_host(i);
    r.match.path("/v1/items/17").methods({"POST"});
    r.key_size = r.url.size();
    return r;
}

/// All at one host, with a prefix each.
rule own_prefix(std::size_t i) {
    const auto path = numbered("/v1/resource-", i, "/");
    const std::string host = "api.example.com";
    return {endpoint_match().origin("https://" + host).path(path + "*"),
            "https://" + host + path + "17",
            host.size(),
            https.size() + host.size() + path.size()};
}

/// A suffix each.
rule own_suffix(std::size_t i) {
    const auto suffix = numbered("tenant-", i, ".prod.example.com");
    return {endpoint_match().origin("https://*." + suffix),
            "https://eu." + suffix + "/v1/items/17",
            suffix.size() + 3,
            https.size() + suffix.size() + 3};
}

using rule_of = rule (*)(std::size_t);

/// Requests in random order; their texts stand in that order too, as those of a request in hand are
/// in the cache.
class suite {
public:
    explicit suite(rule_of make) {
        std::vector<rule> rules;
        for (std::size_t i = 0; i < endpoints; ++i) {
            rules.push_back(make(i));
            const rule& r = rules.back();
            list.emplace_back(numbered("endpoint-", i, ""), r.match, policy_);
            reference.emplace(r.url.substr(0, r.key_size), i);
        }
        std::mt19937 random(1);
        std::vector<const rule*> order;
        for (std::size_t i = 0; i < requests; ++i) order.push_back(&rules[random() % endpoints]);
        for (const rule* r : order) text_ += r->url;
        std::string_view rest = text_;
        for (const rule* r : order) {
            const auto url = rest.substr(0, r->url.size());
            const auto host = url.substr(https.size(), r->host_size);
            const auto path = url.substr(https.size() + r->host_size);
            keys.emplace_back("POST", url_scheme::https, host, 443, path);
            texts.push_back(url.substr(0, r->key_size));
            rest.remove_prefix(url.size());
        }
    }

    std::vector<endpoint> list;
    map reference;
    std::vector<endpoint_key> keys;
    std::vector<std::string_view> texts;

private:
    endpoint_policy policy_;
    std::string text_;
};

void find_in_map(benchmark::State& state, rule_of make) {
    const suite s(make);
    std::size_t i = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(s.reference.find(s.texts[i++ % requests])->second);
    }
}

void find_in_table(benchmark::State& state, rule_of make) {
    suite s(make);
    const auto before = bench::bytes_in_use();
    const endpoint_table table(endpoint_policy(), s.list);
    const auto bytes = bench::bytes_in_use() - before;
    const auto allocations = bench::allocations();
    std::size_t i = 0;
    std::size_t missed = 0;
    for (auto _ : state) {
        const auto n = table.find(s.keys[i++ % requests]);
        missed += n == 0 ? 1 : 0;
    }
    if (missed != 0) state.SkipWithError("an endpoint was not found");
    state.counters["allocations"] = static_cast<double>(bench::allocations() - allocations);
    state.counters["bytes_each"] = static_cast<double>(bytes) / endpoints;
}

void find_state(benchmark::State& state, rule_of make) {
    suite s(make);
    endpoint_registry registry(endpoint_table(endpoint_policy(), s.list), endpoints);
    for (const auto& key : s.keys) registry.find(key);
    std::size_t i = 0;
    for (auto _ : state) benchmark::DoNotOptimize(registry.find(s.keys[i++ % requests]));
}

void renew_handle(benchmark::State& state) {
    endpoint_registry registry;
    auto handle = registry.find("GET", "http://127.0.0.1/");
    for (auto _ : state) benchmark::DoNotOptimize(handle = registry.renew(handle));
}

void replace_table(benchmark::State& state) {
    const suite s(own_host);
    const endpoint_table table(endpoint_policy(), s.list);
    endpoint_registry registry(table);
    for (auto _ : state) registry.replace(table);
}

#define SHAPE(shape)                                \
    BENCHMARK_CAPTURE(find_in_map, shape, shape);   \
    BENCHMARK_CAPTURE(find_in_table, shape, shape); \
    BENCHMARK_CAPTURE(find_state, shape, shape)
SHAPE(own_host);
SHAPE(own_prefix);
SHAPE(own_host_and_path);
SHAPE(own_suffix);
BENCHMARK(renew_handle);
BENCHMARK(replace_table);

}  // namespace

BENCHMARK_MAIN();
