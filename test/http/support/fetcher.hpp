// A client on an io_context of its own, and calls that are run to their end under a watchdog.
#pragma once

#include "http/client_state.hpp"
#include "http/fetch.hpp"
#include "support/scripted_server.hpp"
#include <asio_retry/http/client.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace asio_retry::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using http::request;

/// 4 attempts of at most 10 s, without a wait between them.
retry_policy no_wait();

http::fetch_policy at_once(retry_policy retry = no_wait());

/// One attempt.
http::fetch_policy only_once();

/// How a call ended, once it has.
class pending_fetch {
public:
    bool done() const { return result.has_value(); }
    const http::fetch_result& operator*() const { return *result; }
    const http::fetch_result* operator->() const { return &*result; }

    asio::cancellation_signal signal;
    std::optional<http::fetch_result> result;
    int times = 0;
};

class fetcher {
public:
    explicit fetcher(http::client_config config = http::client_config().policy(at_once()),
                     http::detail::lookup_function lookup = http::detail::look_up);

    /// Fetches, and waits until nothing of it is left on the context.
    http::fetch_result fetch(request r, http::detail::fetch_terms terms = {});
    http::fetch_result get(const std::string& url);

    /// Begins a fetch; `run_until` lets it go on. All types of cancellation reach it.
    std::shared_ptr<pending_fetch> start(request r, http::detail::fetch_terms terms = {});

    /// Runs the context until it is true. Throws after 20 s: a call hangs.
    void run_until(const std::function<bool()>& is_true);
    void run_until(const std::shared_ptr<pending_fetch>& p) {
        run_until([p] { return p->done(); });
    }
    /// Runs what is ready, and waits for nothing: for tests that move a clock.
    void run_ready();
    /// Runs what is left. Throws after 20 s: something outlives its call.
    void run_out();

    asio::io_context context;
    std::shared_ptr<http::detail::client_state> state;
};

/// "1:503 2:200": number and status, or error, of each attempt.
std::string attempts(const retry_report& report);

}  // namespace asio_retry::test
