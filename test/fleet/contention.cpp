// SPDX-License-Identifier: BSL-1.0
#include "fleet/contention.hpp"

#include "fleet/virtual_time.hpp"
#include <asio_retry/detail/retry_fsm.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace asio_retry::fleet {

namespace {

enum class step : std::uint8_t { read, answer, write, done };

class event {
public:
    std::size_t client;
    step what;
};

class client {
public:
    detail::retry_fsm fsm;
    std::uint64_t version = 0;  // as it was read
    bool won = false;
};

class contest {
public:
    contest(unsigned clients, const backoff& schedule, std::uint64_t seed)
        : clients_(clients), random_(seed) {
        policy_.max_attempts(std::numeric_limits<unsigned>::max()).backoff(schedule);
    }

    contention_result run() {
        for (std::size_t c = 0; c < clients_.size(); ++c) {
            clients_[c].fsm.start(policy_, epoch);
            send(epoch, c, step::read);
        }
        steady_time now = epoch;
        while (!events_.empty()) {
            const auto [t, e] = events_.next();
            now = t;
            take(now, e.client, e.what);
        }
        contention_result result;
        result.calls = static_cast<double>(writes_);
        result.completion_time = seconds(now - epoch);
        return result;
    }

private:
    void send(steady_time t, std::size_t c, step what) {
        const double ms = std::abs(random_.normal(10, 2));
        events_.add(t + from_seconds(ms / 1000), event{c, what});
    }

    void take(steady_time now, std::size_t c, step what) {
        client& self = clients_[c];
        switch (what) {
            case step::read: self.version = version_; return send(now, c, step::answer);
            case step::answer: return send(now, c, step::write);
            case step::write:
                ++writes_;
                self.won = self.version == version_;
                if (self.won) ++version_;
                return send(now, c, step::done);
            case step::done: break;
        }
        if (self.won) return;
        const auto next = self.fsm.attempt_done(
            policy_, now, failure_kind::server, [this] { return random_.bits(); });
        self.fsm.wait_done(now + next.delay);
        send(now + next.delay, c, step::read);
    }

    retry_policy policy_;
    std::vector<client> clients_;
    event_queue<event> events_;
    dice random_;
    std::uint64_t version_ = 0;
    std::uint64_t writes_ = 0;
};

}  // namespace

contention_result contend(unsigned clients,
                          const backoff& schedule,
                          unsigned runs,
                          std::uint64_t seed) {
    contention_result mean;
    for (unsigned i = 0; i < runs; ++i) {
        const auto one = contest(clients, schedule, seed + i).run();
        mean.calls += one.calls / runs;
        mean.completion_time += one.completion_time / runs;
    }
    return mean;
}

}  // namespace asio_retry::fleet
