// SPDX-License-Identifier: BSL-1.0
#include "http/connection_pool.hpp"

namespace asio_retry::http::detail {

pool_lease& pool_lease::operator=(pool_lease&& other) noexcept {
    if (this != &other) {
        close();
        pool_ = std::exchange(other.pool_, nullptr);
        origin_ = other.origin_;
        connection_ = std::move(other.connection_);
    }
    return *this;
}

void pool_lease::next_idle(steady_time now) {
    connection_.reset();
    connection_pool::closing out;
    const std::lock_guard lock(pool_->mutex_);
    connection_ = pool_->pop_idle(*origin_, now, out);
    if (!connection_) return;
    // It brought a place of its own.
    std::unique_ptr<connection> none;
    if (!pool_->pass_on(*origin_, none)) pool_->free_place(*origin_);
}

void pool_lease::give_back(steady_time now) noexcept {
    connection_->input().rest();
    connection_->idle_since = now;
    connection_pool* const pool = std::exchange(pool_, nullptr);
    connection_pool::closing out;
    const std::lock_guard lock(pool->mutex_);
    pool->drop_expired(now, out);
    if (pool->has_expired(*connection_, now)) out.push_back(std::move(connection_));
    if (pool->pass_on(*origin_, connection_)) return;
    if (connection_) {
        pool->push_idle(*origin_, std::move(connection_), now);
    } else {
        pool->free_place(*origin_);
    }
}

void pool_lease::close() noexcept {
    connection_.reset();
    if (pool_ == nullptr) return;
    connection_pool* const pool = std::exchange(pool_, nullptr);
    const std::lock_guard lock(pool->mutex_);
    if (!pool->pass_on(*origin_, connection_)) pool->free_place(*origin_);
}

pool_ticket::~pool_ticket() { const pool_lease unwanted = take(); }

pool_lease pool_ticket::take() noexcept {
    if (pool_ == nullptr) return {};
    connection_pool* const pool = std::exchange(pool_, nullptr);
    const std::lock_guard lock(pool->mutex_);
    if (!is_linked()) return {*pool, *origin_, std::move(connection_)};
    pool->dequeue(*this);
    pool->forget_if_unused(*origin_);
    return {};
}

connection_pool::~connection_pool() {
    while (!by_age_.empty()) remove_idle(by_age_.front());
}

pool_lease connection_pool::acquire(const target& to,
                                    connection_wish wish,
                                    steady_time now,
                                    pool_ticket& t) {
    closing out;
    const std::lock_guard lock(mutex_);
    drop_expired(now, out);
    origin& o = origin_of(to);
    if (wish == connection_wish::any) {
        if (auto c = pop_idle(o, now, out)) return {*this, o, std::move(c)};
    }
    if (make_place(o, out)) return {*this, o, nullptr};
    enqueue(t, o, wish);
    return {};
}

connection_pool::statistics connection_pool::count() const {
    const std::lock_guard lock(mutex_);
    statistics result;
    result.open = open_;
    result.idle = by_age_.size();
    result.waiting = waiting_;
    return result;
}

origin& connection_pool::origin_of(const target& to) {
    if (last_ != nullptr && equal()(last_->name, to)) return *last_;
    auto found = origins_.find(to);
    if (found == origins_.end()) found = origins_.emplace(to, std::make_unique<origin>(to)).first;
    last_ = found->second.get();
    return *last_;
}

/// Closes an idle connection where a limit is reached.
bool connection_pool::make_place(origin& o, closing& out) {
    if (o.open >= limits_.per_origin()) {
        if (o.idle.empty()) return false;
        out.push_back(remove_idle(o.idle.front()));
    } else if (open_ >= limits_.total()) {
        if (by_age_.empty()) return false;
        origin& loser = *by_age_.front().home;
        out.push_back(remove_idle(by_age_.front()));
        if (&loser != &o) forget_if_unused(loser);
    }
    ++o.open;
    ++open_;
    return true;
}

/// The one used last, as it is the likeliest to be alive. Keeps its place.
std::unique_ptr<connection> connection_pool::pop_idle(origin& o, steady_time now, closing& out) {
    while (!o.idle.empty()) {
        connection& c = o.idle.back();
        const bool expired = has_expired(c, now);
        auto owned = remove_idle(c);
        if (expired) {
            out.push_back(std::move(owned));
            continue;
        }
        ++o.open;
        ++open_;
        return owned;
    }
    return nullptr;
}

/// Out of the lists; its place is free.
std::unique_ptr<connection> connection_pool::remove_idle(connection& c) noexcept {
    origin& o = *c.home;
    o.idle.erase(o.idle.iterator_to(c));
    by_age_.erase(by_age_.iterator_to(c));
    std::unique_ptr<connection> owned(&c);
    --o.open;
    --open_;
    return owned;
}

void connection_pool::push_idle(origin& o,
                                std::unique_ptr<connection> c,
                                steady_time now) noexcept {
    c->home = &o;
    c->idle_since = now;
    o.idle.push_back(*c);
    by_age_.push_back(*c);
    c.release();  // NOLINT(bugprone-unused-return-value): the lists have it now
}

void connection_pool::drop_expired(steady_time now, closing& out) {
    while (!by_age_.empty() && has_expired(by_age_.front(), now)) {
        origin& o = *by_age_.front().home;
        out.push_back(remove_idle(by_age_.front()));
        forget_if_unused(o);
    }
}

bool connection_pool::has_expired(const connection& c, steady_time now) const noexcept {
    return now - c.idle_since >= limits_.idle_timeout() || now - c.opened() >= limits_.lifetime();
}

void connection_pool::free_place(origin& o) noexcept {
    --o.open;
    --open_;
    forget_if_unused(o);
}

void connection_pool::forget_if_unused(origin& o) noexcept {
    if (o.open != 0 || !o.queue.empty()) return;
    if (last_ == &o) last_ = nullptr;
    origins_.erase(origins_.find(o.name));
}

void connection_pool::enqueue(pool_ticket& t, origin& o, connection_wish wish) noexcept {
    t.pool_ = this;
    t.origin_ = &o;
    t.wish_ = wish;
    t.number_ = ++tickets_;
    ++waiting_;
    if (o.queue.empty()) queues_.push_back(o);
    o.queue.push_back(t);
}

void connection_pool::dequeue(pool_ticket& t) noexcept {
    origin& o = *t.origin_;
    o.queue.erase(o.queue.iterator_to(t));
    if (o.queue.empty()) queues_.erase(queues_.iterator_to(o));
    --waiting_;
}

/// Of those for whom a place of `freed` is of use: its own, and those that only the overall limit
/// keeps waiting.
pool_ticket* connection_pool::longest_waiting(const origin& freed) noexcept {
    pool_ticket* longest = nullptr;
    for (origin& o : queues_) {
        if (&o != &freed && o.open >= limits_.per_origin()) continue;
        pool_ticket& first = o.queue.front();
        if (longest == nullptr || first.number_ < longest->number_) longest = &first;
    }
    return longest;
}

/// Gives a place of `o`, and its connection if there is one, to whoever waits. False if nobody
/// does.
/** Wakes under the lock, so that no ticket is gone before it is woken. */
bool connection_pool::pass_on(origin& o, std::unique_ptr<connection>& c) noexcept {
    pool_ticket* const t = longest_waiting(o);
    if (t == nullptr) return false;
    dequeue(*t);
    if (t->origin_ != &o) {
        c.reset();
        ++t->origin_->open;
        ++open_;
        free_place(o);
    } else if (t->wish_ == connection_wish::fresh) {
        c.reset();
    }
    t->connection_ = std::move(c);
    t->served_.wake();
    return true;
}

}  // namespace asio_retry::http::detail
