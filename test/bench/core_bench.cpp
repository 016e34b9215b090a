// The cost of the retry layer beside the loop that one would write by hand: time and allocations
// here, instructions by the script `instructions`, which runs this under callgrind.
// SPDX-License-Identifier: BSL-1.0
#include "bench/allocations.hpp"
#include <asio_retry/async_retry.hpp>
#include <asio_retry/retry.hpp>
#include <asio_retry/retry_executor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <string>

namespace {

namespace asio = boost::asio;
using asio_retry::error_code;
using asio_retry::retry_policy;
using namespace std::chrono_literals;

template <typename Executor>
class suite {
    template <typename T>
    using awaitable = asio::awaitable<T, Executor>;

    /// The operation of all scenarios: one post, then the outcome that is due.
    static awaitable<error_code> operation(int* failures) {
        const Executor ex = co_await asio::this_coro::executor;
        co_await asio::post(ex, asio::deferred);
        if (*failures > 0) {
            --*failures;
            co_return asio::error::connection_refused;
        }
        co_return error_code();
    }

    static awaitable<void> throwing_operation(int* failures) {
        const error_code ec = co_await operation(failures);
        if (ec) throw boost::system::system_error(ec);
    }

    static awaitable<void> hand_loop(benchmark::State& state, int failures_each) {
        int failures = 0;
        while (state.KeepRunning()) {
            failures = failures_each;
            for (int attempt = 1; attempt <= 3; ++attempt) {
                const error_code ec = co_await operation(&failures);
                if (!ec) break;
            }
        }
    }

    static awaitable<error_code> hand_written(int* failures) {
        error_code ec;
        for (int attempt = 1; attempt <= 3; ++attempt) {
            ec = co_await operation(failures);
            if (!ec) break;
        }
        co_return ec;
    }

    static awaitable<void> hand_function(benchmark::State& state, int failures_each) {
        int failures = 0;
        while (state.KeepRunning()) {
            failures = failures_each;
            co_await hand_written(&failures);
        }
    }

    static awaitable<void> hand_throwing(benchmark::State& state, int failures_each) {
        int failures = 0;
        while (state.KeepRunning()) {
            failures = failures_each;
            for (int attempt = 1; attempt <= 3; ++attempt) {
                try {
                    co_await throwing_operation(&failures);
                    break;
                } catch (const boost::system::system_error&) {
                }
            }
        }
    }

    static awaitable<void> with_retry(benchmark::State& state,
                                      int failures_each,
                                      retry_policy policy) {
        int failures = 0;
        while (state.KeepRunning()) {
            failures = failures_each;
            co_await asio_retry::retry(policy, operation, &failures);
        }
    }

    static awaitable<void> with_throwing_retry(benchmark::State& state,
                                               int failures_each,
                                               retry_policy policy) {
        int failures = 0;
        while (state.KeepRunning()) {
            failures = failures_each;
            co_await asio_retry::retry(policy, throwing_operation, &failures);
        }
    }

    static awaitable<void> hand_post(benchmark::State& state, int) {
        const Executor ex = co_await asio::this_coro::executor;
        while (state.KeepRunning()) co_await asio::post(ex, asio::deferred);
    }

    static awaitable<void> with_async_retry(benchmark::State& state, int, retry_policy policy) {
        const Executor ex = co_await asio::this_coro::executor;
        const auto op = [&ex](auto token) { return asio::post(ex, std::move(token)); };
        while (state.KeepRunning()) {
            co_await asio_retry::async_retry(ex, policy, op, asio::deferred);
        }
    }

    static awaitable<void> with_retry_executor(benchmark::State& state, int, retry_policy policy) {
        const Executor ex = co_await asio::this_coro::executor;
        const asio_retry::retry_executor retries(ex, policy);
        const auto op = [&ex](auto token) { return asio::post(ex, std::move(token)); };
        while (state.KeepRunning()) co_await retries.async_retry(op, asio::deferred);
    }

    /// An idle timer keeps the reactor in the loop, as sockets do in any real program.
    template <typename Function, typename... Args>
    static void run(benchmark::State& state, Function f, Args... args) {
        asio::io_context io(1);
        asio::steady_timer idle(io, 1h);
        idle.async_wait([](const error_code&) {});
        std::size_t before = 0;
        std::size_t after = 0;
        const auto done = [&](const std::exception_ptr&) {
            after = bench::allocations();
            idle.cancel();
        };
        asio::co_spawn(Executor(io.get_executor()), f(state, args...), done);
        before = bench::allocations();
        io.run();
        state.counters["allocs"] =
            static_cast<double>(after - before) / static_cast<double>(state.iterations());
    }

    template <typename Function, typename... Args>
    static void add(const std::string& name, Function f, Args... args) {
        auto* b = benchmark::RegisterBenchmark(
            name.c_str(), [=](benchmark::State& state) { run(state, f, args...); });
        if (const char* n = std::getenv("ASIO_RETRY_BENCH_N")) b->Iterations(std::atoi(n));
    }

public:
    static void add_all(const std::string& ex) {
        const auto none = retry_policy().backoff(asio_retry::backoff::none());
        const auto limited = retry_policy(none).attempt_timeout(10s);
        add(ex + "/success/hand_loop", &hand_loop, 0);
        add(ex + "/success/hand_function", &hand_function, 0);
        add(ex + "/success/retry", &with_retry, 0, none);
        add(ex + "/success/retry_timeout", &with_retry, 0, limited);
        add(ex + "/success/hand_post", &hand_post, 0);
        add(ex + "/success/async_retry", &with_async_retry, 0, none);
        add(ex + "/success/async_retry_timeout", &with_async_retry, 0, limited);
        add(ex + "/success/retry_executor", &with_retry_executor, 0, none);
        add(ex + "/one_failure/hand_loop", &hand_loop, 1);
        add(ex + "/one_failure/hand_function", &hand_function, 1);
        add(ex + "/one_failure/retry", &with_retry, 1, none);
        add(ex + "/one_failure/hand_throwing", &hand_throwing, 1);
        add(ex + "/one_failure/retry_throwing", &with_throwing_retry, 1, none);
    }
};

}  // namespace

int main(int argc, char** argv) {
    suite<asio::io_context::executor_type>::add_all("io_context");
    suite<asio::any_io_executor>::add_all("any_io_executor");
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
