// SPDX-License-Identifier: BSL-1.0
#include "http/resolver.hpp"

#include "http/expiring_map.hpp"

#include <boost/asio/error.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>

namespace asio_retry::http::detail {

namespace {

error_code translate(int result, int system_error) {
    switch (result) {
        case 0: return {};
        case EAI_AGAIN: return asio::error::host_not_found_try_again;
        case EAI_FAIL: return asio::error::no_recovery;
        case EAI_MEMORY: return asio::error::no_memory;
        case EAI_SYSTEM: return {system_error, boost::system::system_category()};
        default: return asio::error::host_not_found;
    }
}

asio::ip::address to_address(const sockaddr* from) {
    if (from->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, from, sizeof(v4));
        return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, from, sizeof(v6));
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return asio::ip::address_v6(bytes, v6.sin6_scope_id);
}

}  // namespace

error_code look_up(const std::string& host, addresses& found) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* all = nullptr;
    const int result = ::getaddrinfo(host.c_str(), nullptr, &hints, &all);
    const error_code ec = translate(result, errno);
    if (ec) return ec;
    for (const addrinfo* each = all; each != nullptr; each = each->ai_next) {
        if (each->ai_family != AF_INET && each->ai_family != AF_INET6) continue;
        found.push_back(to_address(each->ai_addr));
    }
    ::freeaddrinfo(all);
    return found.empty() ? error_code(asio::error::host_not_found) : error_code();
}

namespace {

/// Keeps signals, in its lifetime, from a new thread, which is not meant to handle any.
class signals_blocked {
public:
    signals_blocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;

private:
    sigset_t before_{};
};

}  // namespace

/// Shared by the client, the questions and the threads; the last of them frees it.
class resolver::state : public std::enable_shared_from_this<state> {
public:
    state(lookup_function f, nanoseconds lifetime) : lookup_(std::move(f)), lifetime_(lifetime) {}

    void ask(question& q, const std::string& host) {
        const steady_time now = q.answered_.timers().now();
        bool first = false;
        {
            const std::lock_guard lock(mutex_);
            q.asked_ = shared_from_this();
            if (const auto* known = known_.find(host, now)) {
                q.reply_ = *known;
                return;
            }
            const auto [entry, inserted] = running_.try_emplace(host, now);
            entry->second.questions.push_back(q);
            first = inserted;
        }
        if (first) start(host);
    }

    reply_ptr take(question& q) {
        const std::lock_guard lock(mutex_);
        return q.reply_;
    }

    void forget(const std::string& host, const reply_ptr& r) {
        const std::lock_guard lock(mutex_);
        const auto* known = known_.find(host, steady_time::min());
        if (known != nullptr && *known == r) known_.erase(host);
    }

    void withdraw(question& q) noexcept {
        const std::lock_guard lock(mutex_);
        if (q.is_linked()) q.unlink();
    }

private:
    class lookup {
    public:
        explicit lookup(steady_time t) : begun(t) {}

        boost::intrusive::list<question, boost::intrusive::constant_time_size<false>> questions;
        steady_time begun;
    };

    void start(const std::string& host) {
        try {
            const signals_blocked for_thread;
            std::thread([self = shared_from_this(), host] { self->run(host); }).detach();
        } catch (const std::system_error&) {
            auto answer = std::make_shared<reply>();
            answer->error = asio::error::host_not_found_try_again;
            finish(host, std::move(answer));
        }
    }

    void run(const std::string& host) {
        auto answer = std::make_shared<reply>();
        try {
            answer->error = lookup_(host, answer->found);
        } catch (...) {
            answer->error = asio::error::no_recovery;
        }
        finish(host, std::move(answer));
    }

    /// Woken under the lock, so that no question is gone before it is woken.
    void finish(const std::string& host, reply_ptr answer) {
        const std::lock_guard lock(mutex_);
        auto entry = running_.extract(host);
        const steady_time begun = entry.mapped().begun;
        if (!answer->error && lifetime_ > nanoseconds::zero()) {
            known_.put(host, answer, saturating_add(begun, lifetime_), begun);
        }
        entry.mapped().questions.clear_and_dispose([&](question* q) {
            q->reply_ = answer;
            q->answered_.wake();
        });
    }

    std::mutex mutex_;
    std::unordered_map<std::string, lookup> running_;
    expiring_map<reply_ptr> known_{most_names};
    const lookup_function lookup_;
    const nanoseconds lifetime_;
};

resolver::reply_ptr resolver::question::take() { return asked_->take(*this); }

void resolver::question::withdraw() noexcept {
    if (asked_) asked_->withdraw(*this);
}

resolver::resolver(lookup_function f, nanoseconds lifetime)
    : state_(std::make_shared<state>(std::move(f), lifetime)) {}

void resolver::ask(question& q, const std::string& host) { state_->ask(q, host); }

void resolver::forget(const std::string& host, const reply_ptr& r) { state_->forget(host, r); }

}  // namespace asio_retry::http::detail
