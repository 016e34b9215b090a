// SPDX-License-Identifier: BSL-1.0
#include "bench/fetch/contestants.hpp"
#include <asio_retry/http/client.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>

namespace bench {

namespace {

namespace asio = boost::asio;
namespace http = asio_retry::http;

enum class made { once, each_time };

void count(const http::fetch_result& r, tally& t) {
    const bool has_value = r.has_value();
    t.end(has_value ? r->status() : 0, has_value ? r->body().size() : 0, r.report().attempts());
}

asio::awaitable<void> fetch_all(http::client& c, const std::string& url, made how, tally& t) {
    const http::request prepared("GET", url);
    while (t.begin()) {
        if (how == made::once) {
            count(co_await c.try_fetch(prepared), t);
        } else {
            count(co_await c.try_fetch(http::request("GET", url)), t);
        }
    }
}

void run(const job& j, made how, http::fetch_policy policy, tally& t) {
    asio::io_context io(1);
    http::client_config config;
    config.policy(std::move(policy));
    config.pool(http::pool_limits().per_origin(j.connections).total(j.connections));
    if (j.tls()) config.tls(http::tls_options().ca_file(j.ca));
    http::client c(io.get_executor(), std::move(config));
    const std::string url = j.url();
    for (std::size_t i = 0; i < j.connections; ++i) {
        asio::co_spawn(io, fetch_all(c, url, how, t), asio::detached);
    }
    io.run();
}

}  // namespace

void run_library(const job& j, tally& t) { run(j, made::once, http::fetch_policy(), t); }
void run_library_url(const job& j, tally& t) { run(j, made::each_time, http::fetch_policy(), t); }

void run_library_retrying(const job& j, tally& t) {
    using asio_retry::backoff;
    auto retry = http::fetch_policy::default_retry();
    retry.max_attempts(10).backoff(backoff::constant(std::chrono::nanoseconds(0)));
    run(j, made::once, http::fetch_policy().retry(std::move(retry)), t);
}

}  // namespace bench
