// Lookups that block, fail or never end, and connecting to one of several addresses.
#include "http/connect_race.hpp"
#include "http/support/fetcher.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace asio_retry::test {
namespace {

using http::detail::addresses;

const asio::ip::address loopback = asio::ip::address_v4::loopback();

/// A name server that answers when it is told to. Lookups share it, as they may outlive the test.
class name_server {
public:
    http::detail::lookup_function function() {
        return [s = state_](const std::string& host, addresses& found) {
            std::unique_lock lock(s->mutex);
            ++s->lookups;
            s->changed.notify_all();
            s->changed.wait(lock, [&] { return s->answering || host == "quick.test"; });
            found = {loopback};
            return host == "missing.test" ? error_code(asio::error::host_not_found) : error_code();
        };
    }

    int lookups() const {
        const std::lock_guard lock(state_->mutex);
        return state_->lookups;
    }

    void answer() {
        const std::lock_guard lock(state_->mutex);
        state_->answering = true;
        state_->changed.notify_all();
    }

private:
    struct state {
        std::mutex mutex;
        std::condition_variable changed;
        int lookups = 0;
        bool answering = false;
    };
    std::shared_ptr<state> state_ = std::make_shared<state>();
};

std::string at(const std::string& host, const scripted_server& server) {
    return "http://" + host + ":" + std::to_string(server.port()) + "/";
}

scripted_server_options forever() { return scripted_server_options().repeat_last(); }

const connection_script answering = {expect_request(), send(response(200, "ok")), stall()};

TEST(Resolver, ADeadNameServerHoldsNobodyPastHisTimeout) {
    name_server names;
    scripted_server server({answering});
    fetcher f(http::client_config(), names.function());
    auto policy = at_once(no_wait().max_attempts(2));
    policy.connect_timeout(30ms);
    const auto r = f.fetch(request("GET", at("dead.test", server)), policy);
    EXPECT_EQ(r.error(), http::error::connect_timeout);
    EXPECT_EQ(r.report().attempts(), 2U);
    EXPECT_LT(r.report().elapsed(), 1s);
    // The second attempt joined the lookup of the first.
    EXPECT_EQ(names.lookups(), 1);
}

TEST(Resolver, StallsOnlyThoseWhoAskedForThatName) {
    name_server names;
    scripted_server server({answering}, forever());
    fetcher f(http::client_config(), names.function());
    const auto dead = f.start(request("GET", at("dead.test", server)));
    f.run_until([&] { return names.lookups() == 1; });
    const auto quick = f.start(request("GET", at("quick.test", server)));
    f.run_until(quick);
    EXPECT_TRUE((*quick)->ok());
    EXPECT_FALSE(dead->done());
    names.answer();
    f.run_until(dead);
    EXPECT_TRUE((*dead)->ok());
    f.run_out();
}

TEST(Resolver, AsksOnceForAllWhoWait) {
    name_server names;
    scripted_server server({answering}, forever());
    fetcher f(http::client_config(), names.function());
    std::vector<std::shared_ptr<pending_fetch>> calls;
    for (int i = 0; i < 5; ++i) calls.push_back(f.start(request("GET", at("slow.test", server))));
    f.run_until([&] { return names.lookups() == 1; });
    calls[0]->signal.emit(asio::cancellation_type::partial);
    f.run_until(calls[0]);
    EXPECT_EQ((*calls[0])->reason(), reason::cancelled);
    names.answer();
    for (const auto& c : calls) f.run_until(c);
    for (std::size_t i = 1; i < calls.size(); ++i) EXPECT_TRUE((*calls[i])->ok());
    EXPECT_EQ(names.lookups(), 1);
    f.run_out();
}

TEST(Resolver, MayBeLeftByEverybody) {
    name_server names;
    {
        fetcher f(http::client_config(), names.function());
        f.start(request("GET", "http://dead.test/"));
        f.run_until([&] { return names.lookups() == 1; });
    }
    names.answer();
    std::this_thread::sleep_for(10ms);
}

TEST(Resolver, SaysThatAHostDoesNotExist) {
    name_server names;
    names.answer();
    fetcher f(http::client_config(), names.function());
    const auto r = f.get("http://missing.test/");
    EXPECT_EQ(r.error(), asio::error::host_not_found);
    EXPECT_EQ(r.reason(), reason::permanent_failure);
    EXPECT_EQ(r.report().history().at(0).remote, "");
}

TEST(Resolver, RepeatsWhatTheNameServerCouldNotTellYet) {
    auto count = std::make_shared<std::atomic<int>>(0);
    scripted_server server({answering});
    fetcher f(http::client_config().policy(at_once()),
              [count](const std::string&, addresses& found) -> error_code {
                  if (++*count == 1) return asio::error::host_not_found_try_again;
                  found = {loopback};
                  return {};
              });
    const auto r = f.get(at("name.test", server));
    EXPECT_TRUE(r.ok());
    EXPECT_EQ(r.report().history().at(0).kind, failure_kind::connect);
}

TEST(Resolver, IsNotAskedForAddresses) {
    name_server names;
    scripted_server server({answering}, forever());
    fetcher f(http::client_config().resolve("fixed.test", server.port(), "127.0.0.1"),
              names.function());
    EXPECT_TRUE(f.get(server.url()).ok());
    EXPECT_TRUE(f.get(at("fixed.test", server)).ok());
    EXPECT_EQ(server.requests().at(1).field("Host"), "fixed.test:" + std::to_string(server.port()));
    EXPECT_EQ(names.lookups(), 0);
}

TEST(Resolver, FindsLocalhost) {
    addresses found;
    EXPECT_FALSE(http::detail::look_up("localhost", found));
    EXPECT_FALSE(found.empty());
    found.clear();
    EXPECT_TRUE(http::detail::look_up("no such host", found));
}

TEST(Config, RefusesAnAddressThatIsNone) {
    http::client_config config;
    EXPECT_THROW(config.resolve("a", 80, "b"), std::invalid_argument);
    EXPECT_THROW(config.resolve("", 80, "127.0.0.1"), std::invalid_argument);
    EXPECT_EQ(config.resolve("a", 80, "[::1]").resolve().at(0).address(), "::1");
}

// Happy Eyeballs.

TEST(ConnectRace, TakesTheFamiliesInTurn) {
    const auto v4 = [](int n) { return asio::ip::make_address("10.0.0." + std::to_string(n)); };
    const auto v6 = [](int n) { return asio::ip::make_address("fd00::" + std::to_string(n)); };
    EXPECT_EQ(http::detail::interleave({v6(1), v6(2), v6(3), v4(1), v4(2)}),
              (addresses{v6(1), v4(1), v6(2), v4(2), v6(3)}));
    EXPECT_EQ(http::detail::interleave({v4(1), v4(2), v6(1)}), (addresses{v4(1), v6(1), v4(2)}));
    EXPECT_EQ(http::detail::interleave({}), addresses{});
}

http::detail::lookup_function to(const std::vector<std::string>& texts) {
    return [texts](const std::string&, addresses& found) {
        for (const auto& each : texts) found.push_back(asio::ip::make_address(each));
        return error_code();
    };
}

TEST(ConnectRace, GoesOnAtOnceWhenAnAddressRefuses) {
    scripted_server server({answering}, scripted_server_options().address("127.0.0.3"));
    fetcher f(http::client_config(), to({"::1", "127.0.0.1", "127.0.0.2", "127.0.0.3"}));
    const auto r = f.get(at("name.test", server));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r.report().attempts(), 1U);
    EXPECT_EQ(r.report().history().at(0).remote, "127.0.0.3:" + std::to_string(server.port()));
    EXPECT_LT(r.report().elapsed(), 200ms);
}

TEST(ConnectRace, ADeadAddressCostsAQuarterOfASecond) {
    deaf_server dead;
    scripted_server server({answering},
                           scripted_server_options().address("127.0.0.2").port(dead.port()));
    fetcher f(http::client_config(), to({"127.0.0.1", "127.0.0.2"}));
    const auto r = f.get(at("name.test", server));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_GE(r.report().elapsed(), 240ms);
    EXPECT_LT(r.report().elapsed(), 900ms);
}

TEST(ConnectRace, EndsWithTheLastError) {
    scripted_server server({}, scripted_server_options().refusing());
    fetcher f(http::client_config().policy(only_once()), to({"127.0.0.1", "127.0.0.2"}));
    const auto r = f.get(at("name.test", server));
    EXPECT_EQ(r.error(), asio::error::connection_refused);
    EXPECT_EQ(r.report().history().at(0).remote, "127.0.0.2:" + std::to_string(server.port()));
}

}  // namespace
}  // namespace asio_retry::test
