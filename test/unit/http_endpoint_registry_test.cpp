#include <asio_retry/http/endpoint_registry.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::breaker_options;
using asio_retry::budget_options;
using asio_retry::failure_kind;
using asio_retry::retry_policy;
using asio_retry::steady_time;
using asio_retry::http::endpoint;
using asio_retry::http::endpoint_handle;
using asio_retry::http::endpoint_key;
using asio_retry::http::endpoint_match;
using asio_retry::http::endpoint_policy;
using asio_retry::http::endpoint_registry;
using asio_retry::http::endpoint_table;
using asio_retry::http::fetch_policy;
using asio_retry::http::url_scheme;

constexpr steady_time now(1h);

endpoint_policy attempts(unsigned n) {
    return endpoint_policy().fetch(fetch_policy().retry(retry_policy().max_attempts(n)));
}

unsigned attempts(const endpoint_handle& h) { return h.policy().retry().max_attempts(); }

endpoint_table one(const endpoint_policy& policy, const std::string& name = "a") {
    return endpoint_table(endpoint_policy(),
                          {endpoint(name, endpoint_match().origin("https://*.example"), policy)});
}

TEST(EndpointRegistry, HasTheDefaultEndpointFromTheStart) {
    endpoint_registry registry;
    const auto h = registry.find("GET", "https://User:pw@A.Example:443/x?y");
    ASSERT_TRUE(h);
    EXPECT_EQ(h.name(), "default");
    EXPECT_EQ(h.origin(), "https://a.example");
    EXPECT_EQ(h.options(), endpoint_policy());
    ASSERT_NE(h.retry_budget(), nullptr);
    EXPECT_EQ(h.retry_budget()->options(), budget_options());
    EXPECT_EQ(h.circuit_breaker(), nullptr);
    EXPECT_EQ(h.counters().calls, 0U);
    EXPECT_EQ(registry.find("GET", "http://[::1]:8080/").origin(), "http://[::1]:8080");
    EXPECT_FALSE(endpoint_handle());
}

TEST(EndpointRegistry, RefusesUrlsThatCannotBeFetched) {
    endpoint_registry registry;
    EXPECT_THROW(registry.find("GET", "ftp://a.example"), std::invalid_argument);
    EXPECT_THROW(registry.find("GET", "a.example"), std::invalid_argument);
    EXPECT_TRUE(registry.states().empty());
}

TEST(EndpointRegistry, KeepsAStatePerEndpointAndOrigin) {
    endpoint_registry registry(endpoint_table(
        endpoint_policy(),
        {endpoint("post", endpoint_match().methods({"POST"})),
         endpoint("pay", endpoint_match().origin("https://*.example").path("/pay/*"))}));
    const auto get = registry.find("GET", "https://a.example/");
    EXPECT_EQ(registry.find("PUT", "https://a.example/b"), get);
    for (const auto& other : {registry.find("POST", "https://a.example/"),
                              registry.find("GET", "https://a.example/pay/"),
                              registry.find("GET", "https://b.example/"),
                              registry.find("GET", "https://a.example:444/"),
                              registry.find("GET", "http://a.example:443/"),
                              registry.find("GET", "https://b.example/pay/")}) {
        EXPECT_NE(other, get);
        EXPECT_NE(other.retry_budget(), get.retry_budget());
        EXPECT_NE(&other.counters(), &get.counters());
    }
    EXPECT_EQ(registry.states().size(), 7U);
}

TEST(EndpointRegistry, LeavesCallsInFlightTheirPolicy) {
    endpoint_registry registry(one(attempts(3)));
    const auto before = registry.find("GET", "https://a.example");
    registry.replace(one(attempts(7)));
    EXPECT_EQ(registry.generation(), 1U);
    EXPECT_EQ(attempts(before), 3U);
    EXPECT_EQ(attempts(registry.find("GET", "https://a.example")), 7U);
    EXPECT_EQ(registry.table(), one(attempts(7)));
}

TEST(EndpointRegistry, KeepsWhatTheCallsShareWhereTheNameStays) {
    const auto guarded = attempts(3).circuit_breaker(breaker_options());
    endpoint_registry registry(one(guarded));
    const auto before = registry.find("GET", "https://a.example");
    ASSERT_NE(before.circuit_breaker(), nullptr);
    before.counters().calls = 5;
    auto after_policy = guarded;
    after_policy.fetch(fetch_policy());
    registry.replace(one(after_policy));
    const auto after = registry.find("GET", "https://a.example");
    EXPECT_NE(after, before);
    EXPECT_EQ(after.options(), after_policy);
    EXPECT_EQ(after.retry_budget(), before.retry_budget());
    EXPECT_EQ(after.circuit_breaker(), before.circuit_breaker());
    EXPECT_EQ(&after.counters(), &before.counters());
    EXPECT_EQ(after.generation(), 1U);
}

TEST(EndpointRegistry, BeginsAnewUnderANewName) {
    endpoint_registry registry(one(endpoint_policy(), "a"));
    const auto before = registry.find("GET", "https://a.example");
    registry.replace(one(endpoint_policy(), "b"));
    EXPECT_TRUE(registry.states().empty());
    const auto after = registry.find("GET", "https://a.example");
    EXPECT_EQ(after.name(), "b");
    EXPECT_NE(after.retry_budget(), before.retry_budget());
    EXPECT_NE(&after.counters(), &before.counters());
}

TEST(EndpointRegistry, TakesTheTokensThatAreLeftToABudgetOfOtherOptions) {
    endpoint_registry registry(
        one(endpoint_policy().retry_budget(budget_options().capacity(100).refill_per_second(0))));
    const auto before = registry.find("GET", "https://a.example");
    for (int i = 0; i < 9; ++i)
        ASSERT_TRUE(before.retry_budget()->try_spend(failure_kind::timeout, now));
    registry.replace(
        one(endpoint_policy().retry_budget(budget_options().capacity(50).refill_per_second(0))),
        now);
    const auto after = registry.find("GET", "https://a.example");
    EXPECT_NE(after.retry_budget(), before.retry_budget());
    EXPECT_EQ(after.retry_budget()->options().capacity(), 50);
    EXPECT_EQ(after.retry_budget()->available(now), 10);
    EXPECT_EQ(&after.counters(), &before.counters());
}

TEST(EndpointRegistry, LeavesACircuitOpenWhoseOptionsChange) {
    endpoint_registry registry(one(endpoint_policy().circuit_breaker(breaker_options())));
    const auto before = registry.find("GET", "https://a.example");
    before.circuit_breaker()->isolate(now);
    registry.replace(one(endpoint_policy().circuit_breaker(breaker_options().window(1min))), now);
    const auto after = registry.find("GET", "https://a.example");
    EXPECT_NE(after.circuit_breaker(), before.circuit_breaker());
    EXPECT_EQ(after.circuit_breaker()->options().window(), 1min);
    EXPECT_EQ(after.circuit_breaker()->state(now), asio_retry::breaker_state::open);
}

TEST(EndpointRegistry, PutsTheGuardsIntoThePolicy) {
    endpoint_registry registry(one(attempts(3).circuit_breaker(breaker_options())));
    const auto h = registry.find("GET", "https://a.example");
    EXPECT_EQ(h.policy().retry().retry_budget(), h.retry_budget());
    EXPECT_EQ(h.policy().retry().circuit_breaker(), h.circuit_breaker());
    EXPECT_EQ(h.options().fetch().retry().retry_budget(), nullptr);
}

TEST(EndpointRegistry, TurnsGuardsOnAndOff) {
    const auto off = endpoint_policy().retry_budget(std::nullopt);
    const auto on = endpoint_policy().circuit_breaker(breaker_options().window(1min));
    endpoint_registry registry(one(off));
    EXPECT_EQ(registry.find("GET", "https://a.example").retry_budget(), nullptr);
    registry.replace(one(on));
    const auto h = registry.find("GET", "https://a.example");
    EXPECT_NE(h.retry_budget(), nullptr);
    ASSERT_NE(h.circuit_breaker(), nullptr);
    EXPECT_EQ(h.circuit_breaker()->options().window(), 1min);
    registry.replace(one(endpoint_policy().circuit_breaker(breaker_options())));
    EXPECT_NE(registry.find("GET", "https://a.example").circuit_breaker(), h.circuit_breaker());
    registry.replace(one(off));
    EXPECT_EQ(registry.find("GET", "https://a.example").circuit_breaker(), nullptr);
}

TEST(EndpointRegistry, RenewsHandles) {
    endpoint_registry registry(one(attempts(3)));
    const auto first = registry.find("GET", "https://a.example");
    EXPECT_EQ(registry.renew(first), first);
    registry.replace(one(attempts(7)));
    const auto second = registry.renew(first);
    EXPECT_EQ(attempts(second), 7U);
    EXPECT_EQ(second, registry.find("GET", "https://a.example"));
    EXPECT_EQ(registry.renew(second), second);
    registry.replace(one(attempts(7), "b"));
    EXPECT_FALSE(registry.renew(second));
}

TEST(EndpointRegistry, ForgetsTheStateThatWasUnusedTheLongest) {
    endpoint_registry registry(endpoint_table(), 3);
    const auto find = [&](const char* host) {
        return registry.find(endpoint_key("GET", url_scheme::http, host, 80, "/"));
    };
    const auto budget_of_b = std::weak_ptr(find("b").retry_budget());
    find("a");
    find("b");
    find("c");
    find("a");
    find("b");
    find("d");
    std::vector<std::string> origins;
    for (const auto& each : registry.states()) origins.push_back(each.origin());
    EXPECT_EQ(origins, (std::vector<std::string>{"http://d", "http://b", "http://a"}));
    EXPECT_EQ(find("b").retry_budget(), budget_of_b.lock());
}

TEST(EndpointRegistry, ForgetsNothingThatACallHolds) {
    endpoint_registry registry(endpoint_table(), 2);
    const auto find = [&](const char* host) {
        return registry.find(endpoint_key("GET", url_scheme::http, host, 80, "/"));
    };
    const auto a = find("a");
    {
        const auto b = find("b");
        const auto c = find("c");
        EXPECT_EQ(registry.states().size(), 3U);
        EXPECT_EQ(find("a"), a);
        EXPECT_EQ(find("b"), b);
    }
    find("d");
    EXPECT_EQ(find("a"), a);
    EXPECT_LE(registry.states().size(), 3U);
}

TEST(EndpointRegistry, KeepsTheOrderOfUseWhenTheTableIsReplaced) {
    endpoint_registry registry(one(endpoint_policy()), 3);
    for (const char* host : {"a", "b", "c"}) {
        registry.find("GET", "https://" + std::string(host) + ".example");
    }
    registry.replace(one(attempts(2)));
    registry.find("GET", "https://d.example");
    std::vector<std::string> origins;
    for (const auto& each : registry.states()) origins.push_back(each.origin());
    EXPECT_EQ(
        origins,
        (std::vector<std::string>{"https://d.example", "https://c.example", "https://b.example"}));
}

}  // namespace
