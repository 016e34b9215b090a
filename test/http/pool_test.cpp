// The pool alone: places, idle connections and the queue, without I/O.
#include "http/connection_pool.hpp"
#include <asio_retry/testing/manual_clock.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <gtest/gtest.h>

#include <deque>
#include <random>

namespace asio_retry::test {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using http::pool_limits;
using http::detail::connection;
using http::detail::connection_pool;
using http::detail::connection_wish;
using http::detail::pool_lease;
using http::detail::pool_ticket;
using http::detail::target;

class ConnectionPool : public ::testing::Test {
protected:
    static target host(const std::string& name) {
        target t;
        t.host = name;
        t.port = 80;
        return t;
    }

    std::unique_ptr<connection> open() {
        return std::make_unique<connection>(asio::ip::tcp::socket(context), "", clock.now());
    }

    pool_ticket& ticket() { return tickets.emplace_back(timers); }

    /// A place with a new connection in it.
    pool_lease take(connection_pool& pool, const target& t) {
        pool_lease lease = pool.acquire(t, connection_wish::any, clock.now(), ticket());
        EXPECT_TRUE(lease.has_place());
        if (lease.get() == nullptr) lease.put(open());
        return lease;
    }

    /// A place in the queue.
    pool_ticket& wait(connection_pool& pool,
                      const target& t,
                      connection_wish wish = connection_wish::any) {
        pool_ticket& place = ticket();
        EXPECT_FALSE(pool.acquire(t, wish, clock.now(), place).has_place());
        return place;
    }

    asio::io_context context;
    testing::manual_clock clock{context};
    http::detail::timer_service& timers = http::detail::timer_service::of(context.get_executor());
    const target a = host("a");
    const target b = host("b");
    std::deque<pool_ticket> tickets;
};

TEST_F(ConnectionPool, HandsOutTheOneUsedLast) {
    connection_pool pool(pool_limits{});
    pool_lease first = take(pool, a);
    pool_lease second = take(pool, a);
    const connection* const last = second.get();
    first.give_back(clock.now());
    second.give_back(clock.now());
    EXPECT_EQ(pool.count().idle, 2U);
    EXPECT_EQ(take(pool, a).get(), last);
}

TEST_F(ConnectionPool, KeepsOriginsApart) {
    connection_pool pool(pool_limits{});
    take(pool, a).give_back(clock.now());
    target secure = a;
    secure.tls = true;
    target elsewhere = a;
    elsewhere.port = 81;
    for (const target& other : {b, secure, elsewhere}) {
        EXPECT_EQ(pool.acquire(other, connection_wish::any, clock.now(), ticket()).get(), nullptr);
    }
    EXPECT_EQ(pool.count().idle, 1U);
}

TEST_F(ConnectionPool, GivesAFreshPlaceWhereToldTo) {
    connection_pool pool(pool_limits().per_origin(1));
    take(pool, a).give_back(clock.now());
    pool_lease lease = pool.acquire(a, connection_wish::fresh, clock.now(), ticket());
    EXPECT_TRUE(lease.has_place());
    EXPECT_EQ(lease.get(), nullptr);
    EXPECT_EQ(pool.count().open, 1U);
}

TEST_F(ConnectionPool, HandsAConnectionToWhoWaits) {
    connection_pool pool(pool_limits().per_origin(1));
    pool_lease used = take(pool, a);
    const connection* const c = used.get();
    pool_ticket& first = wait(pool, a);
    pool_ticket& second = wait(pool, a);
    used.give_back(clock.now());
    pool_lease next = first.take();
    EXPECT_EQ(next.get(), c);
    EXPECT_FALSE(second.take().has_place());
    EXPECT_EQ(pool.count().waiting, 0U);
}

TEST_F(ConnectionPool, HandsTheEmptyPlaceToWhoWantsAFreshConnection) {
    connection_pool pool(pool_limits().per_origin(1));
    pool_lease used = take(pool, a);
    pool_ticket& waiting = wait(pool, a, connection_wish::fresh);
    used.give_back(clock.now());
    pool_lease next = waiting.take();
    EXPECT_TRUE(next.has_place());
    EXPECT_EQ(next.get(), nullptr);
}

TEST_F(ConnectionPool, PassesOnWhatNobodyTook) {
    connection_pool pool(pool_limits().per_origin(1));
    pool_lease used = take(pool, a);
    {
        pool_ticket gone(timers);
        EXPECT_FALSE(pool.acquire(a, connection_wish::any, clock.now(), gone).has_place());
        pool_ticket& next = wait(pool, a);
        used.close();
        EXPECT_FALSE(used.has_place());
        EXPECT_EQ(pool.count().waiting, 1U);
        (void)next;
    }
    EXPECT_EQ(pool.count().waiting, 0U);
    EXPECT_TRUE(tickets.back().take().has_place());
    EXPECT_EQ(pool.count().open, 0U);
}

TEST_F(ConnectionPool, ServesWhoWaitedLongestAcrossOrigins) {
    connection_pool pool(pool_limits().total(1));
    pool_lease used = take(pool, a);
    pool_ticket& first = wait(pool, b);
    pool_ticket& second = wait(pool, a);
    used.give_back(clock.now());
    pool_lease next = first.take();
    ASSERT_TRUE(next.has_place());
    EXPECT_EQ(next.get(), nullptr);
    EXPECT_EQ(pool.count().open, 1U);
    next.close();
    EXPECT_TRUE(second.take().has_place());
}

TEST_F(ConnectionPool, IsNotHeldUpByAnOriginAtItsOwnLimit) {
    connection_pool pool(pool_limits().per_origin(1).total(2));
    pool_lease busy = take(pool, a);
    pool_lease other = take(pool, b);
    pool_ticket& of_a = wait(pool, a);
    pool_ticket& of_b = wait(pool, b);
    other.give_back(clock.now());
    EXPECT_TRUE(of_b.take().has_place());
    EXPECT_FALSE(of_a.take().has_place());
}

TEST_F(ConnectionPool, ForgetsWhatIsTooOld) {
    connection_pool pool(pool_limits().idle_timeout(10s).lifetime(15s));
    take(pool, a).give_back(clock.now());
    take(pool, b).give_back(clock.now());
    clock.advance(9s);
    take(pool, a).give_back(clock.now());
    clock.advance(5s);
    pool_lease still = take(pool, a);
    EXPECT_EQ(pool.count().open, 1U);
    still.give_back(clock.now());
    clock.advance(1s);
    EXPECT_EQ(pool.acquire(a, connection_wish::any, clock.now(), ticket()).get(), nullptr);
    EXPECT_EQ(pool.count().open, 0U);
}

TEST_F(ConnectionPool, LosesNothingUnderChurn) {
    connection_pool pool(pool_limits().per_origin(3).total(5));
    std::minstd_rand random(7);
    const std::vector<target> hosts = {host("a"), host("b"), host("c")};
    std::vector<pool_lease> held;
    std::vector<std::unique_ptr<pool_ticket>> queued;
    for (int i = 0; i < 20'000; ++i) {
        clock.advance(1ms);
        for (auto& t : queued) {
            if (!t->is_linked()) held.push_back(t->take());
        }
        std::erase_if(queued, [](const auto& t) { return !t->is_linked(); });
        const auto what = random() % 4;
        if (what < 2 && queued.size() < 10) {
            auto t = std::make_unique<pool_ticket>(timers);
            const auto wish = what == 0 ? connection_wish::any : connection_wish::fresh;
            pool_lease l = pool.acquire(hosts[random() % 3], wish, clock.now(), *t);
            if (l.has_place()) {
                held.push_back(std::move(l));
            } else {
                queued.push_back(std::move(t));
            }
        } else if (what == 2 && !queued.empty()) {
            queued.erase(queued.begin() + static_cast<long>(random() % queued.size()));
        } else if (!held.empty()) {
            const auto which = random() % held.size();
            if (held[which].get() == nullptr) held[which].put(open());
            if (random() % 3 != 0) held[which].give_back(clock.now());
            held[which] = pool_lease();
            std::swap(held[which], held.back());
            held.pop_back();
        }
        const auto now = pool.count();
        ASSERT_LE(now.open, 5U);
        ASSERT_EQ(
            now.waiting +
                static_cast<std::size_t>(std::count_if(
                    queued.begin(), queued.end(), [](const auto& t) { return !t->is_linked(); })),
            queued.size());
        // Nobody waits while there is something for him.
        ASSERT_TRUE(now.open >= 3 || now.waiting == 0);
    }
    queued.clear();
    held.clear();
    EXPECT_EQ(pool.count().open, pool.count().idle);
    EXPECT_EQ(pool.count().waiting, 0U);
}

}  // namespace
}  // namespace asio_retry::test
