// Connecting to one of several addresses, and which are tried first.
#include "http/connect_race.hpp"

#include "http/support/fetcher.hpp"
#include <asio_retry/testing/manual_clock.hpp>

namespace asio_retry::test {
namespace {

using http::detail::addresses;

std::string at(const std::string& host, const scripted_server& server) {
    return "http://" + host + ":" + std::to_string(server.port()) + "/";
}

const connection_script answering = {expect_request(), send(response(200, "ok")), stall()};
const connection_script answering_once = {expect_request(), send(last_response(200, "ok"))};

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
    const testing::manual_clock clock(f.context);
    const auto r = f.get(at("name.test", server));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(r.report().attempts(), 1U);
    EXPECT_EQ(r.report().history().at(0).remote, "127.0.0.3:" + std::to_string(server.port()));
    EXPECT_EQ(r.report().elapsed(), 0ms);
}

TEST(ConnectRace, EndsWithTheLastError) {
    scripted_server server({}, scripted_server_options().refusing());
    fetcher f(http::client_config().policy(only_once()), to({"127.0.0.1", "127.0.0.2"}));
    const auto r = f.get(at("name.test", server));
    EXPECT_EQ(r.error(), asio::error::connection_refused);
    EXPECT_EQ(r.report().history().at(0).remote, "127.0.0.2:" + std::to_string(server.port()));
}

/// Begins a call, and runs it until it gives an address that does not answer its time.
std::shared_ptr<pending_fetch> begin(fetcher& f,
                                     const testing::manual_clock& clock,
                                     const std::string& url) {
    auto call = f.start(request("GET", url));
    f.run_until([&] { return clock.next_expiry() == clock.now() + 250ms; });
    return call;
}

TEST(ConnectRace, GivesAnAddressAQuarterOfASecond) {
    deaf_server dead;
    scripted_server server({answering},
                           scripted_server_options().address("127.0.0.2").port(dead.port()));
    fetcher f(http::client_config(), to({"127.0.0.1", "127.0.0.2"}));
    testing::manual_clock clock(f.context);
    const auto call = begin(f, clock, at("name.test", server));
    clock.advance(249ms);
    f.run_ready();
    EXPECT_EQ(server.connections_accepted(), 0U);
    clock.advance(1ms);
    f.run_until(call);
    EXPECT_TRUE((*call)->ok());
    EXPECT_EQ((*call)->report().elapsed(), 250ms);
}

TEST(ConnectRace, DoesNotWaitBehindADeadOneWhenTheNextRefuses) {
    deaf_server dead;
    scripted_server server({answering},
                           scripted_server_options().address("127.0.0.3").port(dead.port()));
    fetcher f(http::client_config(), to({"127.0.0.1", "127.0.0.2", "127.0.0.3"}));
    testing::manual_clock clock(f.context);
    const auto call = begin(f, clock, at("name.test", server));
    clock.advance(250ms);
    f.run_until(call);
    EXPECT_TRUE((*call)->ok());
    EXPECT_EQ((*call)->report().elapsed(), 250ms);
}

TEST(ConnectRace, TriesADeadAddressLastFromThenOn) {
    deaf_server dead;
    scripted_server server(
        {answering_once},
        scripted_server_options().address("127.0.0.2").port(dead.port()).repeat_last());
    fetcher f(http::client_config(), to({"127.0.0.1", "127.0.0.2"}));
    testing::manual_clock clock(f.context);
    auto call = begin(f, clock, at("name.test", server));
    clock.advance(250ms);
    f.run_until(call);
    const auto r = f.get(at("name.test", server));
    EXPECT_TRUE(r.ok());
    EXPECT_EQ(r.report().elapsed(), 0ms);

    clock.advance(http::detail::failed_addresses::remembered);
    call = begin(f, clock, at("name.test", server));
    EXPECT_EQ(server.connections_accepted(), 2U);
    clock.advance(250ms);
    f.run_until(call);
    EXPECT_TRUE((*call)->ok());
}

// After a failure.

std::string remotes(const retry_report& report) {
    std::string text;
    for (const attempt_record& r : report.history()) {
        const std::string remote(r.remote.view());
        text += (text.empty() ? "" : " ") + remote.substr(0, remote.find(':'));
    }
    return text;
}

/// Two servers on one port.
class two_servers {
public:
    two_servers(std::vector<connection_script> at_first, std::vector<connection_script> at_second)
        : first(std::move(at_first), scripted_server_options().address("127.0.0.1").repeat_last()),
          second(std::move(at_second),
                 scripted_server_options().address("127.0.0.2").port(first.port()).repeat_last()) {}

    scripted_server first;
    scripted_server second;
};

TEST(FailedAddress, IsNotWhereTheNextAttemptGoes) {
    two_servers servers({{expect_request(), reset()}}, {answering_once});
    fetcher f(http::client_config().policy(at_once()), to({"127.0.0.1", "127.0.0.2"}));
    const auto r = f.get(at("name.test", servers.first));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(remotes(r.report()), "127.0.0.1 127.0.0.2");
    // Nor the next call.
    EXPECT_EQ(remotes(f.get(at("name.test", servers.first)).report()), "127.0.0.2");
}

TEST(FailedAddress, IsTriedWhenTheOthersFailToo) {
    two_servers servers({{expect_request(), reset()}, answering_once}, {});
    servers.second.refuse();
    fetcher f(http::client_config().policy(at_once()), to({"127.0.0.1", "127.0.0.2"}));
    const auto r = f.get(at("name.test", servers.first));
    ASSERT_TRUE(r.ok()) << r.report().summary();
    EXPECT_EQ(remotes(r.report()), "127.0.0.1 127.0.0.1");
}

TEST(FailedAddress, IsLeftForATimeoutAndItsIdleConnectionsToo) {
    gate open_second;
    two_servers servers(
        {{expect_request(), wait_for(open_second), send(response(200, "a")), stall()},
         {expect_request(), stall()}},
        {answering_once});
    fetcher f(http::client_config(), to({"127.0.0.1", "127.0.0.2"}));
    testing::manual_clock clock(f.context);
    const auto idle = f.start(request("GET", at("name.test", servers.first)));
    f.run_until([&] { return servers.first.requests().size() == 1; });
    const auto policy = at_once(no_wait().attempt_timeout(5s));
    const auto slow = f.start(request("GET", at("name.test", servers.first)), policy);
    f.run_until([&] { return servers.first.requests().size() == 2; });
    open_second.open();
    f.run_until(idle);
    EXPECT_EQ(f.state->pool.count().idle, 1U);
    clock.advance(5s);
    f.run_until(slow);
    EXPECT_TRUE((*slow)->ok());
    EXPECT_EQ(remotes((*slow)->report()), "127.0.0.1 127.0.0.2");
}

TEST(FailedAddress, IsNotHeldAgainstItForAStaleConnectionOrAStatus) {
    two_servers servers({{expect_request(), send(response(200)), expect_request(), close()},
                         {expect_request(), send(last_response(503))},
                         answering_once},
                        {answering_once});
    fetcher f(http::client_config().policy(at_once()), to({"127.0.0.1", "127.0.0.2"}));
    EXPECT_TRUE(f.get(at("name.test", servers.first)).ok());
    const auto r = f.get(at("name.test", servers.first));
    EXPECT_EQ(attempts(r.report()), "1:the connection ended before a response came 1:503 2:200");
    EXPECT_EQ(remotes(r.report()), "127.0.0.1 127.0.0.1 127.0.0.1");
}

}  // namespace
}  // namespace asio_retry::test
