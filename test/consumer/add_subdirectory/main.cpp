// An operation that fails twice and then succeeds, retried by a program of somebody else's.
#include <asio_retry/retry.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>

#include <chrono>

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<int> third_time_lucky(int* calls) {
    if (++*calls < 3) throw boost::system::system_error(asio::error::connection_refused);
    co_return *calls;
}

asio::awaitable<void> run(int* answer) {
    asio_retry::retry_policy policy;
    policy.backoff(asio_retry::backoff::constant(1ms));
    int calls = 0;
    *answer = co_await asio_retry::retry(policy, third_time_lucky, &calls);
}

int main() {
    asio::io_context context;
    int answer = 0;
    asio::co_spawn(context, run(&answer), asio::detached);
    context.run();
    return answer == 3 ? 0 : 1;
}
