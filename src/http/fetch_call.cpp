// SPDX-License-Identifier: BSL-1.0
#include "http/fetch_call.hpp"

#include "http/content_encoding.hpp"
#include "http/idempotency.hpp"
#include "http/long_exchange.hpp"
#include "http/round_observer.hpp"
#include <asio_retry/detail/outcome.hpp>
#include <asio_retry/http/attempt_hook.hpp>
#include <asio_retry/http/body_sink.hpp>
#include <asio_retry/http/error.hpp>
#include <asio_retry/http/rate_limit.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace asio_retry::http::detail {

namespace {

constexpr unsigned misdirected_request = 421;

}  // namespace

error_code fetch_call::prepare() {
    if (begin_.error) return begin_.error;
    if (const error_code ec = check_request(begin_.what)) return ec;
    if (!state_.is_user_agent_valid) return error::invalid_header;
    if (needs_key(begin_.what, begin_.policy)) {
        if (share_.key.empty()) share_.key = make_idempotency_key();
        begin_.what.idempotency_key(share_.key);
    }
    if (const error_code ec = prepare_body()) return ec;
    make_wire(begin_.what);
    return {};
}

error_code fetch_call::prepare_body() {
    const request& r = begin_.what;
    notice_ = {};
    if (r.source()) {
        error_code ec;
        notice_.length = r.source()->length(ec);
        if (ec) return ec;
        if (!r.source()->can_be_read()) return error::body_not_replayable;
    }
    const bool has_body = r.source() || !r.body().empty();
    notice_.expects_continue =
        expects_continue_ && has_body && r.expect_continue() != nanoseconds::zero();
    notice_.accepts_codings =
        begin_.policy.compressed() == compression::on && (!r.sink() || !r.sink()->wants_encoded());
    is_long_ =
        r.source() || r.sink() || notice_.expects_continue || r.body().size() >= long_request;
    return {};
}

void fetch_call::make_wire(const request& r) {
    wire_ = serialize(r,
                      *begin_.to,
                      state_.config.user_agent(),
                      begin_.what.idempotency_key(),
                      notice_,
                      std::move(wire_.bytes));
    const std::string& counter = begin_.policy.attempt_header();
    counts_attempts_ = !counter.empty() && r.headers().count(counter) == 0;
}

std::string fetch_call::operation() const {
    const std::string& method = begin_.what.method();
    if (!is_token(method)) return begin_.to->display;
    return begin_.to->display.empty() ? method : method + " " + begin_.to->display;
}

retry_action fetch_call::start(bool cancelled) {
    if (cancelled) {
        failure_ = asio::error::operation_aborted;
        return retry_action::finish(reason::cancelled);
    }
    failure_ = prepare();
    if (failure_ == error::body_not_replayable) {
        return retry_action::finish(reason::body_not_replayable);
    }
    if (failure_) return retry_action::finish(reason::permanent_failure);
    if (begin_.policy.retry().observer()) watch();
    gate_.guard(begin_.endpoint, begin_.policy.pacing() == pacing::on);
    if (lane_ == nullptr && rounds_ == 0) {
        begin_.endpoint.counters().calls.fetch_add(1, std::memory_order_relaxed);
    }
    call_.emplace(retry_);
    return call_->start(timers_.now());
}

void fetch_call::watch() {
    retry_.name(operation());
    if (lane_ == nullptr && rounds_ == 0) return;
    const nanoseconds started = lane_ != nullptr ? lane_->started() + elapsed_ : elapsed_;
    retry_.observer(std::make_shared<round_observer>(
        begin_.policy.retry().observer(), lane_, attempts_, started));
}

passage fetch_call::enter_gate() {
    const passage p = gate_.pass(timers_.now(), call_->deadline());
    if (p == passage::closed) call_->yield_permit();
    return p;
}

retry_action fetch_call::leave_gate(passage p) {
    const steady_time now = timers_.now();
    switch (p) {
        case passage::cancelled: return call_->cancel(now);
        case passage::full: return call_->refuse(reason::queue_full, now);
        case passage::too_late: return call_->refuse(reason::deadline_exceeded, now);
        case passage::open:
        case passage::closed: break;
    }
    const retry_action next = call_->readmit(now);
    if (next.what == retry_action::type::finish) gate_.leave_unused();
    return next;
}

steady_time fetch_call::begin_attempt() {
    sent_ = 0;
    on_reused_ = false;
    proxy_wait_.reset();
    plain_.reset();
    sent_all_ = delivered_ = own_fault_ = false;
    const attempt a = call_->begin_attempt();
    begin_.endpoint.counters().attempts.fetch_add(1, std::memory_order_relaxed);
    count_attempt();
    return a.deadline();
}

/// In a field of the request, where the policy wants that. A lane's attempts have their numbers
/// from here.
void fetch_call::count_attempt() {
    unsigned number = call_->number();
    if (lane_ != nullptr && rounds_ == 0) number = lane_->number_of(number);
    if (counts_attempts_ && number > 1)
        wire_.last_field(begin_.policy.attempt_header(), std::to_string(number));
}

asio::awaitable<error_code> fetch_call::call_hook() {
    request fresh = begin_.what;
    own_fault_ = true;
    try {
        if (fresh.sink()) fresh.sink()->ask(fresh);
        if (const auto& hook = begin_.policy.hook()) {
            auto pending = hook->before_attempt(fresh, attempts_ + call_->number());
            co_await std::move(pending);
        }
    } catch (...) {
        co_return asio_retry::detail::error_of(std::current_exception());
    }
    if (const error_code ec = check_request(fresh)) co_return ec;
    own_fault_ = false;
    make_wire(fresh);
    count_attempt();
    co_return error_code();
}

steady_time fetch_call::connect_deadline(steady_time attempt_deadline) const {
    return std::min(attempt_deadline,
                    saturating_add(timers_.now(), begin_.policy.connect_timeout()));
}

void fetch_call::begin_exchange() {
    connection& c = *lease_.get();
    on_reused_ = c.begin_use();
    remote(c.remote());
    c.reader().begin(begin_.what.method() == "HEAD" ? response_reader::request_method::head
                                                    : response_reader::request_method::other,
                     begin_.policy);
}

asio::awaitable<error_code> fetch_call::exchange_at_length(steady_time deadline) {
    connection& c = *lease_.get();
    const request& r = begin_.what;
    body_delivery delivery(c, r.sink().get(), begin_.policy, timers_, begin_.to->display);
    if (const auto& watching = begin_.policy.retry().observer())
        delivery.watch(watching.get(), operation());
    feed_.reset();
    if (r.source()) feed_.emplace(*r.source(), notice_.length);
    long_exchange both_ways(c, delivery, unsent(), wire_.head_size, feed_ ? &*feed_ : nullptr);
    if (notice_.expects_continue) both_ways.expect_continue(r.expect_continue());

    auto pending = both_ways.run(deadline);
    const error_code ec = co_await std::move(pending);
    sent_ += both_ways.sent();
    sent_all_ = both_ways.has_sent_all();
    delivered_ = delivery.is_under_way();
    has_written_ = delivery.has_written();
    own_fault_ = both_ways.is_own_fault() || delivery.is_own_fault();
    co_return ec;
}

attempt_facts fetch_call::facts() const noexcept {
    const bool all = sent_ == wire_.bytes.size() && (sent_all_ || !is_long_);
    const send_state sent = all          ? send_state::full
                            : sent_ == 0 ? send_state::none
                                         : send_state::partial;
    const auto& source = begin_.what.source();
    const bool started = lease_.get() != nullptr && lease_.get()->reader().started();
    return {sent, on_reused_, started, source && !source->can_be_read(), share_.has_resent};
}

retry_action fetch_call::end_attempt(error_code ec, bool cancelled) {
    if (!ec) receive();
    const attempt_facts known = facts();
    attempt_record& record = call_->record();
    record.sent = known.sent;
    record.reused = known.reused;

    const bool reusable = !ec && known.sent == send_state::full && lease_.get()->can_serve_again();
    if (!ec && known.sent == send_state::full) lease_.get()->end_use();
    verdict v = ec ? judge_error(ec, known) : judge_response(known);
    if (is_long_ || own_fault_) v = judge_length(v, ec);
    if (v.is_failure() && cancelled) v = failure_kind::cancelled;
    if (v.is_failure() && v.kind() == failure_kind::cancelled && !cancelled) {
        v = failure_kind::permanent;
    }
    const steady_time now = timers_.now();
    const bool misdirected = record.status == misdirected_request;
    remember_address(v, now);
    const retry_action next =
        call_->end_attempt(now, v, ec, asio_retry::detail::random_of(retry_, timers_));

    const bool stale =
        next.what == retry_action::type::wait && next.source == delay_source::stale_connection;
    share_.has_resent = share_.has_resent || stale;
    if (lane_ != nullptr) lane_->attempt_ended(stale, now);
    if (!stale) gate_.leave(v, ec, now);
    wish_ = stale || misdirected ? connection_wish::fresh : connection_wish::any;
    if (reusable && !misdirected) {
        lease_.give_back(now);
    } else if (stale) {
        lease_.close_connection();
    } else {
        lease_.close();
    }
    return next;
}

void fetch_call::receive() {
    response_reader& reader = lease_.get()->reader();
    call_->record().status = static_cast<int>(reader.status());
    // The target's own text, which lives as long as the target does.
    std::shared_ptr<const std::string> url(begin_.to, &begin_.to->display);
    reader.release(std::move(url), last_);
    if (plain_) last_ = with_plain_body(std::move(*last_), std::move(*plain_));
}

verdict fetch_call::judge_response(attempt_facts known) {
    const unsigned status = last_->status();
    server_word said;
    if (status >= 400) said = server_word_of(last_->headers(), std::chrono::system_clock::now());
    verdict v = detail::judge_response(begin_.what, begin_.policy, status, said.wait, known);
    obey(said, v);
    if (begin_.policy.pacing() == pacing::on) take_quota();
    return v;
}

void fetch_call::obey(const server_word& said, verdict& v) const {
    if (said.forbids_retry && begin_.policy.server_veto() == server_veto::obeyed &&
        v.is_failure()) {
        v.forbid_retry(reason::permanent_failure);
    }
}

/// What was streamed has a say of its own.
verdict fetch_call::judge_length(verdict v, const error_code& ec) const {
    if (own_fault_) return failure_kind::permanent;
    if (delivered_ && !ec) return verdict::success();
    const bool taken_back = !has_written_ || begin_.what.sink()->can_begin_again();
    if (v.is_failure() && !taken_back) return failure_kind::permanent;
    return v;
}

void fetch_call::take_quota() {
    const auto said = rate_limit(last_->headers(), std::chrono::system_clock::now());
    if (!said || !begin_.endpoint) return;
    auto random = asio_retry::detail::random_of(retry_, timers_);
    begin_.endpoint.pacer().told(*said, timers_.now(), random());
}

/// For the next attempts, which try others first. A stale connection says nothing of its address.
void fetch_call::remember_address(const verdict& v, steady_time now) {
    failed_at_ = shared_text();
    if (!v.is_failure() || v.is_stale_connection() || call_->record().remote.empty()) return;
    if (v.kind() != failure_kind::connect && v.kind() != failure_kind::timeout &&
        v.kind() != failure_kind::connection_lost) {
        return;
    }
    failed_at_ = call_->record().remote;
    state_.failures.failed(std::string(failed_at_.view()), now);
}

retry_action fetch_call::wait_done(bool cancelled) {
    const steady_time now = timers_.now();
    return cancelled ? call_->cancel(now) : call_->wait_done(now);
}

}  // namespace asio_retry::http::detail
