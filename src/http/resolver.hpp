// Name lookups that can be left: each runs on a thread of its own, and nobody has to wait for it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_RESOLVER_HPP
#define ASIO_RETRY_SRC_HTTP_RESOLVER_HPP

#include "http/core.hpp"
#include <asio_retry/error.hpp>

#include <boost/asio/ip/address.hpp>
#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace asio_retry::http::detail {

using addresses = std::vector<asio::ip::address>;

/// Blocks until it has the addresses of a name, or an error.
using lookup_function = std::function<error_code(const std::string& host, addresses& found)>;

/// getaddrinfo.
error_code look_up(const std::string& host, addresses& found);

/// Runs one lookup at a time for a name, whoever asks, and remembers the addresses for a while.
/** getaddrinfo cannot be cancelled. So it runs on a detached thread, which neither an io_context
    nor the end of the program waits for, and which shares only what outlives the client. */
class resolver {
    class state;

public:
    /// How many names are remembered at most.
    static constexpr std::size_t most_names = 1024;

    /// What came of a lookup.
    class reply {
    public:
        error_code error;
        addresses found;
    };
    using reply_ptr = std::shared_ptr<const reply>;

    /// A caller's part in a lookup. Stands in the waiting call and must not move.
    class question : public boost::intrusive::list_base_hook<
                         boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
    public:
        explicit question(timer_service& timers) noexcept : answered_(timers) {}
        ~question() { withdraw(); }

        /// Waits for the answer, until `t` at the latest.
        timed_wait::operation answer(steady_time t) noexcept { return answered_.until(t); }

        /// The answer, or null if there is none yet.
        reply_ptr take();

    private:
        friend class state;

        void withdraw() noexcept;

        timed_wait answered_;
        std::shared_ptr<state> asked_;
        reply_ptr reply_;
    };

    /// Addresses are good for `lifetime`, counted from the question; failures are not remembered.
    explicit resolver(lookup_function f, nanoseconds lifetime);

    /// Asks for the addresses of `host`. Once a question.
    void ask(question& q, const std::string& host);

    /// To be told that none of these addresses was of use: the next question is looked up anew.
    void forget(const std::string& host, const reply_ptr& r);

private:
    std::shared_ptr<state> state_;
};

}  // namespace asio_retry::http::detail

#endif
