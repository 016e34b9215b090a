// SPDX-License-Identifier: BSL-1.0
#include "http/tls_sessions.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <ctime>
#include <new>

namespace asio_retry::http::detail {

namespace {

/// Where a connection's sessions go. OpenSSL owns it, as part of the connection.
class destination {
public:
    destination(std::shared_ptr<tls_sessions> s, std::string n)
        : store(std::move(s)), server(std::move(n)) {}

    std::shared_ptr<tls_sessions> store;
    std::string server;
};

void free_destination(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<destination*>(data);
}

int destination_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_destination);
    return index;
}

/// OpenSSL's callback: called from within reads and handshakes. 0 leaves it its own reference.
int keep_session(SSL* connection, SSL_SESSION* given) noexcept {
    const auto* to = static_cast<destination*>(SSL_get_ex_data(connection, destination_index()));
    if (to == nullptr) return 0;
    try {
        to->store->put(to->server, tls_sessions::session(SSL_SESSION_dup(given)));
    } catch (const std::bad_alloc&) {
        return 0;
    }
    return 0;
}

bool is_good(const SSL_SESSION* s) {
    long lifetime = SSL_SESSION_get_timeout(s);
    const auto told = static_cast<long>(SSL_SESSION_get_ticket_lifetime_hint(s));
    if (told != 0) lifetime = std::min(lifetime, told);
    return SSL_SESSION_is_resumable(s) == 1 &&
           static_cast<long>(std::time(nullptr)) < SSL_SESSION_get_time(s) + lifetime;
}

}  // namespace

void tls_sessions::put(const std::string& server, session s) {
    if (!s) return;
    const std::lock_guard lock(mutex_);
    auto found = by_server_.find(server);
    if (found == by_server_.end()) {
        if (by_age_.size() >= most_servers) {
            by_server_.erase(by_age_.front().first);
            by_age_.pop_front();
        }
        by_age_.emplace_back(server, std::deque<session>());
        found = by_server_.emplace(server, std::prev(by_age_.end())).first;
    } else {
        by_age_.splice(by_age_.end(), by_age_, found->second);
    }
    auto& sessions = found->second->second;
    if (sessions.size() >= most_of_one_server) sessions.pop_front();
    sessions.push_back(std::move(s));
}

tls_sessions::session tls_sessions::take(const std::string& server) {
    const std::lock_guard lock(mutex_);
    const auto found = by_server_.find(server);
    if (found == by_server_.end()) return nullptr;
    auto& sessions = found->second->second;
    while (!sessions.empty()) {
        SSL_SESSION* const newest = sessions.back().get();
        const bool good = is_good(newest);
        if (good && SSL_SESSION_get_protocol_version(newest) < TLS1_3_VERSION) {
            return session(SSL_SESSION_dup(newest));
        }
        session once = std::move(sessions.back());
        sessions.pop_back();
        if (good) return once;
    }
    return nullptr;
}

void tls_sessions::forget(const std::string& server) {
    const std::lock_guard lock(mutex_);
    const auto found = by_server_.find(server);
    if (found == by_server_.end()) return;
    by_age_.erase(found->second);
    by_server_.erase(found);
}

std::size_t tls_sessions::servers() const {
    const std::lock_guard lock(mutex_);
    return by_age_.size();
}

void tls_sessions::collect(SSL_CTX* context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, &keep_session);
}

void tls_sessions::attach(const std::shared_ptr<tls_sessions>& store,
                          SSL* connection,
                          const std::string& server) {
    auto to = std::make_unique<destination>(store, server);
    if (SSL_set_ex_data(connection, destination_index(), to.get()) != 1) {
        ERR_clear_error();
        return;
    }
    to.release();  // NOLINT(bugprone-unused-return-value): the connection has it now
    if (const session known = store->take(server)) SSL_set_session(connection, known.get());
}

}  // namespace asio_retry::http::detail
