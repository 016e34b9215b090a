// The cost of the guards where nothing fails, and of a wait for a place and of a hedge: time and
// allocations here, instructions by the script `instructions`. And several threads that share
// guards, beside a bare counter that they share.
// SPDX-License-Identifier: BSL-1.0
#include "bench/allocations.hpp"
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/concurrency_limit.hpp>
#include <asio_retry/hedge.hpp>
#include <asio_retry/pacer.hpp>
#include <asio_retry/retry.hpp>
#include <asio_retry/retry_budget.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>

namespace {

namespace asio = boost::asio;
using asio_retry::budget_options;
using asio_retry::circuit_breaker;
using asio_retry::concurrency_lease;
using asio_retry::concurrency_limit;
using asio_retry::concurrency_options;
using asio_retry::error_code;
using asio_retry::hedge_options;
using asio_retry::hedging;
using asio_retry::pacer;
using asio_retry::retry_budget;
using asio_retry::retry_policy;
using asio_retry::steady_time;
using namespace std::chrono_literals;

using executor = asio::io_context::executor_type;
using calls = asio::awaitable<void, executor>;

asio::awaitable<error_code, executor> operation() {
    const executor ex = co_await asio::this_coro::executor;
    co_await asio::post(ex, asio::deferred);
    co_return error_code();
}

/// What one benchmark does, in a loop of its own.
using calls_function = std::function<calls(benchmark::State&)>;

/// Limit and pacer are passed times that are at hand, as a driver knows when its attempts begin and
/// end.
calls run_calls(benchmark::State& state,
                retry_policy policy,
                concurrency_limit* limit,
                pacer* turns) {
    const steady_time now = std::chrono::steady_clock::now();
    while (state.KeepRunning()) {
        concurrency_lease lease;
        if (turns != nullptr) benchmark::DoNotOptimize(turns->take_turn(now));
        if (limit != nullptr) lease = limit->try_acquire(now);
        co_await asio_retry::retry(policy, operation);
        if (limit != nullptr) lease.succeed(now);
    }
}

/// Each call finds the only place taken, and it is given up while the call waits.
calls wait_in_queue(benchmark::State& state) {
    const executor ex = co_await asio::this_coro::executor;
    const steady_time now = std::chrono::steady_clock::now();
    concurrency_limit limit(concurrency_options().max_concurrency(1));
    while (state.KeepRunning()) {
        concurrency_lease held = limit.try_acquire(now);
        asio::post(ex, [&held] { held.release(); });
        auto turn = limit.async_acquire(ex, now + 1h, asio::deferred);
        const concurrency_lease lease = co_await std::move(turn);
    }
}

calls run_unhedged(benchmark::State& state) {
    while (state.KeepRunning()) co_await operation();
}

calls run_hedged(benchmark::State& state, hedging shared) {
    while (state.KeepRunning()) co_await asio_retry::hedge(shared, operation);
}

/// The first attempt hangs until it is cancelled.
asio::awaitable<error_code, executor> hanging_first(asio_retry::attempt a) {
    const executor ex = co_await asio::this_coro::executor;
    if (a.number() > 1) co_return error_code();
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>,
                               executor>
        never(ex, 1h);
    auto wait = never.async_wait(asio::as_tuple(asio::deferred));
    const auto [ec] = co_await std::move(wait);
    co_return ec;
}

calls run_hanging_first(benchmark::State& state, hedging shared) {
    while (state.KeepRunning()) co_await asio_retry::hedge(shared, hanging_first);
}

void measure(benchmark::State& state, const calls_function& run) {
    asio::io_context io(1);
    asio::steady_timer idle(io, 1h);
    idle.async_wait([](const error_code&) {});
    std::size_t after = 0;
    asio::co_spawn(io.get_executor(), run(state), [&](const std::exception_ptr&) {
        after = bench::allocations();
        idle.cancel();
    });
    const auto before = bench::allocations();
    io.run();
    state.counters["allocs"] =
        static_cast<double>(after - before) / static_cast<double>(state.iterations());
}

void add(const char* name, calls_function run) {
    auto* b = benchmark::RegisterBenchmark(
        name, [run = std::move(run)](benchmark::State& state) { measure(state, run); });
    if (const char* n = std::getenv("ASIO_RETRY_BENCH_N")) b->Iterations(std::atoi(n));
}

void add(const char* name,
         const retry_policy& policy,
         concurrency_limit* limit = nullptr,
         pacer* turns = nullptr) {
    add(name, [=](benchmark::State& state) { return run_calls(state, policy, limit, turns); });
}

/// Threads that share one object; the time for each is that of all together.
template <typename Function>
void add_shared(const char* name, Function once) {
    if (std::getenv("ASIO_RETRY_BENCH_N") != nullptr) return;
    benchmark::RegisterBenchmark(name,
                                 [once](benchmark::State& state) {
                                     for (auto _ : state) once();
                                 })
        ->ThreadRange(1, 8)
        ->UseRealTime();
}

}  // namespace

int main(int argc, char** argv) {
    const auto budget = std::make_shared<retry_budget>();
    const auto breaker = std::make_shared<circuit_breaker>();
    concurrency_limit limit;
    pacer turns;
    const retry_policy plain;
    const auto budgeted = retry_policy().retry_budget(budget);
    const auto both = retry_policy(budgeted).circuit_breaker(breaker);
    add("call/hand_unguarded", plain);
    add("call/budget", budgeted);
    add("call/breaker", retry_policy().circuit_breaker(breaker));
    add("call/limit", plain, &limit);
    add("call/pacer", plain, nullptr, &turns);
    add("call/budget_breaker_limit", both, &limit);
    add("call/all", both, &limit, &turns);
    add("queue/wait_for_a_place", wait_in_queue);
    const hedging hour(hedge_options().after(1h), budget);
    const hedging soon(
        hedge_options().after(1us),
        std::make_shared<retry_budget>(budget_options().retry_cost(1).success_refund(1)));
    add("hedge/hand_unhedged", run_unhedged);
    add("hedge/quick_first", [=](benchmark::State& state) { return run_hedged(state, hour); });
    add("hedge/hanging_first",
        [=](benchmark::State& state) { return run_hanging_first(state, soon); });

    // A time that stands still, so that no clock is measured.
    const steady_time now = std::chrono::steady_clock::now();
    std::atomic<std::uint64_t> counter{0};
    retry_budget spent({}, 50, now);
    add_shared("shared/counter", [&] { counter.fetch_add(1); });
    add_shared("shared/budget_full", [&] { budget->call_succeeded(now); });
    add_shared("shared/budget_in_use", [&] {
        if (!spent.try_spend(now)) benchmark::DoNotOptimize(spent.available(now));
        spent.give_back(now);
    });
    add_shared("shared/breaker", [&] { breaker->acquire(now).succeed(now); });
    add_shared("shared/limit", [&] { limit.try_acquire(now).succeed(now); });
    add_shared("shared/all", [&] {
        auto permit = breaker->acquire(now);
        auto lease = limit.try_acquire(now);
        lease.succeed(now);
        permit.succeed(now);
        budget->call_succeeded(now);
    });
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
