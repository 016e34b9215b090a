#include <asio_retry/http/endpoint_registry.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace {

using asio_retry::retry_policy;
using asio_retry::http::endpoint;
using asio_retry::http::endpoint_key;
using asio_retry::http::endpoint_match;
using asio_retry::http::endpoint_policy;
using asio_retry::http::endpoint_registry;
using asio_retry::http::endpoint_table;
using asio_retry::http::fetch_policy;
using asio_retry::http::url_scheme;

constexpr unsigned reloads = 100'000;

/// A policy whose parts tell whether they belong together.
endpoint_policy numbered(unsigned n) {
    return endpoint_policy().fetch(fetch_policy()
                                       .retry(retry_policy().max_attempts(n + 1).max_history(n + 1))
                                       .max_redirects(n));
}

endpoint_table numbered_table(unsigned n) {
    return endpoint_table(
        numbered(n),
        {endpoint("host", endpoint_match().origin("http://a.example"), numbered(n)),
         endpoint("suffix", endpoint_match().origin("http://*.test"), numbered(n))});
}

TEST(EndpointRegistryThreads, ReloadUnderLoadTearsNothing) {
    std::vector<endpoint_table> tables;
    for (unsigned n = 0; n < 16; ++n) tables.push_back(numbered_table(n));
    endpoint_registry registry(tables[0], 8);
    std::atomic<bool> done{false};
    std::atomic<std::uint64_t> calls{0};
    std::latch at_work(3);
    std::vector<std::thread> threads;
    for (unsigned t = 0; t < 3; ++t) {
        threads.emplace_back([&, t] {
            const std::string hosts[] = {
                "a.example", "b.test", "c.test", "other" + std::to_string(t), "d.test"};
            auto kept = registry.find("GET", "http://a.example/");
            at_work.count_down();
            for (unsigned i = 0; i == 0 || !done; ++i) {
                const auto h = registry.find(
                    endpoint_key("GET", url_scheme::http, hosts[i % std::size(hosts)], 80, "/"));
                const unsigned n = h.policy().max_redirects();
                ASSERT_EQ(h.policy().retry().max_attempts(), n + 1);
                ASSERT_EQ(h.options().fetch().retry().max_history(), n + 1);
                ASSERT_EQ(n, h.generation() % 16);
                ++h.counters().calls;
                calls.fetch_add(1, std::memory_order_relaxed);
                kept = registry.renew(kept);
                ASSERT_EQ(kept.name(), "host");
            }
        });
    }
    at_work.wait();
    for (unsigned n = 1; n <= reloads; ++n) registry.replace(tables[n % 16]);
    done = true;
    for (auto& each : threads) each.join();
    EXPECT_EQ(registry.generation(), reloads);
    EXPECT_EQ(registry.table(), tables[reloads % 16]);
    EXPECT_GT(calls, 0U);
    std::uint64_t counted = 0;
    for (const auto& each : registry.states()) counted += each.counters().calls;
    EXPECT_GT(counted, 0U);
    EXPECT_LE(counted, calls);
}

}  // namespace
