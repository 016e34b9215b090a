// One pool under churn: several threads, origins, cancellations and timeouts, and too few places.
#include "http/client_state.hpp"
#include "http/fetch.hpp"
#include "support/scripted_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using http::request;
using state_ptr = std::shared_ptr<http::detail::client_state>;

/// How the calls of a test have ended.
class tally {
public:
    std::atomic<int> ok = 0;
    std::atomic<int> cancelled = 0;
    std::atomic<int> failed = 0;

    int all() const { return ok + cancelled + failed; }
};

asio::awaitable<void> run(state_ptr state, request r, http::fetch_policy policy, tally* ends) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    auto call = http::detail::fetch(std::move(state), std::move(r), std::move(policy), nullptr);
    const http::fetch_result result = co_await std::move(call);
    if (result.ok()) {
        ++ends->ok;
    } else if (result.reason() == reason::cancelled) {
        ++ends->cancelled;
    } else {
        ++ends->failed;
    }
}

/// A call on a strand of its own, cancelled there when its time is up.
class cut_call : public std::enable_shared_from_this<cut_call> {
public:
    explicit cut_call(asio::thread_pool& threads)
        : strand_(asio::make_strand(threads.get_executor())), timer_(strand_) {}

    void start(asio::awaitable<void> call, std::chrono::microseconds after) {
        asio::post(strand_, [self = shared_from_this(), c = std::move(call), after]() mutable {
            self->begin(std::move(c), after);
        });
    }

private:
    /// On the strand: what is bound to a signal must not race what emits it.
    void begin(asio::awaitable<void> call, std::chrono::microseconds after) {
        timer_.expires_after(after);
        timer_.async_wait(asio::bind_executor(strand_, [self = shared_from_this()](error_code ec) {
            if (!ec) self->signal_.emit(asio::cancellation_type::total);
        }));
        auto done = asio::bind_executor(strand_, [self = shared_from_this()](std::exception_ptr e) {
            self->timer_.cancel();
            if (e) std::rethrow_exception(e);
        });
        asio::co_spawn(strand_,
                       std::move(call),
                       asio::bind_cancellation_slot(signal_.slot(), std::move(done)));
    }

    asio::strand<asio::thread_pool::executor_type> strand_;
    asio::steady_timer timer_;
    asio::cancellation_signal signal_;
};

connection_script uneven(int first) {
    connection_script script;
    for (int i = first; i < first + 40; ++i) {
        script.push_back(expect_request());
        if (i % 11 == 7) script.push_back(pause(25ms));
        script.push_back(send(response(i % 9 == 4 ? 503 : 200, "ok")));
    }
    script.push_back(first % 2 == 0 ? close() : reset());
    return script;
}

TEST(PoolThreads, LoseNoPlaceAndNoWaiterUnderChurn) {
    const certificate_authority authority;
    const auto options = scripted_server_options().repeat_last();
    scripted_server plain({uneven(0), uneven(3)}, options);
    scripted_server other({uneven(5)}, options);
    scripted_server secure({uneven(2)},
                           scripted_server_options(options).tls(authority.issue(for_loopback())));
    const std::vector<std::string> urls = {plain.url(), other.url(), secure.url()};

    asio::thread_pool threads(4);
    const auto state = std::make_shared<http::detail::client_state>(
        threads.get_executor(),
        http::client_config()
            .pool(http::pool_limits().per_origin(2).total(4))
            .tls(http::tls_options().ca_pem(authority.certificate_pem()))
            .endpoints(std::make_shared<http::endpoint_registry>(
                http::endpoint_table(http::endpoint_policy().retry_budget(std::nullopt)))));
    std::minstd_rand random(11);
    tally ends;
    constexpr int calls = 400;
    for (int i = 0; i < calls; ++i) {
        auto retry = retry_policy().backoff(backoff::none()).max_attempts(50);
        retry.attempt_timeout(std::chrono::milliseconds(random() % 4 == 0 ? 5 : 2000));
        const bool cuts = random() % 3 == 0;
        const auto after = std::chrono::microseconds(cuts ? random() % 60'000 : 30'000'000);
        auto call = run(state,
                        request("GET", urls[random() % urls.size()]),
                        http::fetch_policy().retry(retry),
                        &ends);
        std::make_shared<cut_call>(threads)->start(std::move(call), after);
    }
    threads.join();
    EXPECT_EQ(ends.all(), calls);
    EXPECT_GT(ends.ok, calls / 3);
    EXPECT_GT(ends.cancelled, 0);
    const auto left = state->pool.count();
    EXPECT_EQ(left.waiting, 0U);
    EXPECT_EQ(left.open, left.idle);
    EXPECT_LE(left.open, 4U);
}

}  // namespace
}  // namespace asio_retry::test
