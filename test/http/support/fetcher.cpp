#include "http/support/fetcher.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include <stdexcept>

namespace asio_retry::test {

namespace {

constexpr std::chrono::seconds watchdog{20};

asio::awaitable<void> run(std::shared_ptr<http::detail::client_state> state,
                          request r,
                          http::detail::fetch_terms terms,
                          std::shared_ptr<pending_fetch> end) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    auto call = http::detail::fetch(std::move(state), std::move(r), std::move(terms), nullptr);
    end->result.emplace(co_await std::move(call));
    ++end->times;
}

}  // namespace

retry_policy no_wait() {
    return std::move(http::fetch_policy::default_retry().backoff(backoff::none()));
}

http::fetch_policy at_once(retry_policy retry) {
    return std::move(http::fetch_policy().retry(std::move(retry)));
}

http::fetch_policy only_once() { return at_once(no_wait().max_attempts(1)); }

fetcher::fetcher(http::client_config config, http::detail::lookup_function lookup)
    : state(std::make_shared<http::detail::client_state>(
          context.get_executor(), std::move(config), std::move(lookup))) {}

http::fetch_result fetcher::fetch(request r, http::detail::fetch_terms terms) {
    const auto call = start(std::move(r), std::move(terms));
    run_until(call);
    run_out();
    return std::move(*call->result);
}

http::fetch_result fetcher::get(const std::string& url) { return fetch(request("GET", url)); }

std::shared_ptr<pending_fetch> fetcher::start(request r, http::detail::fetch_terms terms) {
    auto end = std::make_shared<pending_fetch>();
    auto call = run(state, std::move(r), std::move(terms), end);
    asio::co_spawn(context,
                   std::move(call),
                   asio::bind_cancellation_slot(end->signal.slot(), [](std::exception_ptr e) {
                       if (e) std::rethrow_exception(e);
                   }));
    return end;
}

void fetcher::run_until(const std::function<bool()>& is_true) {
    const auto end = std::chrono::steady_clock::now() + watchdog;
    while (!is_true()) {
        if (std::chrono::steady_clock::now() >= end) throw std::runtime_error("a call hangs");
        context.restart();
        context.run_one_for(10ms);
    }
}

void fetcher::run_ready() {
    context.restart();
    context.poll();
}

void fetcher::run_out() {
    context.restart();
    context.run_for(watchdog);
    if (!context.stopped()) throw std::runtime_error("something outlives its call");
}

std::string attempts(const retry_report& report) {
    std::string text;
    for (const attempt_record& r : report.history()) {
        if (!text.empty()) text += " ";
        text += std::to_string(r.number) + ":";
        text += r.error ? r.error.message() : std::to_string(r.status);
    }
    return text;
}

}  // namespace asio_retry::test
