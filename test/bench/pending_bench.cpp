// Many calls waiting in their backoff at once: bytes each, and the time to start, cancel and fire
// one. Usage: pending_bench hand|retry|spawned|async [concrete|any] [COUNT]   (one table row a run)
// retry stands in a coroutine, as the loop by hand does; spawned is the call spawned itself. What
// is to be cancelled has a cancellation slot bound, with memory of its own; what fires has none.
// SPDX-License-Identifier: BSL-1.0
#include "bench/allocations.hpp"
#include <asio_retry/async_retry.hpp>
#include <asio_retry/retry.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
using asio_retry::backoff;
using asio_retry::error_code;
using asio_retry::retry_policy;
using namespace std::chrono_literals;

double cpu_seconds() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

template <typename Executor>
class measurement {
    template <typename T>
    using awaitable = asio::awaitable<T, Executor>;

    static awaitable<error_code> refused() { co_return asio::error::connection_refused; }

    static awaitable<void> by_hand(std::chrono::nanoseconds delay) {
        asio::basic_waitable_timer<std::chrono::steady_clock,
                                   asio::wait_traits<std::chrono::steady_clock>,
                                   Executor>
            timer(co_await asio::this_coro::executor);
        for (int attempt = 1; attempt <= 2; ++attempt) {
            const error_code ec = co_await refused();
            if (!ec || attempt == 2) break;
            timer.expires_after(delay);
            const auto [failed] = co_await timer.async_wait(asio::as_tuple(asio::deferred));
            if (failed) break;
        }
    }

    static awaitable<void> by_retry(retry_policy policy) {
        co_await asio_retry::retry(policy, refused);
    }

    class outcome_counter {
    public:
        explicit outcome_counter(std::size_t& n) : ended_(&n) {}
        void operator()(const std::exception_ptr&) const { ++*ended_; }
        void operator()(const std::exception_ptr&, const error_code&) const { ++*ended_; }
        void operator()(const error_code&) const { ++*ended_; }

    private:
        std::size_t* ended_;
    };

    template <typename Handler>
    static void start_one(const std::string& how,
                          Executor ex,
                          std::chrono::nanoseconds delay,
                          const retry_policy& policy,
                          Handler done) {
        if (how == "hand") {
            asio::co_spawn(ex, by_hand(delay), std::move(done));
        } else if (how == "retry") {
            asio::co_spawn(ex, by_retry(policy), std::move(done));
        } else if (how == "spawned") {
            asio::co_spawn(ex, asio_retry::retry(policy, refused), std::move(done));
        } else {
            const auto op = [ex](auto token) {
                return asio::async_initiate<decltype(token), void(error_code)>(
                    [ex](auto handler) {
                        asio::post(ex, [h = std::move(handler)]() mutable {
                            std::move(h)(error_code(asio::error::connection_refused));
                        });
                    },
                    token);
            };
            asio_retry::async_retry(ex, policy, op, std::move(done));
        }
    }

public:
    static void run(const std::string& how, std::size_t count, bool fire) {
        asio::io_context io(1);
        const Executor ex(io.get_executor());
        const auto delay = fire ? std::chrono::nanoseconds(12s) : std::chrono::nanoseconds(1h);
        const auto policy = retry_policy().max_attempts(2).backoff(
            backoff::constant(delay).jitter(asio_retry::jitter::none));
        std::vector<asio::cancellation_signal> signals(count);
        std::size_t ended = 0;

        const std::size_t empty = bench::bytes_in_use();
        const double t0 = cpu_seconds();
        for (std::size_t i = 0; i < count; ++i) {
            const outcome_counter done(ended);
            if (fire) {
                start_one(how, ex, delay, policy, done);
            } else {
                start_one(
                    how, ex, delay, policy, asio::bind_cancellation_slot(signals[i].slot(), done));
            }
            io.poll();
        }
        const double t1 = cpu_seconds();
        const std::size_t full = bench::bytes_in_use();
        const double each = 1e6 / static_cast<double>(count);
        std::printf("%-6s %8zu calls: %6.0f bytes, start %.2f us",
                    how.c_str(),
                    count,
                    static_cast<double>(full - empty) / static_cast<double>(count),
                    (t1 - t0) * each);
        if (fire) {
            std::this_thread::sleep_for(13s);
        } else {
            for (auto& s : signals) s.emit(asio::cancellation_type::terminal);
        }
        const double t2 = cpu_seconds();
        io.run();
        const double t3 = cpu_seconds();
        std::printf(", %s %.2f us (%zu ended)\n",
                    fire ? "fire" : "cancel",
                    ((fire ? t3 - t2 : t3 - t1)) * each,
                    ended);
    }
};

}  // namespace

int main(int argc, char** argv) {
    const std::string how = argc > 1 ? argv[1] : "";
    const bool any = argc > 2 && std::string(argv[2]) == "any";
    const std::size_t count = argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1000000;
    if (how != "hand" && how != "retry" && how != "spawned" && how != "async") {
        std::fprintf(stderr,
                     "usage: pending_bench hand|retry|spawned|async [concrete|any] [COUNT]\n");
        return 2;
    }
    for (const bool fire : {false, true}) {
        if (any) {
            measurement<asio::any_io_executor>::run(how, count, fire);
        } else {
            measurement<asio::io_context::executor_type>::run(how, count, fire);
        }
    }
}
