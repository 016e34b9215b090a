// Cancellation, of every type and at every step of a fetch.
#include "http/support/fetcher.hpp"

#include <ostream>

namespace asio_retry::test {
namespace {

using asio::cancellation_type;

const identity& server_identity() {
    static const identity made = certificate_authority().issue(for_loopback());
    return made;
}

http::client_config unverified() {
    return std::move(
        http::client_config()
            .policy(at_once(no_wait().backoff(backoff::constant(10s).jitter(jitter::none))))
            .tls(http::tls_options().verify(http::verification::off)));
}

/// Where a fetch is when it is cancelled: its server's script up to there.
class situation {
public:
    situation(std::string n, connection_script s, std::size_t body_size = 0)
        : name(std::move(n)), script(std::move(s)), body(body_size) {}

    std::string name;
    connection_script script;
    std::size_t body;
    bool tls = false;
};

std::ostream& operator<<(std::ostream& out, const situation& s) { return out << s.name; }

std::vector<situation> situations() {
    const std::string half = response(200, std::string(100, 'x')).substr(0, 60);
    std::vector<situation> all = {
        {"Sending", {stop_reading()}, 30'000'000},
        {"Silence", {expect_request(), stall()}},
        {"HalfAResponse", {expect_request(), send(half), stall()}},
        {"Backoff", {expect_request(), send(response(503)), stall()}},
    };
    for (std::size_t i = all.size(); i > 0; --i) {
        situation secure = all[i - 1];
        secure.name += "OverTls";
        secure.tls = true;
        secure.script.insert(secure.script.begin(), start_tls(server_identity()));
        all.push_back(std::move(secure));
    }
    all.emplace_back("Handshake", connection_script{expect_client_hello(), stall()}).tls = true;
    return all;
}

class Cancel : public testing::TestWithParam<std::tuple<situation, cancellation_type>> {};

TEST_P(Cancel, EndsTheCallAtOnceAndLeavesNothing) {
    const auto& [where, type] = GetParam();
    const gate reached;
    connection_script script = where.script;
    script.insert(script.end() - 1, open_gate(reached));
    scripted_server server({script});
    fetcher f(unverified());
    const std::string url =
        (where.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(server.port());
    const auto call = f.start(request("PUT", url + "/").body(std::string(where.body, 'x')));
    f.run_until([&] { return reached.is_open(); });
    f.context.restart();
    f.context.run_for(20ms);
    ASSERT_FALSE(call->done());

    const auto start = std::chrono::steady_clock::now();
    call->signal.emit(type);
    f.run_until(call);
    f.run_out();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    EXPECT_EQ(call->times, 1);
    EXPECT_EQ((*call)->reason(), reason::cancelled);
    EXPECT_EQ((*call)->error(), asio::error::operation_aborted);
    const auto& last = (*call)->report().history().back();
    const bool in_backoff = last.status == 503;
    EXPECT_EQ(last.kind, in_backoff ? failure_kind::server : failure_kind::cancelled);
    EXPECT_EQ(f.state->pool.count().open, in_backoff ? 1U : 0U);
    EXPECT_EQ(f.state->pool.count().idle, in_backoff ? 1U : 0U);
}

INSTANTIATE_TEST_SUITE_P(Everywhere,
                         Cancel,
                         testing::Combine(testing::ValuesIn(situations()),
                                          testing::Values(cancellation_type::terminal,
                                                          cancellation_type::partial,
                                                          cancellation_type::total)));

TEST(Cancellation, WhileConnecting) {
    deaf_server server;
    fetcher f(unverified());
    const auto call = f.start(request("GET", server.url()));
    f.context.run_for(20ms);
    call->signal.emit(cancellation_type::total);
    f.run_until(call);
    f.run_out();
    EXPECT_EQ((*call)->reason(), reason::cancelled);
    EXPECT_EQ(f.state->pool.count().open, 0U);
}

TEST(Cancellation, BeforeTheFirstStep) {
    fetcher f(unverified());
    const auto call = f.start(request("GET", "http://127.0.0.1:1/"));
    call->signal.emit(cancellation_type::terminal);
    f.run_until(call);
    f.run_out();
    EXPECT_EQ(call->times, 1);
}

/// A fetch with everything: two connections, a retry, a redirect.
std::vector<connection_script> long_story(bool tls) {
    connection_script first = {expect_request(), send(response(503)), expect_request(), close()};
    connection_script second = {expect_request(),
                                send_slowly(response(302, "", "Location: /b\r\n"), {}, 40),
                                expect_request(),
                                send_slowly(response(200, "end"), {}, 40),
                                stall()};
    if (tls) {
        first.insert(first.begin(), start_tls(server_identity()));
        second.insert(second.begin(), start_tls(server_identity()));
    }
    return {first, second, second, second};
}

TEST(Cancellation, AfterAnyNumberOfHandlers) {
    for (const bool tls : {false, true}) {
        for (const auto type : {cancellation_type::terminal, cancellation_type::total}) {
            bool finished = false;
            for (int n = 0; !finished; ++n) {
                ASSERT_LT(n, 1000);
                scripted_server server(long_story(tls));
                fetcher f(unverified());
                const auto url = (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") +
                                 std::to_string(server.port()) + "/";
                const auto call = f.start(request("GET", url), at_once().max_redirects(3));
                for (int i = 0; i < n && !call->done(); ++i) {
                    f.context.restart();
                    f.context.run_one_for(5s);
                }
                finished = call->done();
                call->signal.emit(type);
                f.run_until(call);
                f.run_out();
                ASSERT_EQ(call->times, 1) << n;
                ASSERT_TRUE((*call)->ok() || (*call)->reason() == reason::cancelled)
                    << n << " " << (*call)->report().summary() << server.problems_text();
                ASSERT_EQ(f.state->pool.count().open, f.state->pool.count().idle) << n;
            }
        }
    }
}

TEST(Cancellation, ByTheEndOfTheContext) {
    const auto where = situations();
    for (const situation& each : where) {
        const gate reached;
        connection_script script = each.script;
        script.insert(script.end() - 1, open_gate(reached));
        scripted_server server({script});
        const std::string url =
            (each.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(server.port());
        std::shared_ptr<pending_fetch> call;
        {
            fetcher f(unverified());
            call = f.start(request("PUT", url + "/").body(std::string(each.body, 'x')));
            f.run_until([&] { return reached.is_open(); });
            f.context.restart();
            f.context.run_for(5ms);
        }
        EXPECT_FALSE(call->done()) << each.name;
    }
}

}  // namespace
}  // namespace asio_retry::test
