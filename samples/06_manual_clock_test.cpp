// Tests an hour of retries in milliseconds: the manual clock jumps from one delay to the next.
#include <asio_retry/retry.hpp>
#include <asio_retry/testing/manual_clock.hpp>
#include <asio_retry/testing/scripted_operation.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <iostream>

namespace asio = boost::asio;
namespace testing = asio_retry::testing;
using namespace std::chrono_literals;

// What is to be tested: it knows nothing of clocks.
template <typename Operation>
asio::awaitable<asio_retry::retry_report> call_patiently(Operation operation) {
    const auto policy = asio_retry::retry_policy().max_attempts(6).total_timeout(1h).backoff(
        asio_retry::backoff::exponential(1min, 30min).jitter(asio_retry::jitter::none));
    const auto result = co_await asio_retry::try_retry(policy, operation);
    co_return result.report();
}

// Counts what does not hold.
int wrong = 0;
void check(bool holds, const char* what) {
    if (!holds) std::cout << "does not hold: " << what << '\n';
    wrong += holds ? 0 : 1;
}

int main() {
    asio::io_context context;
    testing::manual_clock clock(context);

    // Refused four times, then good; each attempt takes ten seconds.
    const testing::step refused(asio::error::connection_refused, 10s);
    const testing::step good({}, 10s);
    testing::scripted_operation service(context.get_executor(),
                                        {refused, refused, refused, refused, good});

    asio_retry::retry_report report;
    asio::co_spawn(context,
                   call_patiently(service.awaitable()),
                   [&](const std::exception_ptr&, asio_retry::retry_report r) { report = r; });
    const auto start = std::chrono::steady_clock::now();
    clock.run(context);
    const auto taken = std::chrono::steady_clock::now() - start;

    check(report.reason() == asio_retry::reason::success, "it succeeds in the end");
    check(report.attempts() == 5, "after four failures");
    check(report.elapsed() == 1min + 2min + 4min + 8min + 5 * 10s, "which take 15 min 50 s");
    check(report.history()[3].delay == 8min, "the last wait is 8 minutes");
    check(taken < 1s, "the test does not wait for it");
    std::cout << report.summary() << ", tested in "
              << std::chrono::duration_cast<std::chrono::microseconds>(taken).count() << " us\n";
    return wrong;
}
