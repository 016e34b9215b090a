// SPDX-License-Identifier: BSL-1.0
#include "http/resolver.hpp"

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

class resolver::question::reply {
public:
    error_code error;
    addresses found;
};

/// Shared by the client, the questions and the threads; the last of them frees it.
class resolver::state : public std::enable_shared_from_this<state> {
public:
    explicit state(lookup_function f) : lookup_(std::move(f)) {}

    void ask(question& q, const std::string& host) {
        bool first = false;
        {
            const std::lock_guard lock(mutex_);
            q.asked_ = shared_from_this();
            const auto [entry, inserted] = running_.try_emplace(host);
            entry->second.push_back(q);
            first = inserted;
        }
        if (first) start(host);
    }

    bool take(question& q, error_code& ec, addresses& found) {
        const std::lock_guard lock(mutex_);
        if (!q.reply_) return false;
        ec = q.reply_->error;
        found = q.reply_->found;
        return true;
    }

    void withdraw(question& q) noexcept {
        const std::lock_guard lock(mutex_);
        if (q.is_linked()) q.unlink();
    }

private:
    using waiting = boost::intrusive::list<question, boost::intrusive::constant_time_size<false>>;

    void start(const std::string& host) {
        try {
            const signals_blocked for_thread;
            std::thread([self = shared_from_this(), host] { self->run(host); }).detach();
        } catch (const std::system_error&) {
            auto reply = std::make_shared<question::reply>();
            reply->error = asio::error::host_not_found_try_again;
            finish(host, std::move(reply));
        }
    }

    void run(const std::string& host) {
        auto reply = std::make_shared<question::reply>();
        try {
            reply->error = lookup_(host, reply->found);
        } catch (...) {
            reply->error = asio::error::no_recovery;
        }
        finish(host, std::move(reply));
    }

    /// Woken under the lock, so that no question is gone before it is woken.
    void finish(const std::string& host, std::shared_ptr<const question::reply> reply) {
        const std::lock_guard lock(mutex_);
        auto entry = running_.extract(host);
        entry.mapped().clear_and_dispose([&](question* q) {
            q->reply_ = reply;
            q->answered_.wake();
        });
    }

    std::mutex mutex_;
    std::unordered_map<std::string, waiting> running_;
    lookup_function lookup_;
};

bool resolver::question::take(error_code& ec, addresses& found) {
    return asked_->take(*this, ec, found);
}

void resolver::question::withdraw() noexcept {
    if (asked_) asked_->withdraw(*this);
}

resolver::resolver(lookup_function f) : state_(std::make_shared<state>(std::move(f))) {}

void resolver::ask(question& q, const std::string& host) { state_->ask(q, host); }

}  // namespace asio_retry::http::detail
