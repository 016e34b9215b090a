// A context that is destroyed in the middle of a call: nothing is called, nothing leaks, and
// nothing is used after its end (which the sanitizers see).
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/async_retry.hpp>
#include <asio_retry/hedge.hpp>
#include <asio_retry/retry.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;

/// Shared by all that a call holds: when it is alone, the call has let everything go.
using token = std::shared_ptr<int>;

enum class driver { retry, retry_on_concrete_executor, try_retry, async_retry, async_on_strand };

/// Starts a call of an operation that fails after `takes`; must never complete.
void start(
    stage& s, driver d, const retry_policy& policy, std::chrono::nanoseconds takes, token t) {
    const auto op = s.scripted({step(refused, takes)});
    auto f = [op](const token&) -> asio::awaitable<void> {
        const token mine = std::make_shared<int>(1);
        auto wait = op.awaitable()();
        co_await std::move(wait);
    };
    using executor = asio::io_context::executor_type;
    auto concrete = [&s, takes](const token&) -> asio::awaitable<void, executor> {
        detail::timed_wait wait(detail::timer_service::of(s.context.get_executor()));
        auto until = wait.timers().now() + takes;
        co_await wait.until(until);
        throw boost::system::system_error(refused);
    };
    auto tracked = [op, t](auto&& handler) { return op(std::forward<decltype(handler)>(handler)); };
    auto never = [t](error_code) { ADD_FAILURE() << "completed"; };
    switch (d) {
        case driver::retry:
            asio::co_spawn(s.context, retry(policy, f, t), [t](std::exception_ptr) {
                ADD_FAILURE() << "completed";
            });
            break;
        case driver::retry_on_concrete_executor:
            asio::co_spawn(s.context.get_executor(),
                           retry(policy, concrete, t),
                           [t](std::exception_ptr) { ADD_FAILURE() << "completed"; });
            break;
        case driver::try_retry:
            asio::co_spawn(
                asio::any_io_executor(asio::make_strand(s.context)),
                try_retry(policy, f, t),
                [t](std::exception_ptr, retry_result<void>) { ADD_FAILURE() << "completed"; });
            break;
        case driver::async_retry:
            async_retry(s.context.get_executor(), policy, tracked, never);
            break;
        case driver::async_on_strand:
            async_retry(s.executor(),
                        policy,
                        tracked,
                        asio::bind_executor(asio::make_strand(s.context), never));
            break;
    }
}

class moment {
public:
    const char* name;
    std::chrono::seconds attempt_timeout;
    std::chrono::seconds takes;
    std::function<void(stage&)> reach;
};

void reach_start(stage&) {}
void reach_5s(stage& s) { s.clock.run_for(s.context, 5s); }
/// Something has fired at this time, and its handler has not run.
void queue_at_10s(stage& s) {
    s.clock.run_for(s.context, 5s);
    s.clock.advance(5s);
}
void queue_one_step_after_10s(stage& s) {
    queue_at_10s(s);
    s.context.restart();
    s.context.poll_one();
}
void reach_15s(stage& s) { s.clock.run_for(s.context, 15s); }
void queue_at_20s(stage& s) {
    s.clock.run_for(s.context, 15s);
    s.clock.advance(5s);
}

const std::vector<moment>& moments() {
    static const std::vector<moment> all{
        {"NotStarted", 0s, 10s, reach_start},
        {"NotStartedTimed", 1h, 10s, reach_start},
        {"InAnAttempt", 0s, 10s, reach_5s},
        {"InAnAttemptThatWouldEnd", 1h, 10s, reach_5s},
        {"InAnAttemptThatWouldTimeOut", 10s, 1h, reach_5s},
        {"AttemptEndQueued", 0s, 10s, queue_at_10s},
        {"AttemptEndQueuedTimed", 1h, 10s, queue_at_10s},
        {"AttemptEndRun", 0s, 10s, queue_one_step_after_10s},
        {"AttemptEndRunTimed", 1h, 10s, queue_one_step_after_10s},
        {"TimeoutQueued", 10s, 1h, queue_at_10s},
        {"TimeoutRun", 10s, 1h, queue_one_step_after_10s},
        {"TimeoutAndEndQueued", 10s, 10s, queue_at_10s},
        {"TimeoutOrEndRun", 10s, 10s, queue_one_step_after_10s},
        {"InADelay", 0s, 10s, reach_15s},
        {"InADelayTimed", 1h, 10s, reach_15s},
        {"DelayEndQueued", 0s, 10s, queue_at_20s},
        {"DelayEndQueuedTimed", 1h, 10s, queue_at_20s},
        {"InALaterAttempt", 0s, 10s, [](stage& s) { s.clock.run_for(s.context, 25s); }},
        {"InALaterAttemptTimed", 1h, 10s, [](stage& s) { s.clock.run_for(s.context, 25s); }},
    };
    return all;
}

class AbandonedCall : public ::testing::TestWithParam<std::tuple<driver, std::size_t>> {};

std::string name_of(const ::testing::TestParamInfo<AbandonedCall::ParamType>& info) {
    constexpr const char* drivers[] = {
        "Retry", "RetryConcrete", "TryRetryOnStrand", "AsyncRetry", "AsyncRetryOnStrand"};
    const auto [d, m] = info.param;
    return std::string(drivers[static_cast<std::size_t>(d)]) + moments()[m].name;
}

TEST_P(AbandonedCall, LetsEverythingGo) {
    const auto [how, m] = GetParam();
    const moment& when = moments()[m];
    auto policy = every_ten_seconds();
    if (when.attempt_timeout > 0s) policy.attempt_timeout(when.attempt_timeout);
    const auto t = std::make_shared<int>(1);
    {
        stage s;
        start(s, how, policy, when.takes, t);
        when.reach(s);
        EXPECT_GT(t.use_count(), 1);
    }
    EXPECT_EQ(t.use_count(), 1);
}

TEST_P(AbandonedCall, LetsEverythingGoAmongMany) {
    const auto [how, m] = GetParam();
    const moment& when = moments()[m];
    auto policy = every_ten_seconds();
    if (when.attempt_timeout > 0s) policy.attempt_timeout(when.attempt_timeout);
    const auto t = std::make_shared<int>(1);
    {
        stage s;
        for (int i = 0; i < 30; ++i) {
            start(s, how, policy, when.takes + std::chrono::seconds(i * 7 % 5), t);
        }
        when.reach(s);
    }
    EXPECT_EQ(t.use_count(), 1);
}

INSTANTIATE_TEST_SUITE_P(AtEachMoment,
                         AbandonedCall,
                         ::testing::Combine(::testing::Values(driver::retry,
                                                              driver::retry_on_concrete_executor,
                                                              driver::try_retry,
                                                              driver::async_retry,
                                                              driver::async_on_strand),
                                            ::testing::Range(std::size_t{0}, moments().size())),
                         name_of);

TEST(Abandoned, WhileACancellationIsUnderWay) {
    for (const bool timed : {false, true}) {
        const auto t = std::make_shared<int>(1);
        {
            stage s;
            auto policy = every_ten_seconds();
            if (timed) policy.attempt_timeout(1h);
            const auto op = s.scripted({step(refused, 10s)});
            auto f = [op](const token&) { return op.awaitable()(); };
            const auto end = s.start(retry(policy, f, t), caller());
            async_retry(s.executor(), policy, op, [t](error_code) { ADD_FAILURE(); });
            s.clock.run_for(s.context, 5s);
            s.signal.emit(asio::cancellation_type::terminal);
            s.context.restart();
            s.context.poll_one();
            EXPECT_EQ(end->times, 0);
        }
        EXPECT_EQ(t.use_count(), 1);
    }
}

TEST(Abandoned, OnTheRealClock) {
    const auto t = std::make_shared<int>(1);
    const auto policy =
        retry_policy().attempt_timeout(1h).backoff(backoff::constant(1h).jitter(jitter::none));
    {
        asio::io_context context;
        for (const bool waits : {false, true}) {
            const scripted_operation op(context.get_executor(), {step(refused, waits ? 0s : 1h)});
            auto f = [op](const token&) { return op.awaitable()(); };
            asio::co_spawn(context, retry(policy, f, t), [](std::exception_ptr) {
                ADD_FAILURE() << "completed";
            });
            auto tracked = [op, t](auto&& h) { return op(std::forward<decltype(h)>(h)); };
            async_retry(context.get_executor(), policy, tracked, [](error_code) {
                ADD_FAILURE() << "completed";
            });
        }
        for (int i = 0; i < 50; ++i) context.poll();
        EXPECT_GT(t.use_count(), 4);
    }
    EXPECT_EQ(t.use_count(), 1);
}

TEST(Abandoned, InAThreadPool) {
    const auto t = std::make_shared<int>(1);
    const auto policy =
        retry_policy().attempt_timeout(1h).backoff(backoff::constant(1h).jitter(jitter::none));
    for (const bool waits : {false, true}) {
        asio::thread_pool pool(2);
        for (int i = 0; i < 10; ++i) {
            const scripted_operation op(pool.get_executor(), {step(refused, waits ? 0s : 1h)});
            auto f = [op](const token&) { return op.awaitable()(); };
            asio::co_spawn(pool, retry(policy, f, t), [](std::exception_ptr) {
                ADD_FAILURE() << "completed";
            });
            auto tracked = [op, t](auto&& h) { return op(std::forward<decltype(h)>(h)); };
            async_retry(asio::make_strand(pool), policy, tracked, [](error_code) {
                ADD_FAILURE() << "completed";
            });
        }
        pool.stop();
        pool.join();
    }
    EXPECT_EQ(t.use_count(), 1);
}

TEST(Abandoned, WhereOnlyTheHandlersContextIsGone) {
    const auto t = std::make_shared<int>(1);
    {
        stage s;
        {
            asio::io_context other;
            async_retry(s.executor(),
                        every_ten_seconds().attempt_timeout(1h),
                        s.scripted({step(refused, 10s)}),
                        asio::bind_executor(other.get_executor(),
                                            [t](error_code) { ADD_FAILURE() << "completed"; }));
            s.clock.run_for(s.context, 10s);
            // The attempt's end is queued in the other context, and goes with it.
        }
        EXPECT_EQ(t.use_count(), 1);
        s.clock.run(s.context);
    }
}

/// Writes through a reference at its end, as a scope guard would.
class guard {
public:
    explicit guard(std::string& text) : text_(text) {}
    ~guard() { text_ += "destroyed"; }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;

private:
    std::string& text_;
};

TEST(Abandoned, ArgumentsOutliveTheAttemptThatUsesThem) {
    for (const bool timed : {false, true}) {
        stage s;
        auto policy = every_ten_seconds();
        if (timed) policy.attempt_timeout(1h);
        const auto op = s.scripted({step(refused, 10s)});
        auto f = [&op](std::string& text) -> asio::awaitable<void> {
            const guard at_end(text);
            auto wait = op.awaitable()();
            co_await std::move(wait);
        };
        asio::co_spawn(s.context, retry(policy, f, std::string(100, 'x')), asio::detached);
        s.clock.run_for(s.context, 5s);
    }
}

using acceptor_ptr = std::shared_ptr<asio::ip::tcp::acceptor>;

/// Waits on a socket, which the context destroys after the timers.
template <typename Executor>
asio::awaitable<void, Executor> wait_for_a_client(std::string& text, acceptor_ptr acceptor) {
    const guard at_end(text);
    auto wait =
        acceptor->async_wait(asio::ip::tcp::acceptor::wait_read, asio::use_awaitable_t<Executor>());
    co_await std::move(wait);
}

template <typename Executor>
void abandon_on(asio::io_context& context, const Executor& ex, bool hedged) {
    const asio::ip::tcp::endpoint any_port(asio::ip::address_v4::loopback(), 0);
    const auto acceptor = std::make_shared<asio::ip::tcp::acceptor>(context, any_port);
    const auto policy = every_ten_seconds().attempt_timeout(1h);
    auto f = &wait_for_a_client<Executor>;
    std::string text(100, 'x');
    if (hedged) {
        asio::co_spawn(ex, hedge(hedge_options().after(1ms), f, text, acceptor), asio::detached);
    } else {
        asio::co_spawn(ex, retry(policy, f, text, acceptor), asio::detached);
    }
    context.run_for(20ms);
}

TEST(Abandoned, ArgumentsOutliveATimedAttemptOnASocket) {
    for (const bool hedged : {false, true}) {
        for (int kind = 0; kind < 4; ++kind) {
            asio::io_context context(1);
            const asio::ip::tcp::socket reactor_first(context);
            const auto plain = context.get_executor();
            const auto strand = asio::make_strand(context);
            if (kind == 0) abandon_on(context, plain, hedged);
            if (kind == 1) abandon_on(context, strand, hedged);
            if (kind == 2) abandon_on(context, asio::any_io_executor(plain), hedged);
            if (kind == 3) abandon_on(context, asio::any_io_executor(strand), hedged);
        }
    }
}

}  // namespace
}  // namespace asio_retry
