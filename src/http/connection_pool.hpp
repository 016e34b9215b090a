// The connections of a client: idle ones to use again, places for new ones, and who waits for
// either. SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CONNECTION_POOL_HPP
#define ASIO_RETRY_SRC_HTTP_CONNECTION_POOL_HPP

#include "http/connection.hpp"
#include "http/target.hpp"
#include <asio_retry/detail/light_mutex.hpp>
#include <asio_retry/http/client_config.hpp>

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace asio_retry::http::detail {

class connection_pool;

/// Whether an idle connection will do.
enum class connection_wish : std::uint8_t { any, fresh };

/// A place in the pool, and perhaps the connection in it. Gives back what it has at its end.
class pool_lease {
public:
    pool_lease() noexcept = default;
    pool_lease(connection_pool& p, origin& o, std::unique_ptr<connection> c) noexcept
        : pool_(&p), origin_(&o), connection_(std::move(c)) {}
    pool_lease(pool_lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          origin_(other.origin_),
          connection_(std::move(other.connection_)) {}
    pool_lease& operator=(pool_lease&& other) noexcept;
    ~pool_lease() { close(); }

    bool has_place() const noexcept { return pool_ != nullptr; }
    connection* get() const noexcept { return connection_.get(); }

    void put(std::unique_ptr<connection> c) noexcept { connection_ = std::move(c); }
    /// Closes the connection and keeps its place.
    void close_connection() noexcept { connection_.reset(); }
    /// Closes the connection and takes the next idle one of this origin, if there is one.
    void next_idle(steady_time now);
    /// Gives the connection back, to serve others.
    void give_back(steady_time now) noexcept;
    /// Closes the connection and gives its place back.
    void close() noexcept;

private:
    connection_pool* pool_ = nullptr;
    origin* origin_ = nullptr;
    std::unique_ptr<connection> connection_;
};

/// A caller's place in the queue. Stands in the waiting call and must not move.
class pool_ticket : public boost::intrusive::list_base_hook<> {
public:
    explicit pool_ticket(timer_service& timers) noexcept : served_(timers) {}
    ~pool_ticket();

    /// Waits until it is the caller's turn, until `t` at the latest.
    timed_wait::operation turn(steady_time t) noexcept { return served_.until(t); }

    /// What the caller was given; no place if it was not its turn yet. Ends its part.
    pool_lease take() noexcept;

private:
    friend class connection_pool;

    timed_wait served_;
    connection_pool* pool_ = nullptr;
    origin* origin_ = nullptr;
    std::unique_ptr<connection> connection_;
    std::uint64_t number_ = 0;
    connection_wish wish_ = connection_wish::any;
};

/// What the pool knows of one scheme, host and port. Used by the pool only.
class origin : public boost::intrusive::list_base_hook<> {
public:
    class key {
    public:
        explicit key(const target& t) : host(t.host), port(t.port), tls(t.tls) {}

        std::string host;
        std::uint16_t port;
        bool tls;
    };

    explicit origin(const target& t) : name(t) {}

    key name;
    /// The longest idle first.
    boost::intrusive::list<connection, boost::intrusive::base_hook<origin_hook>> idle;
    boost::intrusive::list<pool_ticket> queue;
    std::size_t open = 0;
};

/// Thread-safe. Every open connection, idle or in use, takes a place of its origin's and of all.
/** Idle connections are used last in, first out, so that those which are not needed grow old. A
    place or connection that comes free goes to the caller that has waited longest, of those that
    can use it. Who is given something and no longer wants it passes it on. */
class connection_pool {
public:
    explicit connection_pool(const pool_limits& limits) noexcept : limits_(limits) {}
    ~connection_pool();
    connection_pool(const connection_pool&) = delete;
    connection_pool& operator=(const connection_pool&) = delete;

    /// A connection or a place for one; or neither, and then the ticket is in the queue.
    pool_lease acquire(const target& to, connection_wish wish, steady_time now, pool_ticket& t);

    class statistics {
    public:
        std::size_t open = 0;
        std::size_t idle = 0;
        std::size_t waiting = 0;
    };
    statistics count() const;

private:
    friend class pool_lease;
    friend class pool_ticket;

    class hash {
    public:
        using is_transparent = void;
        template <typename T>
        std::size_t operator()(const T& k) const noexcept {
            return std::hash<std::string_view>()(k.host) ^ (std::size_t{k.port} << 1U) ^
                   static_cast<std::size_t>(k.tls);
        }
    };
    class equal {
    public:
        using is_transparent = void;
        template <typename T, typename U>
        bool operator()(const T& a, const U& b) const noexcept {
            return a.port == b.port && a.tls == b.tls && a.host == b.host;
        }
    };

    /// To be closed when the lock is free again.
    using closing = std::vector<std::unique_ptr<connection>>;

    origin& origin_of(const target& to);
    bool make_place(origin& o, closing& out);
    std::unique_ptr<connection> pop_idle(origin& o, steady_time now, closing& out);
    std::unique_ptr<connection> remove_idle(connection& c) noexcept;
    void push_idle(origin& o, std::unique_ptr<connection> c, steady_time now) noexcept;
    void drop_expired(steady_time now, closing& out);
    bool has_expired(const connection& c, steady_time now) const noexcept;
    void free_place(origin& o) noexcept;
    void forget_if_unused(origin& o) noexcept;

    void enqueue(pool_ticket& t, origin& o, connection_wish wish) noexcept;
    void dequeue(pool_ticket& t) noexcept;
    pool_ticket* longest_waiting(const origin& freed) noexcept;
    bool pass_on(origin& o, std::unique_ptr<connection>& c) noexcept;

    const pool_limits limits_;
    mutable asio_retry::detail::light_mutex mutex_;
    std::unordered_map<origin::key, std::unique_ptr<origin>, hash, equal> origins_;
    origin* last_ = nullptr;                 // asked for; likely to be asked for again
    boost::intrusive::list<origin> queues_;  // those that somebody waits for
    boost::intrusive::list<connection, boost::intrusive::base_hook<age_hook>> by_age_;
    std::size_t open_ = 0;
    std::size_t waiting_ = 0;
    std::uint64_t tickets_ = 0;
};

}  // namespace asio_retry::http::detail

#endif
