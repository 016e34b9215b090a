// One fetch in progress, without its I/O: requests, attempts, verdicts, redirects, report.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FETCH_CALL_HPP
#define ASIO_RETRY_SRC_HTTP_FETCH_CALL_HPP

#include "http/attempt_gate.hpp"
#include "http/body_feed.hpp"
#include "http/client_state.hpp"
#include "http/connection_pool.hpp"
#include "http/core.hpp"
#include "http/fetch_lane.hpp"
#include "http/fetch_start.hpp"
#include "http/server_word.hpp"
#include "http/target.hpp"
#include "http/verdicts.hpp"
#include "http/wire.hpp"
#include <asio_retry/http/client.hpp>

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace asio_retry::http::detail {

/// Driven by `run_fetch`, as a `retry_call` is by its driver, once for each hop of a redirection.
/** Stands in the call and must not move. */
class fetch_call {
public:
    /// `begin` and `wire` must outlive it. `lane` is null if the call is not hedged.
    fetch_call(client_state& state,
               fetch_start& begin,
               wire_request& wire,
               timer_service& timers,
               fetch_lane* lane)
        : state_(state),
          timers_(timers),
          lane_(lane),
          begin_(begin),
          wire_(wire),
          retry_(shaped(begin_.policy.retry())),
          share_(lane ? lane->share() : own_share_),
          max_redirects_(begin_.policy.max_redirects()) {}

    /// Makes the request of this hop ready to be sent. If it cannot be, finishes.
    retry_action start(bool cancelled);
    /// Which each attempt has to pass before it is opened, where it stands.
    attempt_gate& gate() noexcept { return gate_; }
    passage enter_gate();
    /// After a wait at the gate, or where there is no way through it.
    retry_action leave_gate(passage p);

    /// Opens an attempt; answers when it has to end.
    steady_time begin_attempt();
    /// Closes the attempt. With an error there is no response, else the lease's connection has it.
    retry_action end_attempt(error_code ec, bool cancelled);
    steady_time wake_time() const noexcept { return call_->wake_time(); }
    /// Of the call.
    steady_time deadline() const noexcept { return call_->deadline(); }
    retry_action wait_done(bool cancelled);

    /// After a finish: whether the call goes on all the same, with the next hop of a redirection,
    /// say. Then `start` again.
    bool goes_on(reason why);
    /// The same where the policy's hook has to be asked.
    bool may_renew(reason why) noexcept;
    asio::awaitable<bool> renew();
    /// Ends the call. After an error `text`, if not null, becomes what `operation` tells.
    fetch_result finish(reason why, std::string* text);
    /// "GET http://127.0.0.1:8080/a", or what of it is fit for a text.
    std::string operation() const;

    // What the attempt in progress needs and tells.

    const target& to() const noexcept { return *begin_.to; }
    connection_wish wish() const noexcept { return wish_; }
    /// Whether this idle connection will do: nothing is wrong with it, and the attempt before, if
    /// it failed, was not at the same of several addresses.
    bool can_use(connection& c) const noexcept {
        return c.is_quiet() && !(c.has_alternatives && c.remote() == failed_at_.view());
    }
    pool_lease& lease() noexcept { return lease_; }
    steady_time connect_deadline(steady_time attempt_deadline) const;
    /// What a proxy that refused the connection asked for.
    void proxy_asks(std::optional<nanoseconds> wait) noexcept { proxy_wait_ = wait; }
    void remote(const shared_text& address) { call_->record().remote = address; }

    /// The attempt has its place in the pool.
    void has_place() {
        if (lane_ != nullptr) lane_->attempt_runs(timers_.now());
    }
    /// Whether `call_hook` is to be called first: somebody may change the request of each attempt.
    bool has_hook() const noexcept {
        return begin_.policy.hook() != nullptr || begin_.what.sink() != nullptr;
    }
    asio::awaitable<error_code> call_hook();
    /// Begins to use the lease's connection.
    void begin_exchange();
    /// Whether it takes `exchange_at_length` and not a simple write and read.
    bool is_long() const noexcept { return is_long_; }
    /// Precondition: the awaiting coroutine does not throw when it is cancelled.
    asio::awaitable<error_code> exchange_at_length(steady_time deadline);
    /// Whether `decode` comes between a response and the end of its attempt.
    bool may_be_encoded() const noexcept { return notice_.accepts_codings && !delivered_; }
    /// As `exchange_at_length`. A response that cannot be decoded is none.
    asio::awaitable<error_code> decode(steady_time deadline);
    asio::const_buffer unsent() const noexcept { return asio::buffer(wire_.bytes) + sent_; }
    std::size_t& sent() noexcept { return sent_; }

private:
    error_code prepare();
    error_code prepare_body();
    void make_wire(const request& r);
    void watch();
    void count_attempt();
    bool follow_redirect();
    bool drop_expectation();
    void begin_round();
    retry_policy shaped(const retry_policy& p) const { return lane_ ? lane_->shape(p) : p; }
    attempt_facts facts() const noexcept;
    void receive();
    verdict judge_response(attempt_facts known);
    verdict judge_error(const error_code& ec, attempt_facts known);
    void obey(const server_word& said, verdict& v) const;
    verdict judge_length(verdict v, const error_code& ec) const;
    void take_quota();
    void remember_address(const verdict& v, steady_time now);
    void keep_history(retry_report report);
    void tell_end(const retry_report& report);
    fetch_result finish(reason why);
    fetch_result fail(reason why, const error_code& ec);

    client_state& state_;
    timer_service& timers_;
    fetch_lane* const lane_;
    fetch_start& begin_;  // of this hop
    wire_request& wire_;
    retry_policy retry_;  // of this hop
    call_share own_share_;
    call_share& share_;
    std::optional<retry_call> call_;
    attempt_gate gate_;
    pool_lease lease_;
    std::optional<response> last_;

    std::size_t sent_ = 0;
    body_notice notice_;
    std::optional<body_feed> feed_;
    std::optional<std::string> plain_;  // of an encoded body
    bool is_long_ = false;
    bool sent_all_ = false;     // of a long exchange
    bool delivered_ = false;    // by the sink
    bool has_written_ = false;  // into the sink
    bool own_fault_ = false;    // of source, sink or hook
    std::optional<nanoseconds> proxy_wait_;
    connection_wish wish_ = connection_wish::any;
    shared_text failed_at_;
    bool on_reused_ = false;
    bool counts_attempts_ = false;  // in a field of the request

    const unsigned max_redirects_;
    // Of the rounds before this one: hops of a redirection, and those begun anew.
    std::vector<attempt_record> history_;
    std::size_t forgotten_ = 0;
    nanoseconds elapsed_{0};
    unsigned attempts_ = 0;
    unsigned rounds_ = 0;
    unsigned hops_ = 0;
    bool expects_continue_ = true;  // where the request says so
    bool renewed_ = false;
    error_code failure_;  // that ends the call outside of any attempt
};

}  // namespace asio_retry::http::detail

#endif
