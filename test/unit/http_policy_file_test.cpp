#include "support/policy_samples.hpp"
#include <asio_retry/http/policy_file.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>

namespace {

using namespace std::chrono_literals;
using namespace asio_retry::http;
using asio_retry::backoff;
using asio_retry::breaker_options;
using asio_retry::budget_options;
using asio_retry::concurrency_options;
using asio_retry::failure_kind;
using asio_retry::hedge_options;
using asio_retry::jitter;
using asio_retry::kind_limits;
using asio_retry::retry_policy;
using asio_retry::test::contract_file;
using asio_retry::test::policy_generator;
using ::testing::HasSubstr;

/// A file with this default, and with one endpoint of this policy.
std::string file(const std::string& defaults, const std::string& own = "{}") {
    return R"({"version": 1, "default": )" + defaults +
           R"(, "endpoints": [{"name": "a", "match": {"path": "/a"}, "policy": )" + own + "}]}";
}

endpoint_policy first(const std::string& defaults, const std::string& own = "{}") {
    return parse_policies(file(defaults, own)).policy(1);
}

/// The problems that a text has, a line each.
std::string problems(const std::string& text) {
    try {
        parse_policies(text);
    } catch (const policy_file_error& e) {
        std::string lines;
        for (const auto& each : e.problems()) lines += each.to_string() + "\n";
        return lines.substr(0, lines.size() - 1);
    }
    return "none";
}

/// The one problem of a default; where it stands is checked elsewhere.
std::string problem(const std::string& defaults) {
    const auto text = problems(R"({"version": 1, "default": )" + defaults + "}");
    const auto start = text.find("$");
    return start == std::string::npos ? text : text.substr(start);
}

TEST(PolicyFile, ReadsTheContractsExample) {
    const auto table = parse_policies(contract_file);
    const auto& p = table.policy(0);
    const auto& retry = p.fetch().retry();
    EXPECT_EQ(retry.max_attempts(), 4U);
    EXPECT_EQ(retry.attempt_timeout(), 2s);
    EXPECT_EQ(retry.total_timeout(), 10s);
    EXPECT_EQ(p.fetch().connect_timeout(), 1s);
    EXPECT_EQ(retry.backoff(), backoff::exponential(100ms, 5s, 2).jitter(jitter::full));
    EXPECT_EQ(retry.on(failure_kind::throttling),
              kind_limits().max_attempts(6).backoff(backoff::exponential(1s, 20s)));
    EXPECT_EQ(retry.max_retry_after(), 30s);
    EXPECT_EQ(p.fetch().idempotency(), idempotency::by_method);
    EXPECT_EQ(p.retry_budget(),
              budget_options()
                  .capacity(100)
                  .retry_cost(5)
                  .timeout_cost(10)
                  .success_refund(1)
                  .refill_per_second(1));
    EXPECT_EQ(p.circuit_breaker(),
              breaker_options()
                  .failure_rate(0.5)
                  .minimum_calls(20)
                  .window(30s)
                  .open_for(5s)
                  .half_open_probes(3));
    EXPECT_EQ(p.fetch().hedge(), hedge_options().after(200ms).max_extra(1));
    EXPECT_EQ(p.concurrency(), concurrency_options().max_concurrency(64).queue(128));

    ASSERT_EQ(table.size(), 1U);
    EXPECT_EQ(table.name(1), "payments");
    EXPECT_EQ(table.match(1).to_string(), "POST https://pay.example/v1/charges/*");
    auto expected = p.fetch();
    expected.retry(retry_policy(retry).max_attempts(6)).idempotency(idempotency::generate_key);
    EXPECT_EQ(table.policy(1), endpoint_policy(p).fetch(expected));
}

TEST(PolicyFile, MeansTheLibrarysDefaultsWhereItSaysNothing) {
    EXPECT_EQ(parse_policies(R"({"version": 1})"), endpoint_table());
    EXPECT_EQ(parse_policies("\xEF\xBB\xBF {\"version\": 1, \"$schema\": \"x\", \"default\": {}}"),
              endpoint_table());
    EXPECT_EQ(first("{}"), endpoint_policy());
}

TEST(PolicyFile, TakesFunctionsAndDefaultsFromTheBase) {
    class nobody : public asio_retry::observer {};
    const auto watcher = std::make_shared<nobody>();
    fetch_policy fetch;
    fetch.retry(retry_policy(fetch.retry()).observer(watcher).max_attempts(9));
    const auto base = endpoint_policy().fetch(fetch);
    const auto table =
        parse_policies(file(R"({"max_redirects": 2})", R"({"max_redirects": 3})"), "", base);
    for (const auto n : {0U, 1U}) {
        EXPECT_EQ(table.policy(n).fetch().retry().observer(), watcher);
        EXPECT_EQ(table.policy(n).fetch().retry().max_attempts(), 9U);
        EXPECT_EQ(table.policy(n).fetch().max_redirects(), 2 + n);
    }
}

TEST(PolicyFile, SharesAPolicyThatIsNotChanged) {
    const auto table = parse_policies(R"({"version": 1, "endpoints": [
        {"name": "a", "match": {"path": "/a"}}, {"name": "b", "match": {"path": "/b"}}]})");
    EXPECT_EQ(table.policy(1).identity(), table.policy(0).identity());
    EXPECT_EQ(table.policy(2).identity(), table.policy(0).identity());
}

TEST(PolicyFile, InheritsKeyByKey) {
    const std::string defaults = R"({"max_attempts": 7, "attempt_timeout": "3s",
        "retry_status": [503], "retry_budget": {"capacity": 50, "retry_cost": 2},
        "circuit_breaker": {"window": "1m", "failure_rate": 0.25}})";
    const auto p = first(defaults, R"({"attempt_timeout": "4s", "retry_status": [500],
        "retry_budget": {"capacity": 60}, "circuit_breaker": {"failure_rate": 1}})");
    EXPECT_EQ(p.fetch().retry().max_attempts(), 7U);
    EXPECT_EQ(p.fetch().retry().attempt_timeout(), 4s);
    EXPECT_EQ(p.fetch().retry_status(), std::vector<unsigned>{500});
    EXPECT_EQ(p.retry_budget(), budget_options().capacity(60).retry_cost(2));
    EXPECT_EQ(p.circuit_breaker(), breaker_options().window(1min).failure_rate(1));
}

TEST(PolicyFile, InheritsABackoffKeyByKeyWhileItsKindStays) {
    const std::string defaults =
        R"({"backoff": {"kind": "exponential", "base": "1s", "cap": "8s", "factor": 3,
                        "jitter": "none"}})";
    const auto own = [&](const char* text) {
        return first(defaults, std::string(R"({"backoff": )") + text + "}")
            .fetch()
            .retry()
            .backoff();
    };
    EXPECT_EQ(own(R"({"cap": "9s"})"), backoff::exponential(1s, 9s, 3).jitter(jitter::none));
    EXPECT_EQ(own(R"({"kind": "exponential", "jitter": "equal"})"),
              backoff::exponential(1s, 8s, 3).jitter(jitter::equal));
    EXPECT_EQ(own(R"({"kind": "constant", "base": "2s"})"), backoff::constant(2s));
    EXPECT_EQ(own(R"({"base": "20ms", "kind": "linear"})"), backoff::linear(20ms));
    EXPECT_EQ(own(R"({"kind": "decorrelated", "base": "1s"})"), backoff::decorrelated(1s));
}

TEST(PolicyFile, ACapThatNobodyWroteGivesWayToABase) {
    const auto schedule = [](const char* text) {
        return first(std::string(R"({"backoff": )") + text + "}").fetch().retry().backoff();
    };
    EXPECT_EQ(schedule(R"({"kind": "exponential", "base": "10s"})"),
              backoff::exponential(10s, 10s));
    EXPECT_EQ(schedule(R"({"base": "20s"})"), backoff::exponential(20s, 20s));
    EXPECT_EQ(schedule(R"({"base": "4s"})"), backoff::exponential(4s, 5s));
    EXPECT_EQ(schedule(R"({"kind": "linear", "base": "20s"})"), backoff::linear(20s, 20s));
    EXPECT_EQ(schedule(R"({"kind": "decorrelated", "base": "20s"})"),
              backoff::decorrelated(20s, 20s));
    EXPECT_EQ(first(R"({"by_kind": {"server": {"backoff": {"base": "20s"}}}})")
                  .fetch()
                  .retry()
                  .on(failure_kind::server)
                  .backoff(),
              backoff::exponential(20s, 20s));
    EXPECT_EQ(first(R"({"backoff": {"base": "8s"}})", R"({"backoff": {"base": "20s"}})")
                  .fetch()
                  .retry()
                  .backoff(),
              backoff::exponential(20s, 20s));
}

TEST(PolicyFile, ACapOfTheDefaultHoldsForAnEndpoint) {
    const auto said = [](const char* defaults, const char* own) {
        return problems(file(defaults, own));
    };
    EXPECT_THAT(
        said(R"({"backoff": {"cap": "8s"}})", R"({"backoff": {"base": "20s"}})"),
        HasSubstr("policy.backoff.base: the cap of 8s, which \"default\" sets, is below the "
                  "base of 20s; raise the cap or lower the base"));
    EXPECT_THAT(said(R"({"by_kind": {"server": {"backoff": {"base": "1s", "cap": "5s"}}}})",
                     R"({"by_kind": {"server": {"backoff": {"base": "20s"}}}})"),
                HasSubstr("by_kind.server.backoff.base: the cap of 5s, which \"default\" sets"));
    EXPECT_THAT(
        said(R"({"backoff": {"cap": "8s"}})", R"({"backoff": {"base": "9s", "cap": "2s"}})"),
        HasSubstr("policy.backoff.cap: the cap of 2s is below the base of 9s"));
}

TEST(PolicyFile, InheritsTheLimitsOfAKindKeyByKey) {
    const std::string defaults = R"({"by_kind": {"timeout": {"max_attempts": 2},
        "connect": {"max_attempts": 5, "backoff": {"kind": "constant", "base": "5s"}}}})";
    const auto p = first(defaults, R"({"by_kind": {"connect": {"max_attempts": 6},
        "server": {"backoff": {"base": "1s"}}, "timeout": null}})");
    const auto& retry = p.fetch().retry();
    EXPECT_EQ(retry.on(failure_kind::connect),
              kind_limits().max_attempts(6).backoff(backoff::constant(5s)));
    EXPECT_EQ(retry.on(failure_kind::server), kind_limits().backoff(backoff::exponential(1s)));
    EXPECT_EQ(retry.on(failure_kind::timeout), kind_limits());
    const auto none = first(defaults, R"({"by_kind": null})").fetch().retry();
    EXPECT_EQ(none.on(failure_kind::connect), kind_limits());
    const auto half = first(defaults, R"({"by_kind": {"connect": {"backoff": null}}})");
    EXPECT_EQ(half.fetch().retry().on(failure_kind::connect), kind_limits().max_attempts(5));
}

TEST(PolicyFile, RemovesWithNullWhatIsInherited) {
    const std::string defaults = R"({"circuit_breaker": {}, "hedge": {"after": "1s"},
        "max_concurrency": 3, "queue": 1, "attempt_timeout": "2s"})";
    const auto p =
        first(defaults, R"({"circuit_breaker": null, "hedge": null, "max_concurrency": null,
        "retry_budget": null, "attempt_timeout": null, "total_timeout": null})");
    EXPECT_EQ(p.circuit_breaker(), std::nullopt);
    EXPECT_EQ(p.fetch().hedge(), std::nullopt);
    EXPECT_EQ(p.concurrency(), std::nullopt);
    EXPECT_EQ(p.retry_budget(), std::nullopt);
    EXPECT_EQ(p.fetch().retry().attempt_timeout(), retry_policy::unlimited);
    EXPECT_EQ(p.fetch().retry().total_timeout(), retry_policy::unlimited);
    EXPECT_EQ(first(defaults).circuit_breaker(), breaker_options());
    EXPECT_EQ(
        first(R"({"retry_budget": null})", R"({"retry_budget": {"floor": 1}})").retry_budget(),
        budget_options().floor(1));
}

TEST(PolicyFile, ReadsHedges) {
    const auto hedge = [](const char* text) {
        return *first(std::string(R"({"hedge": )") + text + "}").fetch().hedge();
    };
    EXPECT_EQ(hedge("{}"), hedge_options().after_p95());
    EXPECT_EQ(hedge(R"({"after": "50ms"})"), hedge_options().after(50ms));
    EXPECT_EQ(hedge(R"({"after": "50ms", "after_p95": true, "max_extra": 2})"),
              hedge_options().after(50ms).after_p95().max_extra(2));
    EXPECT_EQ(
        first(R"({"hedge": {"after": "50ms"}})", R"({"hedge": {"after": null}})").fetch().hedge(),
        hedge_options());
}

TEST(PolicyFile, ReadsTheOtherKeys) {
    const auto p =
        first(R"({"server_veto": "ignored", "attempt_header": "X-Attempt", "pacing": "on",
        "max_redirects": 4, "max_header_size": 100, "max_body_size": 0, "max_history": 3, "name":
        "n", "max_concurrency": 9, "min_concurrency": 2, "adaptive_latency": "1s", "queue": 0,
        "retry_budget": {"cost": {"server": 3}, "failure_cost": 1, "returns_retry_cost": true}})");
    EXPECT_EQ(p.fetch().server_veto(), server_veto::ignored);
    EXPECT_EQ(p.fetch().attempt_header(), "X-Attempt");
    EXPECT_EQ(p.fetch().pacing(), pacing::on);
    EXPECT_EQ(p.fetch().max_redirects(), 4U);
    EXPECT_EQ(p.fetch().max_header_size(), 100U);
    EXPECT_EQ(p.fetch().max_body_size(), 0U);
    EXPECT_EQ(p.fetch().retry().max_history(), 3U);
    EXPECT_EQ(p.fetch().retry().name(), "n");
    EXPECT_EQ(
        p.concurrency(),
        concurrency_options().max_concurrency(9).min_concurrency(2).adaptive_latency(1s).queue(0));
    EXPECT_EQ(
        p.retry_budget(),
        budget_options().cost(failure_kind::server, 3).failure_cost(1).returns_retry_cost(true));
}

TEST(PolicyFile, AWholeNumberMayBeWrittenWithAPoint) {
    EXPECT_EQ(first(R"({"max_attempts": 2.0})").fetch().retry().max_attempts(), 2U);
    EXPECT_EQ(first(R"({"max_body_size": 1e6})").fetch().max_body_size(), 1'000'000U);
    EXPECT_EQ(problem(R"({"max_attempts": 2.25})"),
              "$.default.max_attempts: 2.25 must be a whole number from 1 to 4294967295");
    EXPECT_THAT(problem(R"({"max_body_size": 1e300})"), HasSubstr("must be a whole number"));
    EXPECT_THAT(problem(R"({"queue": -2.0})"), HasSubstr("must be a whole number"));
}

TEST(PolicyFile, NamesThePlaceOfWhatIsNotJson) {
    EXPECT_EQ(problems(""), "1:1: is not JSON: incomplete JSON");
    EXPECT_EQ(problems("{\n  \"version\": 1,\n  \"default\": {\"max_attempts\": }\n}"),
              "3:31: is not JSON: syntax error");
    EXPECT_EQ(problems("{\"version\": 1,\n}"),
              "2:1: is not JSON: syntax error; leave out the comma before it");
    EXPECT_EQ(problems("{\"version\": 1, \"endpoints\": [{}, ]}"),
              "1:34: is not JSON: syntax error; leave out the comma before it");
    EXPECT_EQ(problems("{\"version\": 1}\n{}"), "2:1: is not JSON: extra data");
    EXPECT_EQ(problems("{\"versi\xC3\xB6n\": \xFF}"), "1:13: is not JSON: syntax error");
}

TEST(PolicyFile, NamesThePlaceOfEachProblem) {
    EXPECT_EQ(
        problems(R"({
  "version": 2,
  "defaults": {},
  "default": {
    "max_attempts": 0,
    "backof": {"kind": "constant"},
    "backoff": {"base": "20s", "jitter": "ful"},
    "retry_budget": {"capacity": "many"}
  },
  "endpoints": [
    {"name": "ü", "match": {"origin": "pay.example"}},
    {"name": "b", "match": {"path": "/b", "methods": ["get"]}, "policy": {"queue": -1}},
    {"match": {}}, 7
  ]
})"),
        "2:14: $.version: is not a version that is known here; must be 1\n"
        "3:3: $.defaults: is not a known key; did you mean \"default\"?\n"
        "5:21: $.default.max_attempts: 0 must be a whole number from 1 to 4294967295\n"
        "6:5: $.default.backof: is not a known key; did you mean \"backoff\"?\n"
        "7:42: $.default.backoff.jitter: \"ful\" must be \"none\", \"full\" or \"equal\"; did "
        "you mean \"full\"?\n"
        "8:34: $.default.retry_budget.capacity: \"many\" must be a number\n"
        "11:39: $.endpoints[0].match.origin: 'pay.example' has no scheme; write "
        "https://pay.example, https://*.example or http://127.0.0.1:8080\n"
        "12:55: $.endpoints[1].match.methods[0]: 'get' should be GET\n"
        "12:84: $.endpoints[1].policy.queue: -1 must be a whole number from 0 to "
        "4294967295\n"
        "13:5: $.endpoints[2]: needs \"name\"\n"
        "13:20: $.endpoints[3]: 7 must be an object: {...}");
}

TEST(PolicyFile, SaysWhatWouldBeRight) {
    const std::pair<const char*, const char*> table[] = {
        {R"([])", "$.default: a list must be an object: {...}"},
        {R"({"max_attempts": 2.5})",
         "$.default.max_attempts: 2.5 must be a whole number from 1 to 4294967295"},
        {R"({"max_attempts": "3"})",
         "$.default.max_attempts: \"3\" must be a whole number from 1 to 4294967295"},
        {R"({"attempt_timeout": 2})",
         "$.default.attempt_timeout: 2 must be a duration such as \"250ms\", \"1.5s\" or \"2m\""},
        {R"({"attempt_timeout": "2 s"})",
         "$.default.attempt_timeout: '2 s' is not a duration: write 250ms, 1.5s, 2m or 1h; a bare "
         "number is seconds"},
        {R"({"attempt_timeout": "0s"})", "$.default.attempt_timeout: must be above 0"},
        {R"({"connect_timeout": "0s"})", "$.default.connect_timeout: must be above 0"},
        {R"({"retry_status": 503})", "$.default.retry_status: 503 must be a list: [...]"},
        {R"({"retry_status": [503, 200]})",
         "$.default.retry_status[1]: 200 must be a whole number from 400 to 599"},
        {R"({"idempotency": true})", "$.default.idempotency: true must be a string, in quotes"},
        {R"({"idempotency": "generate-key"})",
         "$.default.idempotency: \"generate-key\" must be \"by_method\", \"always\" or "
         "\"generate_key\"; did you mean \"generate_key\"?"},
        {R"({"attempt_header": "a b"})",
         "$.default.attempt_header: 'a b' is no name of a field; use X-Retry-Attempt, say"},
        {R"({"backoff": null})", "$.default.backoff: null must be an object: {...}"},
        {R"({"backoff": {"cap": "50ms"}})",
         "$.default.backoff.cap: the cap of 50ms is below the base of 100ms; raise the cap or "
         "lower "
         "the base"},
        {R"({"backoff": {"kind": "linear"}})",
         "$.default.backoff: a linear backoff needs a \"base\", such as \"100ms\""},
        {R"({"backoff": {"kind": "constant", "base": "1s", "cap": "2s"}})",
         "$.default.backoff.cap: a constant backoff has no cap; leave it out"},
        {R"({"backoff": {"kind": "linear", "base": "1s", "factor": 2}})",
         "$.default.backoff.factor: a linear backoff has no factor; leave it out"},
        {R"({"backoff": {"factor": 0.5}})",
         "$.default.backoff.factor: is below 1: delays would shrink; must be from 1 to 1e9"},
        {R"({"backoff": {"factor": 1e10}})",
         "$.default.backoff.factor: is too large; must be from 1 to 1e9"},
        {R"({"backoff": {"kind": "decorrelated", "base": "1s", "jitter": "full"}})",
         "$.default.backoff.jitter: a decorrelated backoff is random in itself; leave it out"},
        {R"({"by_kind": {"permanent": {}}})",
         "$.default.by_kind.permanent: is a kind of failure that is never retried"},
        {R"({"by_kind": {"timeouts": {}}})",
         "$.default.by_kind.timeouts: is not a known key; did you mean \"timeout\"?"},
        {R"({"by_kind": {"timeout": {"max_attempts": 0}}})",
         "$.default.by_kind.timeout.max_attempts: 0 must be a whole number from 1 to 4294967295"},
        {R"({"retry_budget": {"capacity": -1}})",
         "$.default.retry_budget.capacity: -1 is negative; must be from 0 to 1e+09"},
        {R"({"retry_budget": {"cost": {"permanent": 1}}})",
         "$.default.retry_budget.cost.permanent: is not a known key"},
        {R"({"circuit_breaker": {"failure_rate": 1.5}})",
         "$.default.circuit_breaker.failure_rate: 1.5 is too large; must be from 1e-06 to 1"},
        {R"({"circuit_breaker": {"window": "15s"}})",
         "$.default.circuit_breaker.window: the circuit breaker's window of 15s is less than twice "
         "the attempt timeout of 10s; must be 20s or more"},
        {R"({"attempt_timeout": "20s", "circuit_breaker": {}})",
         "$.default.attempt_timeout: the circuit breaker's window of 30s is less than twice the "
         "attempt timeout of 20s; must be 40s or more"},
        {R"({"hedge": {"after": "0s"}})", "$.default.hedge.after: must be above 0"},
        {R"({"hedge": {"max_extra": 9}})",
         "$.default.hedge.max_extra: 9 must be a whole number from 1 to 8"},
        {R"({"hedge": {"after_p95": false}})",
         "$.default.hedge.after_p95: leaves hedging without a delay; set \"after\" too"},
        {R"({"hedge": {"after": "10s"}})",
         "$.default.hedge.after: hedging after 10s never happens: an attempt ends after 10s; must "
         "be a "
         "shorter time"},
        {R"({"queue": 5})",
         "$.default.queue: means nothing without \"max_concurrency\"; set that too"},
        {R"({"min_concurrency": 2})",
         "$.default.min_concurrency: means nothing without \"max_concurrency\"; set that too"},
        {R"({"adaptive_latency": "1s"})",
         "$.default.adaptive_latency: means nothing without \"max_concurrency\"; set that too"},
        {R"({"max_concurrency": 2, "min_concurrency": 3})",
         "$.default.min_concurrency: min_concurrency 3 is above max_concurrency 2; must not be "
         "more"},
        {R"({"max_attempts": 2, "max_attempts": 3})",
         "$.default.max_attempts: comes a second time; it is in line 1 already"},
        {R"({"a b": 1})", "$.default[\"a b\"]: is not a known key"},
    };
    for (const auto& [text, expected] : table) EXPECT_EQ(problem(text), expected) << text;
}

TEST(PolicyFile, BlamesTheEndpointForWhatItChanges) {
    const std::string breaker =
        R"({"circuit_breaker": {"window": "20s"}, "attempt_timeout": "10s"})";
    EXPECT_EQ(
        problems(file(breaker, R"({"attempt_timeout": "11s"})")),
        "1:176: $.endpoints[0].policy.attempt_timeout: the circuit breaker's window of 20s is "
        "less than twice the attempt timeout of 11s; must be 22s or more");
    EXPECT_EQ(problems(file(breaker, R"({"max_attempts": 3})")), "none");
    const auto post = [](const char* policy) {
        return problems(std::string(R"({"version": 1, "default": {"hedge": {}}, "endpoints": [
{"name": "a", "match": {"methods": ["POST"]}, "policy": )") +
                        policy + "}]}");
    };
    EXPECT_EQ(post("{}"), "none");
    EXPECT_EQ(
        post(R"({"hedge": {"after": "1s"}})"),
        "2:67: $.endpoints[0].policy.hedge: POST may not be sent twice, so that nothing would "
        "be hedged; set idempotency to \"always\" or \"generate_key\", or hedge to null");
    EXPECT_EQ(post(R"({"hedge": {"after": "1s"}, "idempotency": "generate_key"})"), "none");
}

TEST(PolicyFile, RefusesEndpointsThatCannotBeToldApart) {
    EXPECT_EQ(problems(R"({"version": 1, "endpoints": [
{"name": "a", "match": {"path": "/a"}},
{"name": "a", "match": {"path": "/b"}}]})"),
              "3:10: $.endpoints[1].name: 'a' is taken by an endpoint before this one");
    EXPECT_EQ(problems(R"({"version": 1, "endpoints": [
{"name": "a", "match": {"path": "/a"}},
{"name": "b", "match": {"path": "/%61"}}]})"),
              "3:24: $.endpoints[1].match: any origin /a is matched by endpoint 'a' too; tell them "
              "apart by origin, path or methods");
    EXPECT_EQ(
        problems(R"({"version": 1, "endpoints": [{"name": "a", "match": {}}]})"),
        "1:53: $.endpoints[0].match: matches every request; name an origin, a path or methods, "
        "or use the default");
    EXPECT_EQ(
        problems(R"({"version": 1, "endpoints": [{"name": "default", "match": {"path": "/"}}]})"),
        "1:39: $.endpoints[0].name: 'default' is the endpoint of all requests that match no "
        "other");
    EXPECT_EQ(problems(R"({"version": 1, "endpoints": [{"name": "a"}]})"),
              "1:30: $.endpoints[0]: needs \"match\"");
    EXPECT_EQ(problems("{}"), "1:1: $: needs \"version\"");
    EXPECT_EQ(problems("[]"), "1:1: $: a list must be an object: {...}");
}

TEST(PolicyFile, NamesTheFileInItsErrors) {
    try {
        parse_policies("{\n\"version\": 1,\n\"x\": 1, \"y\": 2}", "p.json");
        FAIL();
    } catch (const policy_file_error& e) {
        EXPECT_STREQ(e.what(),
                     "p.json:3:1: $.x: is not a known key\np.json:3:9: $.y: is not a known key");
        EXPECT_EQ(e.problems()[1].line(), 3U);
        EXPECT_EQ(e.problems()[1].column(), 9U);
        EXPECT_EQ(e.problems()[1].path(), "$.y");
    }
    try {
        load_policies("/nonexistent/p.json");
        FAIL();
    } catch (const policy_file_error& e) {
        EXPECT_STREQ(e.what(), "/nonexistent/p.json: cannot be read; is it a file, and readable?");
    }
    EXPECT_THROW(load_policies("/"), policy_file_error);
}

TEST(PolicyFile, IsReadBackAsItWasWritten) {
    const auto table = parse_policies(contract_file);
    EXPECT_EQ(parse_policies(print_policies(table)), table);
    EXPECT_EQ(parse_policies(print_policies(endpoint_table())), endpoint_table());
    policy_generator random(7);
    int read_back = 0;
    for (int i = 0; i < 300; ++i) {
        const auto made = random.table();
        std::string text;
        try {
            text = print_policies(made);
        } catch (const std::invalid_argument&) {
            continue;  // it conflicts with itself
        }
        ASSERT_EQ(parse_policies(text), made) << text;
        ++read_back;
    }
    EXPECT_GT(read_back, 100);
}

TEST(PolicyFile, WritesOfAnEndpointWhatDiffersFromTheDefault) {
    const auto text = print_policies(parse_policies(contract_file));
    EXPECT_NE(text.find(R"("policy": {"max_attempts": 6, "idempotency": "generate_key"})"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find(R"("failure_rate": 0.5)"), std::string::npos) << text;
}

TEST(PolicyFile, CannotHoldFunctions) {
    const auto refusal = [](const retry_policy& p) {
        try {
            print_policies(
                endpoint_table(endpoint_policy(),
                               {endpoint("a",
                                         endpoint_match().path("/a"),
                                         endpoint_policy().fetch(fetch_policy().retry(p)))}));
        } catch (const std::invalid_argument& e) {
            return std::string(e.what());
        }
        return std::string("written");
    };
    EXPECT_EQ(refusal(retry_policy().classifier([](const auto&) { return std::nullopt; })),
              "endpoint 'a': classifier: a function cannot be written to a file");
    EXPECT_EQ(refusal(retry_policy().deadline(asio_retry::steady_time(1s))),
              "endpoint 'a': deadline: a point in time cannot be written to a file; use "
              "total_timeout");
    EXPECT_EQ(refusal(retry_policy().backoff(backoff::custom([](auto, auto d) { return d; }))),
              "endpoint 'a': backoff: a custom function cannot be written to a file");
    EXPECT_EQ(refusal(retry_policy().random([] { return std::uint64_t{1}; })), "written");
}

}  // namespace
