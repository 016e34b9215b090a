// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/http/endpoint_table.hpp>
#include <asio_retry/http/policy_file.hpp>

#include <http/target.hpp>
#include <http/wire.hpp>
#include <tool/credentials.hpp>
#include <tool/fetch_request.hpp>
#include <tool/fetch_values.hpp>
#include <tool/usage_error.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <utility>

namespace asio_retry::tool {

namespace {

constexpr unsigned curl_max_redirects = 50;
constexpr std::uint64_t largest_body = 1024ULL * 1024 * 1024;

/// What to write for the first character that may not stand in a URL as it is; "" if nothing can be
/// said.
std::string hint_for_character(std::string_view url) {
    constexpr std::string_view unsafe = "\"<>\\^`{|}";
    const auto* const found = std::find_if(url.begin(), url.end(), [&](char c) {
        return c <= ' ' || c > '~' || unsafe.find(c) != std::string_view::npos;
    });
    if (found == url.end()) return {};
    const auto place = static_cast<std::size_t>(found - url.begin());
    const auto scheme_end = url.find("://");
    const bool is_in_host =
        scheme_end != std::string_view::npos && place < url.find_first_of("/?#", scheme_end + 3);
    if (is_in_host) {
        const bool is_ascii = static_cast<unsigned char>(*found) < 0x80;
        return is_ascii ? "" : "; write its host in Punycode, as in xn--bcher-kva.example";
    }
    std::array<char, 8> code{};
    std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned char>(*found));
    return std::string("; write ") + code.data() + " for its character " +
           std::to_string(place + 1);
}

void check_url(const std::string& url) {
    http::detail::target target;
    const auto error = http::detail::parse_target(url, target);
    if (!error) return;
    const auto shown = shown_as_no_url(url);
    auto text = "'" + shown + "': " + error.message();
    const bool lacks_scheme = !url.empty() && url.front() != '/' && !url.starts_with("http:") &&
                              url.find(":/") == std::string::npos;
    if (lacks_scheme && shown.find('@') == std::string::npos)
        text += "; write http://" + shown;
    else
        text += hint_for_character(shown);
    throw usage_error(text);
}

/// A version 4 UUID (RFC 9562, 5.4).
std::string make_key() {
    std::random_device random;
    std::array<std::uint32_t, 4> bits{random(), random(), random(), random()};
    bits[1] = (bits[1] & 0xffff0fffU) | 0x4000U;
    bits[2] = (bits[2] & 0x3fffffffU) | 0x80000000U;
    std::array<char, 48> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%08x-%04x-%04x-%04x-%04x%08x",
                  bits[0],
                  bits[1] >> 16U,
                  bits[1] & 0xffffU,
                  bits[2] >> 16U,
                  bits[2] & 0xffffU,
                  bits[3]);
    return text.data();
}

void check_headers(const fetch_options& options) {
    for (const auto& [name, value] : options.headers) {
        http::request probe("GET", "http://localhost/");
        try {
            probe.header(name, value);
        } catch (const std::length_error&) {
            throw usage_error("--header: '" + name.substr(0, 40) + "' is longer than 64 kB");
        }
        const auto error = http::detail::check_request(probe);
        if (!error) continue;
        auto text = "--header: '" + name + "': " + error.message();
        if (same_name(name, "Host")) text += "; --resolve connects to another address for a host";
        throw usage_error(text);
    }
    http::request keyed("GET", "http://localhost/");
    keyed.idempotency_key(options.idempotency_key);
    const auto error = http::detail::check_request(keyed);
    if (error) throw usage_error("--idempotency-key: the KEY has a control character in it");
}

http::request make_request(const fetch_options& options, const std::string& url) {
    http::request request(options.method, url);
    for (const auto& [name, value] : options.headers) request.header(name, value);
    if (options.data) request.body(*options.data);
    if (!options.data_file.empty()) request.body(http::body_source::file(options.data_file));
    if (options.idempotent) request.repeatable(http::repeat::allowed);
    if (options.key == key_choice::given) request.idempotency_key(options.idempotency_key);
    if (options.key == key_choice::made_up) request.idempotency_key(make_key());
    return request;
}

}  // namespace

std::vector<http::request> make_requests(const fetch_options& options) {
    check_headers(options);
    std::vector<http::request> requests;
    for (const auto& url : options.urls) {
        check_url(url);
        requests.push_back(make_request(options, url));
    }
    return requests;
}

namespace {

/// A schedule on the command line does not say how it is spread.
backoff spread_as(backoff schedule, const backoff& before) {
    if (before.type() != backoff::kind::decorrelated) schedule.jitter(before.jitter());
    return schedule;
}

/// What an option says of jitter holds for every kind of failure.
void spread_delays(retry_policy& retry, jitter spread) {
    retry.backoff(backoff(retry.backoff()).jitter(spread));
    for (std::size_t i = 0; i < failure_kind_count; ++i) {
        const auto kind = static_cast<failure_kind>(i);
        auto limits = retry.on(kind);
        if (!limits.backoff()) continue;
        limits.backoff(backoff(*limits.backoff()).jitter(spread));
        retry.on(kind, limits);
    }
}

}  // namespace

http::fetch_policy with_flags(http::fetch_policy policy, const fetch_options& options) {
    auto retry = policy.retry();
    if (options.max_attempts) retry.max_attempts(*options.max_attempts);
    if (options.attempt_timeout) retry.attempt_timeout(*options.attempt_timeout);
    if (options.total_timeout) retry.total_timeout(*options.total_timeout);
    if (options.schedule) retry.backoff(spread_as(*options.schedule, retry.backoff()));
    if (options.spread) spread_delays(retry, *options.spread);
    if (options.max_retry_after) retry.max_retry_after(*options.max_retry_after);
    policy.retry(std::move(retry));
    if (options.connect_timeout) policy.connect_timeout(*options.connect_timeout);
    if (!options.retry_status.empty()) policy.retry_status(options.retry_status);
    if (options.follow) policy.max_redirects(options.max_redirects.value_or(curl_max_redirects));
    if (options.compressed) policy.compressed(http::compression::on);
    if (options.hedge) {
        const auto most = policy.hedge() ? policy.hedge()->max_extra() : 1;
        policy.hedge(hedge_options().after(*options.hedge).max_extra(most));
    }
    return policy;
}

namespace {

/// A program that fetches once remembers all of it, and what it writes to a file may be large.
http::fetch_policy defaults() {
    constexpr std::size_t all_attempts = 100'000;
    auto retry = http::fetch_policy::default_retry();
    retry.max_history(all_attempts);
    return std::move(http::fetch_policy().retry(std::move(retry)).max_body_size(largest_body));
}

/// What an option says of attempts or of backoff holds for every kind of failure.
http::fetch_policy without_limits_by_kind(http::fetch_policy policy, const fetch_options& options) {
    auto retry = policy.retry();
    for (std::size_t i = 0; i < failure_kind_count; ++i) {
        const auto kind = static_cast<failure_kind>(i);
        const auto& limits = retry.on(kind);
        if (limits == kind_limits()) continue;
        kind_limits left;
        if (limits.max_attempts() && !options.max_attempts)
            left.max_attempts(*limits.max_attempts());
        if (limits.backoff() && !options.schedule) left.backoff(*limits.backoff());
        retry.on(kind, left);
    }
    policy.retry(std::move(retry));
    return policy;
}

bool has_decorrelated_delays(const retry_policy& retry) {
    constexpr auto decorrelated = backoff::kind::decorrelated;
    bool found = retry.backoff().type() == decorrelated;
    for (std::size_t i = 0; i < failure_kind_count; ++i) {
        const auto& own = retry.on(static_cast<failure_kind>(i)).backoff();
        found |= own && own->type() == decorrelated;
    }
    return found;
}

http::endpoint_policy with_flags(http::endpoint_policy p,
                                 std::string_view name,
                                 const fetch_options& options) {
    p.fetch(with_flags(without_limits_by_kind(p.fetch(), options), options));
    if (options.spread.value_or(jitter::full) != jitter::full &&
        has_decorrelated_delays(p.fetch().retry())) {
        throw usage_error("--jitter: endpoint '" + std::string(name) + "' of '" +
                          options.policy_file +
                          "' has decorrelated delays, which are random in themselves");
    }
    return p;
}

http::endpoint_table with_flags(const http::endpoint_table& table, const fetch_options& options) {
    constexpr auto first = http::endpoint_table::default_number;
    auto others = with_flags(table.policy(first), table.name(first), options);
    auto endpoints = table.endpoints();
    for (auto& each : endpoints) each.policy(with_flags(each.policy(), each.name(), options));
    return http::endpoint_table(std::move(others), endpoints);
}

}  // namespace

http::endpoint_policy base_policy() {
    http::endpoint_policy base;
    base.fetch(defaults());
    return base;
}

http::fetch_policy make_policy(const fetch_options& options) {
    return with_flags(defaults(), options);
}

std::shared_ptr<http::endpoint_registry> make_endpoints(const fetch_options& options) {
    if (options.policy_file.empty()) {
        http::endpoint_policy base;
        base.fetch(make_policy(options)).retry_budget(std::nullopt);
        return std::make_shared<http::endpoint_registry>(http::endpoint_table(base));
    }
    try {
        return std::make_shared<http::endpoint_registry>(
            with_flags(http::load_policies(options.policy_file, base_policy()), options));
    } catch (const std::invalid_argument& e) {
        throw usage_error(std::string("--policy: ") + e.what());
    }
}

namespace {

/// What the command line says comes before what the environment says, each for itself.
http::proxies make_proxies(const fetch_options& options) {
    http::proxies chosen;
    if (options.proxy && options.proxy->empty()) return chosen;
    if (options.proxy) {
        chosen = http::proxies(http::proxy(*options.proxy));
    } else {
        try {
            chosen = http::proxies_from_environment();
        } catch (const std::invalid_argument& e) {
            throw usage_error(std::string(e.what()) + "; -x '' goes without");
        }
    }
    const auto bypass = options.no_proxy.value_or(http::no_proxy_from_environment());
    if (chosen.http) chosen.http->bypass(bypass);
    if (chosen.https) chosen.https->bypass(bypass);
    return chosen;
}

}  // namespace

http::client_config make_config(const fetch_options& options) {
    http::tls_options tls;
    if (options.insecure) tls.verify(http::verification::off);
    tls.ca_file(options.ca_file).client_certificate(options.certificate_file, options.key_file);

    http::client_config config;
    config.tls(std::move(tls)).proxies(make_proxies(options));
    if (!options.unix_socket.empty()) config.unix_socket(options.unix_socket);
    if (options.parallel) {
        const std::size_t places =
            std::max<std::size_t>(options.parallel_max, http::pool_limits().per_origin());
        config.pool(http::pool_limits().per_origin(places).total(
            std::max(places, http::pool_limits().total())));
    }
    for (const auto& rule : options.resolve) {
        for (const auto& address : rule.addresses) config.resolve(rule.host, rule.port, address);
    }
    return config;
}

}  // namespace asio_retry::tool
