// async_retry and async_try_retry: signatures, completion tokens, executors, allocators.
// SPDX-License-Identifier: BSL-1.0
#include "support/run.hpp"
#include <asio_retry/async_retry.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/system/system_error.hpp>

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace asio_retry {
namespace {

using namespace test;
using boost::system::system_error;

/// Completes at once with `void(Error, Ts...)`: the first `failures` times with the error alone.
template <typename Error, typename... Ts>
class answering {
public:
    answering(asio::any_io_executor ex, int failures, Error e, Ts... values)
        : executor_(std::move(ex)),
          left_(std::make_shared<int>(failures)),
          error_(std::move(e)),
          values_(std::move(values)...) {}

    template <typename Token>
    auto operator()(Token&& token) {
        return asio::async_initiate<Token, void(Error, Ts...)>(
            [this](auto handler) {
                const bool fails = (*left_)-- > 0;
                auto results = std::tuple_cat(std::tuple<Error>(fails ? error_ : Error()),
                                              fails ? std::tuple<Ts...>() : std::move(values_));
                const auto to = asio::get_associated_executor(handler, executor_);
                asio::post(to, [h = std::move(handler), r = std::move(results)]() mutable {
                    std::apply(std::move(h), std::move(r));
                });
            },
            token);
    }

private:
    asio::any_io_executor executor_;
    std::shared_ptr<int> left_;
    Error error_;
    std::tuple<Ts...> values_;
};

template <typename Operation>
constexpr auto signature_with(Operation&& op) {
    using probe = detail::signature_probe;
    return async_retry(asio::any_io_executor(), retry_policy(), op, probe());
}

TEST(AsyncRetry, CompletesWithAnError) {
    stage s;
    const auto op = s.scripted({step(refused, 1s), step({}, 1s)});
    int times = 0;
    async_retry(s.executor(), every_ten_seconds(), op, [&times](error_code ec) {
        ++times;
        EXPECT_EQ(ec, error_code());
    });
    EXPECT_EQ(op.attempts(), 1u);
    s.clock.run(s.context);
    EXPECT_EQ(times, 1);
    EXPECT_EQ(op.attempts(), 2u);
    EXPECT_EQ(s.elapsed(), 12s);
}

TEST(AsyncRetry, CompletesWithTheLastError) {
    stage s;
    const auto op = s.scripted({step(refused), step(refused), step(reset_by_peer)});
    error_code got;
    async_retry(s.executor(), every_ten_seconds(), op, [&got](error_code ec) { got = ec; });
    s.clock.run(s.context);
    EXPECT_EQ(got, reset_by_peer);
    EXPECT_EQ(op.attempts(), 3u);
}

TEST(AsyncRetry, CompletesWithOneValue) {
    stage s;
    int got = 0;
    async_retry(s.executor(),
                every_ten_seconds(),
                answering(s.executor(), 2, refused, 42),
                [&got](error_code ec, int n) {
                    EXPECT_FALSE(ec);
                    got = n;
                });
    s.clock.run(s.context);
    EXPECT_EQ(got, 42);
    EXPECT_EQ(s.elapsed(), 20s);
}

TEST(AsyncRetry, CompletesWithTheValuesThatGoWithAnError) {
    stage s;
    error_code error;
    std::size_t bytes = 0;
    auto read = [&s](auto&& token) {
        return asio::async_initiate<decltype(token), void(error_code, std::size_t)>(
            [&s](auto handler) {
                const auto to = asio::get_associated_executor(handler, s.executor());
                asio::post(to, [h = std::move(handler)]() mutable {
                    std::move(h)(reset_by_peer, std::size_t{7});
                });
            },
            token);
    };
    async_retry(s.executor(), every_ten_seconds(), read, [&](error_code ec, std::size_t n) {
        error = ec;
        bytes = n;
    });
    s.clock.run(s.context);
    EXPECT_EQ(error, reset_by_peer);
    EXPECT_EQ(bytes, 7u);
}

TEST(AsyncRetry, CompletesWithSeveralMoveOnlyValues) {
    stage s;
    std::unique_ptr<int> number;
    std::string text;
    async_retry(s.executor(),
                every_ten_seconds(),
                answering(s.executor(), 1, refused, std::make_unique<int>(7), std::string("seven")),
                [&](error_code ec, std::unique_ptr<int> n, std::string t) {
                    EXPECT_FALSE(ec);
                    number = std::move(n);
                    text = std::move(t);
                });
    s.clock.run(s.context);
    ASSERT_TRUE(number);
    EXPECT_EQ(*number, 7);
    EXPECT_EQ(text, "seven");
}

TEST(AsyncRetry, GivesDefaultValuesToACallWithoutAttempt) {
    stage s;
    error_code got;
    int value = 1;
    async_retry(s.executor(),
                every_ten_seconds().total_timeout(0s),
                answering(s.executor(), 0, refused, 42),
                [&](error_code ec, int n) {
                    got = ec;
                    value = n;
                });
    EXPECT_EQ(got, error_code());
    s.clock.run(s.context);
    EXPECT_EQ(got, error::deadline_exceeded);
    EXPECT_EQ(value, 0);
}

TEST(AsyncRetry, GivesAnErrorToASignatureWithoutOne) {
    stage s;
    auto nothing = [&s](auto&& token) {
        return asio::post(s.executor(), std::forward<decltype(token)>(token));
    };
    static_assert(std::is_same_v<decltype(signature_with(nothing))::type, void(error_code)>);
    int times = 0;
    async_retry(s.executor(), every_ten_seconds(), nothing, [&times](error_code ec) {
        EXPECT_FALSE(ec);
        ++times;
    });
    s.clock.run(s.context);
    EXPECT_EQ(times, 1);

    int calls = 0;
    auto number = operation([&](auto&& token) {
                      return asio::async_initiate<decltype(token), void(int)>(
                          [&](auto handler) {
                              asio::post(s.executor(), [&calls, h = std::move(handler)]() mutable {
                                  std::move(h)(++calls);
                              });
                          },
                          token);
                  }).classify_value([](int n) {
        return n < 3 ? verdict(failure_kind::server) : verdict::success();
    });
    int got = 0;
    async_retry(s.executor(), every_ten_seconds(), number, [&got](error_code ec, int n) {
        EXPECT_FALSE(ec);
        got = n;
    });
    s.clock.run(s.context);
    EXPECT_EQ(got, 3);
}

TEST(AsyncRetry, TakesOperationsWithExceptions) {
    stage s;
    int calls = 0;
    auto work = [&calls](int last) -> asio::awaitable<int> {
        if (++calls < 3) throw system_error(refused);
        if (last < 0) throw std::out_of_range("row 12");
        co_return last;
    };
    int last = 7;
    auto spawned = [&](auto&& token) {
        return asio::co_spawn(s.executor(), work(last), std::forward<decltype(token)>(token));
    };
    static_assert(
        std::is_same_v<decltype(signature_with(spawned))::type, void(std::exception_ptr, int)>);
    int got = 0;
    async_retry(s.executor(), every_ten_seconds(), spawned, [&](std::exception_ptr e, int n) {
        EXPECT_FALSE(e);
        got = n;
    });
    s.clock.run(s.context);
    EXPECT_EQ(got, 7);

    calls = 0;
    last = -1;
    std::exception_ptr thrown;
    async_retry(
        s.executor(), every_ten_seconds(), spawned, [&](std::exception_ptr e, int) { thrown = e; });
    s.clock.run(s.context);
    ASSERT_TRUE(thrown);
    try {
        std::rethrow_exception(thrown);
    } catch (const retry_error& e) {
        EXPECT_EQ(e.code(), error::operation_threw);
        EXPECT_EQ(e.reason(), reason::permanent_failure);
        EXPECT_EQ(e.report().attempts(), 3u);
        EXPECT_THROW(std::rethrow_exception(e.cause()), std::out_of_range);
    }
}

TEST(AsyncRetry, TellsTheOperationOfItsAttempt) {
    stage s;
    std::vector<unsigned> numbers;
    const auto op = s.scripted({step(refused), step(refused), step()});
    auto look = [&](const attempt& a, auto&& token) {
        numbers.push_back(a.number());
        return op(std::forward<decltype(token)>(token));
    };
    async_retry(s.executor(), every_ten_seconds(), look, asio::detached);
    s.clock.run(s.context);
    // The signature is found without running anything.
    EXPECT_EQ(numbers, (std::vector<unsigned>{1, 2, 3}));
}

TEST(AsyncRetry, ResetsAndJudges) {
    stage s;
    int resets = 0;
    auto op = operation(answering(s.executor(), 1, refused, 503))
                  .classify_value([](int status) {
                      return status == 200 ? verdict::success() : verdict(failure_kind::server);
                  })
                  .reset([&resets] { ++resets; });
    int got = 0;
    error_code error = denied;
    async_retry(s.executor(), every_ten_seconds(), op, [&](error_code ec, int n) {
        error = ec;
        got = n;
    });
    s.clock.run(s.context);
    EXPECT_EQ(error, error_code());
    EXPECT_EQ(got, 503);
    EXPECT_EQ(resets, 2);
    EXPECT_EQ(s.elapsed(), 20s);
}

/// Refused only where a co_await may stand beside it.
TEST(AsyncRetry, TakesAClosureThatOwnsSomethingBesideAPlainHandler) {
    stage s;
    const auto owned = std::make_shared<int>(0);
    bool called = false;
    async_retry(
        s.executor(),
        every_ten_seconds(),
        [owned, op = posted_operation(s.executor())](auto&& token) {
            ++*owned;
            return op(std::forward<decltype(token)>(token));
        },
        [&called](error_code ec) { called = !ec; });
    s.clock.run(s.context);
    EXPECT_TRUE(called);
    EXPECT_EQ(*owned, 1);
    EXPECT_EQ(owned.use_count(), 1);
}

TEST(AsyncRetry, NeverTouchesATimerForZeroDelay) {
    stage s;
    std::size_t most = 0;
    unsigned calls = 0;
    auto op = [&](auto&& token) {
        most = std::max(most, s.clock.pending());
        ++calls;
        return posted_operation(s.executor(), refused)(std::forward<decltype(token)>(token));
    };
    bool done = false;
    async_retry(s.executor(),
                retry_policy().max_attempts(100).backoff(backoff::none()),
                op,
                [&done](error_code ec) { done = ec == refused; });
    s.poll();
    EXPECT_TRUE(done);
    EXPECT_EQ(calls, 100u);
    EXPECT_EQ(most, 0u);
}

TEST(AsyncRetry, NeverCompletesInsideTheInitiation) {
    for (const auto& policy : {every_ten_seconds(), every_ten_seconds().total_timeout(0s)}) {
        stage s;
        bool inside = true;
        bool called = false;
        asio::post(s.executor(), [&] {
            async_retry(s.executor(), policy, s.scripted({step()}), [&](error_code) {
                called = true;
                EXPECT_FALSE(inside);
            });
            inside = false;
        });
        s.clock.run(s.context);
        EXPECT_TRUE(called);
    }
}

TEST(AsyncRetry, GivesAFuture) {
    asio::io_context context;
    const auto policy = retry_policy().backoff(backoff::constant(5ms).jitter(jitter::none));
    // The future's own executor is the system's: the context has to stay at work for the call.
    const scripted_operation op(context.get_executor(), {step(refused), step(refused), step()});
    auto done = async_retry(context.get_executor(), policy, op, asio::use_future);
    context.run();
    ASSERT_EQ(done.wait_for(10s), std::future_status::ready);
    EXPECT_NO_THROW(done.get());
    EXPECT_EQ(op.attempts(), 3u);

    context.restart();
    auto failed =
        async_retry(context.get_executor(),
                    retry_policy::never(),
                    answering(context.get_executor(), 1, refused, std::make_unique<int>(7)),
                    asio::use_future);
    context.run();
    try {
        failed.get();
        FAIL() << "no exception";
    } catch (const system_error& e) {
        EXPECT_EQ(e.code(), refused);
    }
}

TEST(AsyncRetry, FollowsTheClockOfItsExecutorWhateverTheHandlers) {
    stage s;
    const auto op = s.scripted({step(refused, 1h), step({}, 1h)});
    auto done = async_retry(s.executor(),
                            every_ten_seconds().attempt_timeout(2h),
                            op,
                            asio::bind_executor(s.executor(), asio::use_future));
    s.clock.run(s.context);
    ASSERT_EQ(done.wait_for(0s), std::future_status::ready);
    EXPECT_EQ(s.elapsed(), 2h + 10s);
}

TEST(AsyncRetry, IsDeferred) {
    stage s;
    const auto op = s.scripted({step(refused), step()});
    auto later = async_retry(s.executor(), every_ten_seconds(), op, asio::deferred);
    s.clock.run(s.context);
    EXPECT_EQ(op.attempts(), 0u);
    bool done = false;
    std::move(later)([&done](error_code ec) { done = !ec; });
    s.clock.run(s.context);
    EXPECT_TRUE(done);
    EXPECT_EQ(op.attempts(), 2u);
}

TEST(AsyncRetry, IsAwaited) {
    stage s;
    const auto op = s.scripted({step(refused), step()});
    auto call = async_retry(s.executor(), every_ten_seconds(), op, asio::use_awaitable);
    EXPECT_TRUE(s.run(std::move(call)).value);

    auto number = answering(s.executor(), 1, refused, std::make_unique<int>(7));
    auto value =
        async_retry(s.executor(), every_ten_seconds(), std::move(number), asio::use_awaitable);
    EXPECT_EQ(**s.run(std::move(value)).value, 7);

    auto failed = async_retry(
        s.executor(), retry_policy::never(), s.scripted({step(refused)}), asio::use_awaitable);
    EXPECT_EQ(s.run(std::move(failed)).code(), refused);

    auto tuple = async_retry(s.executor(),
                             retry_policy::never(),
                             s.scripted({step(refused)}),
                             asio::as_tuple(asio::use_awaitable));
    EXPECT_EQ(s.run(std::move(tuple)).value, std::tuple(refused));
}

TEST(AsyncRetry, RunsDetached) {
    stage s;
    const auto op = s.scripted({step(refused), step(refused), step()});
    async_retry(s.context.get_executor(), every_ten_seconds(), op, asio::detached);
    s.clock.run(s.context);
    EXPECT_EQ(op.attempts(), 3u);
}

TEST(AsyncRetry, RunsAttemptsJudgementsAndHandlerOnTheHandlersExecutor) {
    for (const auto& policy : {every_ten_seconds(), every_ten_seconds().attempt_timeout(1h)}) {
        stage s;
        const auto strand = asio::make_strand(s.context);
        const auto scripted = s.scripted({step(refused, 1s), step({}, 1s)});
        int later_attempts = 0;
        int resets = 0;
        int handled = 0;
        auto op = operation([&](attempt a, auto&& token) {
                      if (a.number() > 1) {
                          EXPECT_TRUE(strand.running_in_this_thread());
                          ++later_attempts;
                      }
                      return scripted(std::forward<decltype(token)>(token));
                  }).reset([&] {
            EXPECT_TRUE(strand.running_in_this_thread());
            ++resets;
        });
        async_retry(s.executor(), policy, op, asio::bind_executor(strand, [&](error_code ec) {
                        EXPECT_FALSE(ec);
                        EXPECT_TRUE(strand.running_in_this_thread());
                        ++handled;
                    }));
        s.clock.run(s.context);
        EXPECT_EQ(later_attempts, 1);
        EXPECT_EQ(resets, 1);
        EXPECT_EQ(handled, 1);
    }
}

TEST(AsyncRetry, KeepsBothContextsAtWorkWhereTheHandlersIsAnother) {
    asio::io_context here;
    asio::io_context there;
    const auto policy = retry_policy().backoff(backoff::constant(3ms).jitter(jitter::none));
    std::thread::id ran_on;
    const scripted_operation op(here.get_executor(), {step(refused), step(refused), step()});
    async_retry(
        here.get_executor(), policy, op, asio::bind_executor(there.get_executor(), [&](error_code) {
            ran_on = std::this_thread::get_id();
        }));
    std::thread other([&here] { here.run(); });
    there.run();
    other.join();
    EXPECT_EQ(ran_on, std::this_thread::get_id());
    EXPECT_EQ(op.attempts(), 3u);
}

TEST(AsyncRetry, TakesAHandlerOnAContextOfAnotherKind) {
    asio::io_context here;
    asio::thread_pool there(1);
    const auto strand = asio::make_strand(there);
    const auto policy = retry_policy().backoff(backoff::constant(1ms));
    const scripted_operation op(here.get_executor(), {step(refused), step()});
    bool on_strand = false;
    async_retry(here.get_executor(), policy, op, asio::bind_executor(strand, [&](error_code ec) {
                    on_strand = !ec && strand.running_in_this_thread();
                }));
    here.run();
    there.join();
    EXPECT_TRUE(on_strand);
    EXPECT_EQ(op.attempts(), 2u);
}

/// Counts what goes through it.
template <typename T>
class counting_allocator {
public:
    using value_type = T;

    explicit counting_allocator(int* live, int* made) : live_(live), made_(made) {}
    template <typename U>
    counting_allocator(const counting_allocator<U>& other) noexcept
        : live_(other.live_), made_(other.made_) {}

    T* allocate(std::size_t n) {
        ++*live_;
        ++*made_;
        return std::allocator<T>().allocate(n);
    }
    void deallocate(T* p, std::size_t n) {
        --*live_;
        std::allocator<T>().deallocate(p, n);
    }
    friend bool operator==(const counting_allocator&, const counting_allocator&) = default;

    int* live_;
    int* made_;
};

TEST(AsyncRetry, AllocatesFromTheHandlersAllocatorAndHasFreedAllWhenItCompletes) {
    stage s;
    int live = 0;
    int made = 0;
    bool done = false;
    const counting_allocator<char> allocator(&live, &made);
    async_retry(s.executor(),
                every_ten_seconds(),
                s.scripted({step(refused), step()}),
                asio::bind_allocator(allocator, [&](error_code ec) {
                    EXPECT_FALSE(ec);
                    EXPECT_EQ(live, 0);
                    done = true;
                }));
    EXPECT_GE(live, 1);
    s.clock.run(s.context);
    EXPECT_TRUE(done);
    EXPECT_EQ(live, 0);
    EXPECT_LE(made, 12);

    made = 0;
    async_retry(s.executor(),
                every_ten_seconds().total_timeout(0s),
                s.scripted({step()}),
                asio::bind_allocator(allocator, [](error_code) {}));
    s.clock.run(s.context);
    EXPECT_GE(made, 1);
    EXPECT_EQ(live, 0);
}

TEST(AsyncTryRetry, CompletesWithTheResult) {
    stage s;
    std::optional<retry_result<void>> got;
    async_try_retry(s.executor(),
                    every_ten_seconds(),
                    s.scripted({step(refused), step()}),
                    [&got](retry_result<void> r) { got = std::move(r); });
    s.clock.run(s.context);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->ok());
    EXPECT_EQ(got->report().attempts(), 2u);
    EXPECT_EQ(got->report().last_error(), refused);

    async_try_retry(s.executor(),
                    every_ten_seconds(),
                    s.scripted({step(refused)}),
                    [&got](retry_result<void> r) { got = std::move(r); });
    s.clock.run(s.context);
    EXPECT_FALSE(got->ok());
    EXPECT_FALSE(got->has_value());
    EXPECT_EQ(got->error(), refused);
    EXPECT_EQ(got->reason(), reason::attempts_exhausted);
}

TEST(AsyncTryRetry, CompletesWithNothingOneValueOrATuple) {
    stage s;
    auto one = answering(s.executor(), 1, refused, std::make_unique<int>(7));
    auto two = answering(s.executor(), 1, refused, 7, std::string("seven"));
    std::optional<retry_result<std::unique_ptr<int>>> number;
    std::optional<retry_result<std::tuple<int, std::string>>> pair;
    async_try_retry(s.executor(),
                    every_ten_seconds(),
                    std::move(one),
                    [&](retry_result<std::unique_ptr<int>> r) { number = std::move(r); });
    async_try_retry(s.executor(),
                    every_ten_seconds(),
                    std::move(two),
                    [&](retry_result<std::tuple<int, std::string>> r) { pair = std::move(r); });
    s.clock.run(s.context);
    ASSERT_TRUE(number && pair);
    EXPECT_EQ(*number->value(), 7);
    EXPECT_EQ(pair->value(), std::tuple(7, std::string("seven")));
}

TEST(AsyncTryRetry, KeepsTheCauseAndAValueJudgedAFailure) {
    stage s;
    auto thrower = []() -> asio::awaitable<void> {
        throw std::out_of_range("row 12");
        co_return;
    };
    auto spawned = [&](auto&& token) {
        return asio::co_spawn(s.executor(), thrower(), std::forward<decltype(token)>(token));
    };
    std::exception_ptr cause;
    async_try_retry(s.executor(), every_ten_seconds(), spawned, [&](retry_result<void> r) {
        EXPECT_EQ(r.error(), error::operation_threw);
        cause = r.cause();
    });
    s.clock.run(s.context);
    ASSERT_TRUE(cause);
    EXPECT_THROW(std::rethrow_exception(cause), std::out_of_range);

    auto busy = operation(answering(s.executor(), 0, refused, 503)).classify_value([](int) {
        return failure_kind::server;
    });
    int got = 0;
    async_try_retry(s.executor(), every_ten_seconds(), busy, [&](retry_result<int> r) {
        EXPECT_FALSE(r.ok());
        EXPECT_FALSE(r.error());
        got = r.value();
    });
    s.clock.run(s.context);
    EXPECT_EQ(got, 503);
}

TEST(AsyncTryRetry, IsAwaited) {
    stage s;
    auto call = async_try_retry(
        s.executor(), every_ten_seconds(), s.scripted({step(refused)}), asio::use_awaitable);
    auto end = s.run(std::move(call));
    ASSERT_TRUE(end.value);
    EXPECT_EQ(end.value->reason(), reason::attempts_exhausted);
}

}  // namespace
}  // namespace asio_retry
