#include <asio_retry/circuit_breaker.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;
using asio_retry::breaker_change;
using asio_retry::breaker_control;
using asio_retry::breaker_options;
using asio_retry::breaker_permit;
using asio_retry::breaker_state;
using asio_retry::call_counts;
using asio_retry::circuit_breaker;
using asio_retry::steady_time;

breaker_options small() {
    return std::move(breaker_options().minimum_calls(4).window(10s).open_for(4s).max_open_for(16s));
}

/// A breaker and a clock.
class breaker_at {
public:
    explicit breaker_at(const breaker_options& o = small()) : breaker(o, 7) {}

    void succeed(int n = 1, std::chrono::nanoseconds took = 0s) {
        for (int i = 0; i < n; ++i) breaker.acquire(now).succeed(now + took);
    }
    void fail(int n = 1) {
        for (int i = 0; i < n; ++i) breaker.acquire(now).fail(now);
    }
    breaker_permit acquire() { return breaker.acquire(now); }
    bool refuses() { return !acquire(); }
    breaker_state state() const { return breaker.state(now); }

    /// To the time when a probe passes.
    void wait() { now = breaker.retry_at(now); }

    /// To each state from a new breaker.
    void open() { fail(4); }
    void half_open() {
        open();
        wait();
    }

    circuit_breaker breaker;
    steady_time now{1h};
};

template <typename Set>
std::string refusal(Set set) {
    breaker_options o;
    try {
        set(o);
    } catch (const std::invalid_argument& e) {
        EXPECT_EQ(o, breaker_options()) << "changed by a setter that threw";
        return e.what();
    }
    return "accepted";
}

TEST(BreakerOptions, HaveTheDocumentedDefaults) {
    const breaker_options o;
    EXPECT_EQ(o.failure_rate(), 0.5);
    EXPECT_EQ(o.minimum_calls(), 20U);
    EXPECT_EQ(o.window(), 30s);
    EXPECT_EQ(o.open_for(), 5s);
    EXPECT_EQ(o.max_open_for(), 1min);
    EXPECT_EQ(o.half_open_probes(), 3U);
    EXPECT_EQ(o.slow_call(), breaker_options::unlimited);
    EXPECT_EQ(o.slow_call_rate(), 0.5);
}

TEST(BreakerOptions, KeepWhatIsSet) {
    const auto o = breaker_options()
                       .failure_rate(0.25)
                       .minimum_calls(7)
                       .window(1min)
                       .open_for(2s)
                       .max_open_for(20s)
                       .half_open_probes(5)
                       .slow_call(300ms)
                       .slow_call_rate(0.75);
    EXPECT_EQ(o.failure_rate(), 0.25);
    EXPECT_EQ(o.minimum_calls(), 7U);
    EXPECT_EQ(o.window(), 1min);
    EXPECT_EQ(o.open_for(), 2s);
    EXPECT_EQ(o.max_open_for(), 20s);
    EXPECT_EQ(o.half_open_probes(), 5U);
    EXPECT_EQ(o.slow_call(), 300ms);
    EXPECT_EQ(o.slow_call_rate(), 0.75);
    EXPECT_EQ(o, breaker_options(o));
    EXPECT_NE(o, breaker_options());
}

TEST(BreakerOptions, RefuseTheImpossibleAndSayWhatIsRight) {
    EXPECT_EQ(refusal([](auto& o) { o.failure_rate(0); }),
              "failure_rate: 0 is too small; must be from 1e-06 to 1");
    EXPECT_EQ(refusal([](auto& o) { o.failure_rate(1.5); }),
              "failure_rate: 1.5 is too large; must be from 1e-06 to 1");
    EXPECT_EQ(refusal([](auto& o) { o.slow_call_rate(-0.5); }),
              "slow_call_rate: -0.5 is negative; must be from 1e-06 to 1");
    EXPECT_EQ(refusal([](auto& o) { o.minimum_calls(0); }),
              "minimum_calls: 0 is too few; must be 1 or more");
    EXPECT_EQ(refusal([](auto& o) { o.half_open_probes(0); }),
              "half_open_probes: 0 is too few; must be 1 or more");
    EXPECT_EQ(refusal([](auto& o) { o.window(0s); }), "window: must be above 0");
    EXPECT_EQ(refusal([](auto& o) { o.open_for(-1s); }), "open_for: must be above 0");
    EXPECT_EQ(refusal([](auto& o) { o.max_open_for(0s); }), "max_open_for: must be above 0");
    EXPECT_EQ(refusal([](auto& o) { o.slow_call(0s); }), "slow_call: must be above 0");
}

TEST(CircuitBreaker, StartsClosed) {
    breaker_at b;
    EXPECT_EQ(b.state(), breaker_state::closed);
    EXPECT_EQ(b.breaker.control(), breaker_control::automatic);
    EXPECT_EQ(b.breaker.counts(b.now), call_counts());
    EXPECT_EQ(b.breaker.retry_at(b.now), b.now);
    EXPECT_TRUE(b.acquire());
}

TEST(CircuitBreaker, OpensAtTheFailureRate) {
    breaker_at b(small().failure_rate(0.3).minimum_calls(10));
    b.succeed(8);
    b.fail(2);
    EXPECT_EQ(b.state(), breaker_state::closed) << "2 of 10";
    b.fail();
    EXPECT_EQ(b.state(), breaker_state::closed) << "3 of 11";
    b.fail();
    EXPECT_EQ(b.state(), breaker_state::open) << "4 of 12";
    EXPECT_TRUE(b.refuses());
}

TEST(CircuitBreaker, IgnoresRatesBelowTheMinimumOfCalls) {
    breaker_at b;
    b.fail(3);
    EXPECT_EQ(b.state(), breaker_state::closed);
    b.succeed();
    EXPECT_EQ(b.state(), breaker_state::open) << "the fourth call, though a success, makes 3 of 4";
}

TEST(CircuitBreaker, OpensAtTheRateOfSlowCalls) {
    breaker_at b(small().slow_call(100ms).slow_call_rate(0.75));
    b.succeed(1, 100ms);
    b.succeed(2, 101ms);
    EXPECT_EQ(b.breaker.counts(b.now).slow, 2U);
    b.succeed(1, 101ms);
    EXPECT_EQ(b.state(), breaker_state::open);
}

TEST(CircuitBreaker, ForgetsResultsOlderThanItsWindow) {
    breaker_at b;
    b.fail(3);
    b.now += 9s;
    EXPECT_EQ(b.breaker.counts(b.now).failed, 3U);
    b.now += 1s;
    EXPECT_EQ(b.breaker.counts(b.now).failed, 0U);
    b.fail();
    EXPECT_EQ(b.state(), breaker_state::closed);
    b.fail(3);
    EXPECT_EQ(b.state(), breaker_state::open);
}

TEST(CircuitBreaker, OpensWhenTheSuccessesFallOutOfTheWindow) {
    breaker_at b;
    b.succeed(10);
    b.now += 5s;
    b.fail(4);
    EXPECT_EQ(b.state(), breaker_state::closed);
    b.now += 5s;
    b.succeed();
    EXPECT_EQ(b.state(), breaker_state::open) << "4 of 5";
}

TEST(CircuitBreaker, IgnoresAResultFromBeforeTheWindow) {
    breaker_at b;
    b.fail(3);
    const steady_time before = b.now;
    b.now += 10s;
    b.fail(1);
    auto late = b.acquire();
    late.fail(before);
    EXPECT_EQ(b.breaker.counts(b.now).calls, 1U);
}

TEST(CircuitBreaker, TellsARefusedCallWhenToComeBack) {
    breaker_at b;
    b.open();
    const breaker_permit refused = b.acquire();
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.retry_at(), b.breaker.retry_at(b.now));
    b.now = refused.retry_at() - 1ns;
    EXPECT_EQ(b.state(), breaker_state::open);
    EXPECT_TRUE(b.refuses());
    b.now += 1ns;
    EXPECT_EQ(b.state(), breaker_state::half_open);
    EXPECT_EQ(b.breaker.retry_at(b.now), b.now);
    EXPECT_TRUE(b.acquire());
}

TEST(CircuitBreaker, StaysOpenForItsTimeAndUpToAQuarterMore) {
    std::set<std::chrono::nanoseconds> times;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        circuit_breaker b(small(), seed);
        const steady_time now{1h};
        for (int i = 0; i < 4; ++i) b.acquire(now).fail(now);
        times.insert(b.retry_at(now) - now);
    }
    EXPECT_GE(*times.begin(), 4s);
    EXPECT_LT(*times.begin(), 4050ms);
    EXPECT_LE(*times.rbegin(), 5s);
    EXPECT_GT(*times.rbegin(), 4950ms);
    EXPECT_GT(times.size(), 190U);
}

TEST(CircuitBreaker, StaysOpenLongerEachTimeUpToItsLimit) {
    breaker_at b;
    b.open();
    for (const auto base : {4s, 8s, 16s, 16s}) {
        const auto stays = b.breaker.retry_at(b.now) - b.now;
        EXPECT_GE(stays, base);
        EXPECT_LE(stays, base * 5 / 4);
        b.wait();
        b.fail(2);
        ASSERT_TRUE(b.refuses());
    }
}

TEST(CircuitBreaker, CountsOpeningsInARowUntilItWasClosedForAWholeWindow) {
    for (const auto healthy : {10s - 1ns, 10s + 0ns}) {
        breaker_at b;
        b.half_open();
        b.succeed(2);
        ASSERT_EQ(b.state(), breaker_state::closed);
        b.now += healthy;
        b.fail(4);
        const auto stays = b.breaker.retry_at(b.now) - b.now;
        EXPECT_GE(stays, healthy < 10s ? 8s : 4s);
        EXPECT_LE(stays, healthy < 10s ? 10s : 5s);
    }
}

TEST(CircuitBreaker, NeverOverflowsItsOpenTime) {
    const auto most = breaker_options::duration::max();
    breaker_at b(small().minimum_calls(1).open_for(most).max_open_for(most));
    b.fail();
    EXPECT_EQ(b.breaker.retry_at(b.now), steady_time::max());
    EXPECT_TRUE(b.refuses());
    breaker_at c(small().minimum_calls(1).open_for(1s).max_open_for(1ns));
    for (int i = 0; i < 100; ++i) {
        c.fail(2);
        ASSERT_TRUE(c.refuses());
        ASSERT_GE(c.breaker.retry_at(c.now) - c.now, 1s);
        ASSERT_LE(c.breaker.retry_at(c.now) - c.now, 1250ms);
        c.wait();
    }
}

TEST(CircuitBreaker, LetsSoManyProbesThroughAtOnce) {
    breaker_at b;
    b.half_open();
    const breaker_permit first = b.acquire();
    const breaker_permit second = b.acquire();
    const breaker_permit third = b.acquire();
    EXPECT_TRUE(first && second && third);
    const breaker_permit fourth = b.acquire();
    EXPECT_FALSE(fourth);
    EXPECT_EQ(fourth.retry_at(), b.now + 8s) << "as if it opened for the second time now";
    EXPECT_EQ(b.breaker.retry_at(b.now), b.now + 8s);
}

TEST(CircuitBreaker, DecidesByTheRatioOfItsProbesAsSoonAsItIsCertain) {
    struct row {
        double rate;
        unsigned probes;
        std::string results;
        breaker_state then;
    };
    using enum breaker_state;
    const row rows[] = {
        {0.5, 1, "s", closed},
        {0.5, 1, "f", open},
        {0.5, 3, "s", half_open},
        {0.5, 3, "ss", closed},
        {0.5, 3, "sf", half_open},
        {0.5, 3, "sfs", closed},
        {0.5, 3, "ff", open},
        {0.5, 3, "fsf", open},
        {0.5, 2, "f", open},
        {0.5, 2, "s", half_open},
        {0.5, 2, "ss", closed},
        {1, 3, "s", closed},
        {1, 3, "ff", half_open},
        {1, 3, "ffs", closed},
        {1, 3, "fff", open},
        {0.000001, 3, "f", open},
        {0.000001, 3, "ss", half_open},
        {0.000001, 3, "sss", closed},
        {0.3, 10, "ssssssss", closed},
        {0.3, 10, "sssssss", half_open},
        {0.3, 10, "ffsf", open},
        {0.07, 100, "ffffff", half_open},
        {0.07, 100, "fffffff", open},
    };
    for (const auto& r : rows) {
        SCOPED_TRACE(r.results + " of " + std::to_string(r.probes));
        breaker_at b(small().failure_rate(r.rate).half_open_probes(r.probes));
        b.half_open();
        for (const char result : r.results) result == 's' ? b.succeed() : b.fail();
        EXPECT_EQ(b.state(), r.then);
    }
}

TEST(CircuitBreaker, CountsSlowProbes) {
    breaker_at b(small().slow_call(1s));
    b.half_open();
    b.succeed(1, 2s);
    b.succeed(1, 2s);
    EXPECT_EQ(b.state(), breaker_state::open);
}

TEST(CircuitBreaker, GivesTheProbesPlaceBackWhenItIsCancelledOrDestroyed) {
    breaker_at b(small().half_open_probes(1));
    b.half_open();
    for (int i = 0; i < 10; ++i) {
        breaker_permit cancelled = b.acquire();
        ASSERT_TRUE(cancelled);
        ASSERT_TRUE(b.refuses());
        cancelled.cancel();
        EXPECT_FALSE(cancelled);
        const breaker_permit destroyed = b.acquire();
        ASSERT_TRUE(destroyed);
    }
    EXPECT_EQ(b.state(), breaker_state::half_open);
    b.succeed();
    EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(CircuitBreaker, CountsNoCancelledCall) {
    breaker_at b;
    for (int i = 0; i < 100; ++i) b.acquire().cancel();
    EXPECT_EQ(b.breaker.counts(b.now), call_counts());
    b.fail(3);
    for (int i = 0; i < 100; ++i) b.acquire();
    EXPECT_EQ(b.breaker.counts(b.now).calls, 3U);
}

TEST(CircuitBreaker, ForgetsWhatItCountedBeforeItOpened) {
    breaker_at b;
    b.half_open();
    b.succeed(2);
    ASSERT_EQ(b.state(), breaker_state::closed);
    EXPECT_EQ(b.breaker.counts(b.now), call_counts());
    b.fail(3);
    EXPECT_EQ(b.state(), breaker_state::closed);
}

TEST(CircuitBreaker, LetsAStaleResultChangeNothing) {
    using end = void (*)(breaker_permit&, steady_time);
    const end ends[] = {[](breaker_permit& p, steady_time t) { p.succeed(t); },
                        [](breaker_permit& p, steady_time t) { p.fail(t); },
                        [](breaker_permit& p, steady_time) { p.cancel(); }};
    for (const end finish : ends) {
        breaker_at b(small().half_open_probes(1).minimum_calls(2));
        std::vector<breaker_permit> from_closed(4);
        for (auto& p : from_closed) p = b.acquire();
        b.fail(2);
        const steady_time probes_at = b.breaker.retry_at(b.now);
        finish(from_closed[0], b.now);
        EXPECT_EQ(b.breaker.retry_at(b.now), probes_at);
        b.wait();
        breaker_permit probe = b.acquire();
        ASSERT_TRUE(probe);
        finish(from_closed[1], b.now);
        EXPECT_EQ(b.state(), breaker_state::half_open);
        EXPECT_TRUE(b.refuses()) << "the probe still has the only place";
        probe.succeed(b.now);
        ASSERT_EQ(b.state(), breaker_state::closed);
        finish(from_closed[2], b.now);
        finish(from_closed[3], b.now);
        EXPECT_EQ(b.breaker.counts(b.now), call_counts());
        EXPECT_EQ(b.state(), breaker_state::closed);
    }
}

TEST(CircuitBreaker, LetsAProbeOfAnEarlierRoundChangeNothing) {
    breaker_at b(small().half_open_probes(2).failure_rate(1));
    b.half_open();
    breaker_permit late = b.acquire();
    breaker_permit fails = b.acquire();
    fails.fail(b.now);
    EXPECT_EQ(b.state(), breaker_state::half_open);
    b.breaker.isolate(b.now);
    b.breaker.reset(b.now);
    b.half_open();
    const breaker_permit first = b.acquire();
    late.cancel();
    EXPECT_TRUE(b.acquire());
    const breaker_permit second = b.acquire();
    EXPECT_TRUE(b.refuses());
}

TEST(CircuitBreaker, TakesOneResultFromAPermit) {
    breaker_at b;
    breaker_permit p = b.acquire();
    p.fail(b.now);
    p.fail(b.now);
    p.succeed(b.now);
    p.cancel();
    EXPECT_EQ(b.breaker.counts(b.now).calls, 1U);
    breaker_permit refused;
    refused.fail(b.now);
    refused.succeed(b.now);
    EXPECT_EQ(b.breaker.counts(b.now).calls, 1U);
}

TEST(CircuitBreaker, MovesItsPermits) {
    breaker_at b(small().half_open_probes(1));
    b.half_open();
    breaker_permit a = b.acquire();
    breaker_permit c = std::move(a);
    EXPECT_FALSE(a);
    EXPECT_TRUE(c);
    EXPECT_TRUE(b.refuses());
    c = breaker_permit();
    c = b.acquire();
    EXPECT_TRUE(c) << "the assignment gave the place back";
}

TEST(CircuitBreaker, CanBeForcedFromEveryState) {
    for (const auto bring : {&breaker_at::open, &breaker_at::half_open}) {
        breaker_at b;
        (b.*bring)();
        b.breaker.isolate(b.now);
        EXPECT_EQ(b.state(), breaker_state::open);
        EXPECT_EQ(b.breaker.control(), breaker_control::forced);
        EXPECT_EQ(b.breaker.retry_at(b.now), steady_time::max());
        b.now += 24h;
        EXPECT_TRUE(b.refuses());
        EXPECT_EQ(b.acquire().retry_at(), steady_time::max());
        b.breaker.force_closed(b.now);
        EXPECT_EQ(b.state(), breaker_state::closed);
        EXPECT_EQ(b.breaker.control(), breaker_control::forced);
        b.fail(100);
        EXPECT_EQ(b.state(), breaker_state::closed);
        EXPECT_EQ(b.breaker.retry_at(b.now), b.now);
        b.breaker.reset(b.now);
        EXPECT_EQ(b.breaker.control(), breaker_control::automatic);
        EXPECT_EQ(b.breaker.counts(b.now), call_counts());
        b.fail(3);
        EXPECT_EQ(b.state(), breaker_state::closed);
        b.fail();
        EXPECT_EQ(b.state(), breaker_state::open);
        EXPECT_LE(b.breaker.retry_at(b.now) - b.now, 5s) << "for the first time, as it is as new";
    }
}

TEST(CircuitBreaker, TakesOverTheStateOfAnotherButNoneOfItsResults) {
    breaker_at b;
    b.fail(3);
    const auto take_over = [&] {
        return circuit_breaker(small().minimum_calls(1), b.breaker, b.now);
    };
    EXPECT_EQ(take_over().state(b.now), breaker_state::closed);
    EXPECT_EQ(take_over().counts(b.now), call_counts());
    b.fail();
    EXPECT_EQ(take_over().state(b.now), breaker_state::open);
    EXPECT_EQ(take_over().retry_at(b.now), b.breaker.retry_at(b.now));
    b.wait();
    auto probe = b.acquire();
    {
        circuit_breaker next(small(), b.breaker, b.now);
        EXPECT_EQ(next.state(b.now), breaker_state::half_open);
        probe.fail(b.now);
        next.acquire(b.now).fail(b.now);
        next.acquire(b.now).fail(b.now);
        EXPECT_GE(next.retry_at(b.now) - b.now, 8s) << "the second time in a row";
    }
    b.breaker.isolate(b.now);
    EXPECT_EQ(take_over().retry_at(b.now), steady_time::max());
    EXPECT_EQ(take_over().control(), breaker_control::forced);
    b.breaker.force_closed(b.now);
    EXPECT_EQ(take_over().control(), breaker_control::forced);
    EXPECT_EQ(take_over().state(b.now), breaker_state::closed);
}

TEST(CircuitBreaker, TellsTheListenerItTookOver) {
    breaker_at b;
    int heard = 0;
    b.breaker.on_change([&](const breaker_change&) { ++heard; });
    circuit_breaker next(small(), b.breaker, b.now);
    next.isolate(b.now);
    EXPECT_EQ(heard, 1);
}

TEST(CircuitBreaker, TellsItsListenerOfEachChange) {
    breaker_at b;
    std::vector<std::string> heard;
    std::vector<std::uint64_t> generations;
    b.breaker.on_change([&](const breaker_change& c) {
        heard.push_back(std::string(to_string(c.from)) + " to " + std::string(to_string(c.to)) +
                        (c.control == breaker_control::forced ? " by force" : ""));
        generations.push_back(c.generation);
        if (c.to == breaker_state::open) {
            EXPECT_EQ(c.retry_at, b.breaker.retry_at(b.now));
        }
        EXPECT_EQ(c.to, b.breaker.state(b.now)) << "it may ask the breaker, as no lock is held";
    });
    b.open();
    b.wait();
    b.acquire();
    b.fail(2);
    b.wait();
    b.succeed(2);
    b.breaker.isolate(b.now);
    b.breaker.isolate(b.now);
    b.breaker.force_closed(b.now);
    b.breaker.reset(b.now);
    b.breaker.reset(b.now);
    EXPECT_EQ(heard,
              (std::vector<std::string>{"closed to open",
                                        "open to half_open",
                                        "half_open to open",
                                        "open to half_open",
                                        "half_open to closed",
                                        "closed to open by force",
                                        "open to closed by force",
                                        "closed to closed"}));
    EXPECT_TRUE(std::is_sorted(generations.begin(), generations.end()));
    b.breaker.on_change(nullptr);
    b.open();
    EXPECT_EQ(heard.size(), 8U);
}

TEST(CircuitBreaker, WorksWithAnyTimesAndWindows) {
    for (const auto window : {1ns, 9ns, 11ns, breaker_options::duration::max()}) {
        for (const auto now : {steady_time::min() + 1ns, steady_time(), steady_time(1h)}) {
            breaker_at b(small().window(window));
            b.now = now;
            b.fail(4);
            EXPECT_EQ(b.state(), breaker_state::open) << window.count();
        }
    }
}

TEST(CircuitBreaker, HasNames) {
    EXPECT_EQ(to_string(breaker_state::closed), "closed");
    EXPECT_EQ(to_string(breaker_state::open), "open");
    EXPECT_EQ(to_string(breaker_state::half_open), "half_open");
    EXPECT_EQ(to_string(static_cast<breaker_state>(9)), "unknown");
    EXPECT_EQ(to_string(breaker_control::automatic), "automatic");
    EXPECT_EQ(to_string(breaker_control::forced), "forced");
    EXPECT_EQ(to_string(static_cast<breaker_control>(9)), "unknown");
}

}  // namespace
