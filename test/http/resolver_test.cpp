// Lookups that block, fail or never end, and how long their answers are used.
#include "http/expiring_map.hpp"
#include "http/support/fetcher.hpp"
#include <asio_retry/testing/manual_clock.hpp>

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

// Answers that are used again.

/// Counts the lookups; each answers with the addresses, or the error, of its turn; the last stays.
class answers {
public:
    using answer = std::pair<error_code, std::vector<std::string>>;

    explicit answers(std::vector<answer> all) : state_(std::make_shared<state>(std::move(all))) {}

    http::detail::lookup_function function() const {
        return [s = state_](const std::string&, addresses& found) {
            const auto turn = static_cast<std::size_t>(s->lookups++);
            const auto& [ec, texts] = s->all[std::min(turn, s->all.size() - 1)];
            for (const auto& each : texts) found.push_back(asio::ip::make_address(each));
            return ec;
        };
    }
    int lookups() const { return state_->lookups; }

private:
    struct state {
        explicit state(std::vector<answer> a) : all(std::move(a)) {}
        const std::vector<answer> all;
        std::atomic<int> lookups = 0;
    };
    std::shared_ptr<state> state_;
};

answers always(const std::string& address) { return answers({{error_code(), {address}}}); }

/// Each request on a connection of its own.
const connection_script answering_once = {expect_request(), send(last_response(200, "ok"))};

TEST(NameCache, UsesAnAnswerForItsTime) {
    scripted_server server({answering_once}, forever());
    const answers names = always("127.0.0.1");
    fetcher f(http::client_config().name_cache(10s), names.function());
    testing::manual_clock clock(f.context);
    const auto get = [&] {
        const auto call = f.start(request("GET", at("name.test", server)));
        f.run_until(call);
        return (*call)->ok();
    };
    EXPECT_TRUE(get());
    clock.advance(9999ms);
    EXPECT_TRUE(get());
    EXPECT_EQ(names.lookups(), 1);
    clock.advance(1ms);
    EXPECT_TRUE(get());
    EXPECT_EQ(names.lookups(), 2);
    EXPECT_EQ(server.connections_accepted(), 3U);
}

TEST(NameCache, IsOffAtZero) {
    scripted_server server({answering_once}, forever());
    const answers names = always("127.0.0.1");
    fetcher f(http::client_config().name_cache(0s), names.function());
    EXPECT_TRUE(f.get(at("name.test", server)).ok());
    EXPECT_TRUE(f.get(at("name.test", server)).ok());
    EXPECT_EQ(names.lookups(), 2);
}

TEST(NameCache, KeepsNamesApart) {
    scripted_server server({answering_once}, forever());
    const answers names = always("127.0.0.1");
    fetcher f(http::client_config(), names.function());
    EXPECT_TRUE(f.get(at("one.test", server)).ok());
    EXPECT_TRUE(f.get(at("two.test", server)).ok());
    EXPECT_EQ(names.lookups(), 2);
}

TEST(NameCache, DoesNotKeepFailures) {
    scripted_server server({answering_once});
    const answers names({{asio::error::host_not_found, {}}, {error_code(), {"127.0.0.1"}}});
    fetcher f(http::client_config(), names.function());
    EXPECT_FALSE(f.get(at("name.test", server)).ok());
    EXPECT_TRUE(f.get(at("name.test", server)).ok());
}

TEST(NameCache, DropsAddressesThatAreOfNoUse) {
    scripted_server server({answering_once}, scripted_server_options().address("127.0.0.2"));
    const answers names({{error_code(), {"127.0.0.1"}}, {error_code(), {"127.0.0.2"}}});
    fetcher f(http::client_config().policy(at_once()), names.function());
    const auto r = f.get(at("name.test", server));
    EXPECT_EQ(attempts(r.report()), "1:Connection refused 2:200");
    EXPECT_EQ(names.lookups(), 2);
}

TEST(NameCache, IsBounded) {
    http::detail::expiring_map<int> known(3);
    const steady_time now{};
    for (const char* name : {"a", "b", "c"}) known.put(name, 1, now + 10s, now);
    known.put("a", 2, now + 20s, now);
    EXPECT_EQ(*known.find("a", now), 2);
    known.put("d", 1, now + 30s, now + 1s);
    EXPECT_EQ(known.size(), 3U);
    EXPECT_NE(known.find("a", now + 1s), nullptr);
    EXPECT_NE(known.find("d", now + 1s), nullptr);
    known.put("e", 1, now + 30s, now + 15s);  // b or c, whichever was left, has expired
    EXPECT_EQ(known.size(), 3U);
    EXPECT_EQ(known.find("b", now), nullptr);
    EXPECT_EQ(known.find("c", now), nullptr);
    EXPECT_EQ(known.find("a", now + 20s), nullptr);
}

TEST(Config, RefusesANameCacheBelowZero) {
    EXPECT_THROW(http::client_config().name_cache(-1ns), std::invalid_argument);
}

TEST(Config, RefusesAnAddressThatIsNone) {
    http::client_config config;
    EXPECT_THROW(config.resolve("a", 80, "b"), std::invalid_argument);
    EXPECT_THROW(config.resolve("", 80, "127.0.0.1"), std::invalid_argument);
    EXPECT_EQ(config.resolve("a", 80, "[::1]").resolve().at(0).address(), "::1");
}

}  // namespace
}  // namespace asio_retry::test
