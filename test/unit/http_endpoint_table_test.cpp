#include <asio_retry/http/endpoint_table.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace {

using asio_retry::retry_policy;
using asio_retry::http::endpoint;
using asio_retry::http::endpoint_error;
using asio_retry::http::endpoint_key;
using asio_retry::http::endpoint_match;
using asio_retry::http::endpoint_policy;
using asio_retry::http::endpoint_table;
using asio_retry::http::fetch_policy;
using asio_retry::http::url_scheme;

endpoint named(std::string name, endpoint_match match) {
    return {std::move(name), std::move(match)};
}
endpoint_match at(const std::string& origin) { return endpoint_match().origin(origin); }
endpoint_match under(const std::string& path) { return endpoint_match().path(path); }

/// A request to https://`host`.
std::string_view found(const endpoint_table& t,
                       const char* host,
                       const char* path = "/",
                       const char* method = "GET") {
    return t.name(t.find(endpoint_key(method, url_scheme::https, host, 443, path)));
}

std::string refusal(const std::vector<endpoint>& list, std::size_t position) {
    try {
        const endpoint_table t(endpoint_policy(), list);
    } catch (const endpoint_error& e) {
        EXPECT_EQ(e.position(), position);
        return e.what();
    }
    return "accepted";
}

TEST(EndpointTable, SendsWhatMatchesNothingToTheDefault) {
    const endpoint_table none;
    EXPECT_EQ(none.size(), 0U);
    EXPECT_EQ(found(none, "a.example"), "default");
    EXPECT_EQ(none.policy(0), endpoint_policy());
    EXPECT_EQ(none.match(0), endpoint_match());
    const endpoint_table one(endpoint_policy(), {named("a", at("https://a.example"))});
    EXPECT_EQ(found(one, "a.example"), "a");
    EXPECT_EQ(found(one, "b.example"), "default");
}

TEST(EndpointTable, PrefersAnExactHostToASuffixAndASuffixToNone) {
    const endpoint_table t(endpoint_policy(),
                           {named("any", under("/long/path/of/many/segments")),
                            named("short", at("https://*.example").path("/long/*")),
                            named("long", at("https://*.b.example").path("/lon*")),
                            named("exact", at("https://a.b.example"))});
    const char* path = "/long/path/of/many/segments";
    EXPECT_EQ(found(t, "a.b.example", path), "exact");
    EXPECT_EQ(found(t, "c.b.example", path), "long");
    EXPECT_EQ(found(t, "c.c.example", path), "short");
    EXPECT_EQ(found(t, "c.c.test", path), "any");
    EXPECT_EQ(found(t, "c.c.test", "/"), "default");
}

TEST(EndpointTable, FallsBackToALessSpecificHostWhereThePathDoesNotMatch) {
    const endpoint_table t(endpoint_policy(),
                           {named("exact", at("https://a.b.example").path("/a/*")),
                            named("long", at("https://*.b.example").path("/b/*")),
                            named("short", at("https://*.example").path("/c/*")),
                            named("any", under("/d/*"))});
    EXPECT_EQ(found(t, "a.b.example", "/a/x"), "exact");
    EXPECT_EQ(found(t, "a.b.example", "/b/x"), "long");
    EXPECT_EQ(found(t, "a.b.example", "/c/x"), "short");
    EXPECT_EQ(found(t, "a.b.example", "/d/x"), "any");
    EXPECT_EQ(found(t, "a.b.example", "/e/x"), "default");
}

TEST(EndpointTable, PrefersALongerPath) {
    const endpoint_table t(endpoint_policy(),
                           {named("all", at("https://a.example")),
                            named("v1", at("https://a.example").path("/v1/*")),
                            named("v1-prefix", at("https://a.example").path("/v1/charges*")),
                            named("v1-exact", at("https://a.example").path("/v1/charges"))});
    EXPECT_EQ(found(t, "a.example", "/"), "all");
    EXPECT_EQ(found(t, "a.example", "/v1"), "all");
    EXPECT_EQ(found(t, "a.example", "/v1/"), "v1");
    EXPECT_EQ(found(t, "a.example", "/v1/charge"), "v1");
    EXPECT_EQ(found(t, "a.example", "/v1/charges"), "v1-exact");
    EXPECT_EQ(found(t, "a.example", "/v1/charges/7"), "v1-prefix");
    EXPECT_EQ(found(t, "a.example", "/%76%31/charges?x=/y"), "v1-exact");
}

TEST(EndpointTable, PrefersNamedMethodsAndFallsBackWhereTheMethodIsAnother) {
    const endpoint_table t(endpoint_policy(),
                           {named("any", at("https://a.example").path("/v1/*")),
                            named("post", at("https://a.example").path("/v1/*").methods({"POST"})),
                            named("put", at("https://a.example").path("/v1/x").methods({"PUT"})),
                            named("purge", at("https://a.example").methods({"PURGE"}))});
    EXPECT_EQ(found(t, "a.example", "/v1/x", "GET"), "any");
    EXPECT_EQ(found(t, "a.example", "/v1/x", "POST"), "post");
    EXPECT_EQ(found(t, "a.example", "/v1/x", "PUT"), "put");
    EXPECT_EQ(found(t, "a.example", "/v1/y", "PUT"), "any");
    EXPECT_EQ(found(t, "a.example", "/", "PURGE"), "purge");
    EXPECT_EQ(found(t, "a.example", "/", "GET"), "default");
}

TEST(EndpointTable, PrefersTheHostToThePathAndThePathToTheMethod) {
    const endpoint_table t(endpoint_policy(),
                           {named("host", at("https://a.example")),
                            named("path", at("https://*.example").path("/v1/*")),
                            named("method", at("https://*.example").methods({"POST"}))});
    EXPECT_EQ(found(t, "a.example", "/v1/x", "POST"), "host");
    EXPECT_EQ(found(t, "b.example", "/v1/x", "POST"), "path");
    EXPECT_EQ(found(t, "b.example", "/v2/x", "POST"), "method");
}

TEST(EndpointTable, TellsSchemesAndPortsApart) {
    const endpoint_table t(endpoint_policy(),
                           {named("http", at("http://a.example")),
                            named("https", at("https://A.example:443")),
                            named("other", at("https://a.example:8443"))});
    const auto at_port = [&](url_scheme s, std::uint16_t port) {
        return t.name(t.find(endpoint_key("GET", s, "a.example", port, "/")));
    };
    EXPECT_EQ(at_port(url_scheme::http, 80), "http");
    EXPECT_EQ(at_port(url_scheme::https, 443), "https");
    EXPECT_EQ(at_port(url_scheme::https, 8443), "other");
    EXPECT_EQ(at_port(url_scheme::http, 443), "default");
}

TEST(EndpointTable, FindsPathsOfAnOriginThatHasManyOfThem) {
    std::vector<endpoint> list;
    for (int i = 0; i < 1000; ++i) {
        const auto n = std::to_string(i);
        list.push_back(named("at" + n, at("https://a.example").path("/r" + n)));
        list.push_back(named("in" + n, at("https://a.example").path("/r" + n + "/*")));
    }
    list.push_back(named("odd", at("https://a.example").path("/r99x*")));
    list.push_back(named("get", at("https://a.example").path("/r7/*").methods({"GET"})));
    const endpoint_table t(endpoint_policy(), list);
    EXPECT_EQ(found(t, "a.example", "/r7"), "at7");
    EXPECT_EQ(found(t, "a.example", "/r7/"), "get");
    EXPECT_EQ(found(t, "a.example", "/r7/a", "PUT"), "in7");
    EXPECT_EQ(found(t, "a.example", "/r999/a/b"), "in999");
    EXPECT_EQ(found(t, "a.example", "/r99xyz"), "odd");
    EXPECT_EQ(found(t, "a.example", "/r1000"), "default");
    EXPECT_EQ(found(t, "b.example", "/r7"), "default");
}

TEST(EndpointTable, RefusesTheSameNameTwice) {
    EXPECT_EQ(
        refusal({named("a", under("/a")), named("b", under("/b")), named("a", under("/c"))}, 2),
        "name: 'a' is taken by an endpoint before this one");
}

TEST(EndpointTable, RefusesMatchesOfWhichNoneIsMoreSpecific) {
    EXPECT_EQ(refusal({named("a", at("https://h.example").path("/a/*")),
                       named("b", at("https://H.example:443").path("/%61/*"))},
                      1),
              "match: https://h.example/a/* is matched by endpoint 'a' too; tell them apart by "
              "origin, path or methods");
    EXPECT_EQ(refusal({named("a", under("/a").methods({"GET", "PUT"})),
                       named("b", under("/a").methods({"DELETE"})),
                       named("c", under("/a").methods({"POST", "PUT"}))},
                      2),
              "match: POST,PUT any origin /a is matched by endpoint 'a' too; tell them apart by "
              "origin, path or methods");
    EXPECT_EQ(refusal({named("a", under("/a").methods({"GET"})),
                       named("b", under("/a")),
                       named("c", under("/a*")),
                       named("d", under("/a*").methods({"GET"})),
                       named("e", at("https://*.h.example")),
                       named("f", at("https://h.example"))},
                      0),
              "accepted");
}

TEST(EndpointTable, TakesSixtyFourMethods) {
    std::vector<endpoint> list;
    for (int i = 0; i < 64; ++i) {
        const auto n = std::to_string(i);
        list.push_back(named("m" + n, endpoint_match().methods({"M" + n})));
    }
    const endpoint_table t(endpoint_policy(), list);
    EXPECT_EQ(found(t, "h", "/", "M0"), "m0");
    EXPECT_EQ(found(t, "h", "/", "M63"), "m63");
    EXPECT_EQ(found(t, "h", "/", "M64"), "default");
    list.push_back(named("m64", endpoint_match().methods({"M64"})));
    EXPECT_EQ(
        refusal(list, 64),
        "methods: 'M64' is one more than the 64 different methods that a table can tell apart");
}

TEST(EndpointTable, GivesBackWhatItWasMadeOf) {
    const auto six = endpoint_policy().fetch(fetch_policy().retry(retry_policy().max_attempts(6)));
    const std::vector<endpoint> list = {
        named("z", at("https://[::1]:8443").path("/%7e%2a/*").methods({"POST", "A"})).policy(six),
        named("a", at("http://*.b.example")),
        named("m", under("/x"))};
    const endpoint_table t(six, list);
    EXPECT_EQ(t.endpoints(), list);
    EXPECT_EQ(t.policy(0), six);
    EXPECT_EQ(t.find("z"), 1U);
    EXPECT_EQ(t.find("m"), 3U);
    EXPECT_EQ(t.find("default"), 0U);
    EXPECT_EQ(t.find("y"), std::nullopt);
    EXPECT_EQ(t.policy(1), six);
    EXPECT_EQ(t.policy(2), endpoint_policy());
    EXPECT_EQ(t, endpoint_table(six, list));
    EXPECT_NE(t, endpoint_table(endpoint_policy(), list));
    EXPECT_NE(t, endpoint_table(six));
}

/// The rules of precedence, as they are written: a scan.
class reference {
public:
    explicit reference(const std::vector<endpoint>& list) : list_(list) {}

    std::string find(const endpoint_key& key) const {
        std::string best = "default";
        rank best_rank;
        for (const endpoint& e : list_) {
            if (!e.match().covers(key)) continue;
            const rank r = rank_of(e.match());
            if (best != "default" && r <= best_rank) continue;
            best = e.name();
            best_rank = r;
        }
        return best;
    }

private:
    using rank = std::tuple<int, std::size_t, std::size_t, bool, bool>;

    static rank rank_of(const endpoint_match& m) {
        return {static_cast<int>(m.host_pattern()),
                m.host().size(),
                m.path_text().size(),
                !m.is_path_prefix(),
                !m.methods().empty()};
    }

    std::vector<endpoint> list_;
};

class generator {
public:
    explicit generator(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return random_() % n; }
    std::string one_of(const std::vector<std::string>& words) { return words[below(words.size())]; }

    std::string host() {
        std::string text = one_of({"a", "b", "ab"});
        for (auto n = below(3); n > 0; --n) text += "." + one_of({"a", "b", "ab"});
        return text;
    }
    std::string path() {
        std::string text;
        do text += "/" + one_of({"a", "b", "ab", "", "%61", "%2A", "abc"});
        while (below(3) != 0);
        return text;
    }
    std::string method() { return one_of({"GET", "PUT", "POST", "PURGE"}); }

    endpoint_match match() {
        endpoint_match m;
        if (below(6) != 0) {
            m.origin(one_of({"http://", "https://"}) + (below(2) == 0 ? "*." : "") + host() +
                     one_of({"", "", ":80", ":8443"}));
        }
        if (below(4) != 0) m.path(path() + (below(2) == 0 ? "*" : ""));
        std::vector<std::string> methods;
        for (auto n = below(3); n > 0; --n) methods.push_back(method());
        return m.methods(std::move(methods));
    }

    /// As many endpoints as tell each other apart.
    std::vector<endpoint> table(std::size_t size) {
        std::vector<endpoint> list;
        for (std::size_t i = 0; i < size; ++i) {
            const auto m = match();
            if (m == endpoint_match()) continue;
            list.push_back(named("e" + std::to_string(i), m));
            try {
                const endpoint_table t(endpoint_policy(), list);
            } catch (const endpoint_error&) {
                list.pop_back();
            }
        }
        return list;
    }

private:
    std::mt19937 random_;
};

TEST(EndpointTable, FindsWhatAScanWouldFind) {
    std::size_t matched = 0;
    for (unsigned seed = 0; seed < 40; ++seed) {
        generator g(seed);
        const auto list = g.table(seed % 3 == 0 ? 90 : 20);
        const endpoint_table t(endpoint_policy(), list);
        const reference scan(list);
        for (int i = 0; i < 500; ++i) {
            const auto host = g.host();
            const auto path = g.path() + (g.below(4) == 0 ? "?q" : "");
            const auto method = g.method();
            const endpoint_key key(method,
                                   g.below(2) == 0 ? url_scheme::http : url_scheme::https,
                                   host,
                                   std::vector<std::uint16_t>{80, 443, 8443}[g.below(3)],
                                   path);
            ASSERT_EQ(t.name(t.find(key)), scan.find(key))
                << seed << ' ' << method << ' ' << host << ':' << key.port << path;
            if (t.find(key) != 0) ++matched;
        }
    }
    EXPECT_GT(matched, 3000U);
}

}  // namespace
