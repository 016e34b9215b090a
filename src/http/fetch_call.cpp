// SPDX-License-Identifier: BSL-1.0
#include "http/fetch_call.hpp"

#include "http/idempotency.hpp"
#include "http/redirect.hpp"
#include "http/server_word.hpp"
#include <asio_retry/http/error.hpp>
#include <asio_retry/http/rate_limit.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace asio_retry::http::detail {

namespace {

constexpr unsigned misdirected_request = 421;

}  // namespace

error_code fetch_call::prepare() {
    if (begin_.error) return begin_.error;
    if (const error_code ec = check_request(begin_.what)) return ec;
    if (!is_field_value(state_.config.user_agent())) return error::invalid_header;
    if (hops_ == 0 && needs_key(begin_.what, begin_.policy)) key_ = make_idempotency_key();
    const bool own_key = !key_.empty() && !is_idempotent_method(begin_.what.method());
    wire_ = serialize(begin_.what,
                      begin_.to,
                      state_.config.user_agent(),
                      own_key ? key_ : begin_.what.idempotency_key());
    const std::string& counter = begin_.policy.attempt_header();
    counts_attempts_ = !counter.empty() && begin_.what.headers().count(counter) == 0;
    return {};
}

std::string fetch_call::operation() const {
    const std::string& method = begin_.what.method();
    if (!is_token(method)) return begin_.to.display;
    return begin_.to.display.empty() ? method : method + " " + begin_.to.display;
}

retry_action fetch_call::start(bool cancelled) {
    failure_ = prepare();
    if (failure_) return retry_action::finish(reason::permanent_failure);
    if (cancelled) {
        failure_ = asio::error::operation_aborted;
        return retry_action::finish(reason::cancelled);
    }
    if (retry_.observer()) retry_.name(operation());
    gate_.guard(begin_.endpoint, begin_.policy.pacing() == pacing::on);
    if (lane_ == nullptr && hops_ == 0) {
        begin_.endpoint.counters().calls.fetch_add(1, std::memory_order_relaxed);
    }
    call_.emplace(retry_);
    return call_->start(timers_.now());
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
    const attempt a = call_->begin_attempt();
    begin_.endpoint.counters().attempts.fetch_add(1, std::memory_order_relaxed);
    unsigned number = a.number();
    if (lane_ != nullptr && hops_ == 0) number = lane_->number_in_hop(number);
    if (counts_attempts_ && number > 1) {
        wire_.last_field(begin_.policy.attempt_header(), std::to_string(number));
    }
    return a.deadline();
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

attempt_facts fetch_call::facts() const noexcept {
    const bool all = sent_ == wire_.bytes.size();
    const send_state sent = all          ? send_state::full
                            : sent_ == 0 ? send_state::none
                                         : send_state::partial;
    return {sent, on_reused_, lease_.get() != nullptr && lease_.get()->reader().started()};
}

retry_action fetch_call::end_attempt(error_code ec, bool cancelled) {
    const attempt_facts known = facts();
    attempt_record& record = call_->record();
    record.sent = known.sent;
    record.reused = known.reused;

    const bool reusable = !ec && known.sent == send_state::full && lease_.get()->can_serve_again();
    verdict v = ec ? judge_error(begin_.what, begin_.policy, ec, known) : take_response(known);
    if (v.is_failure() && cancelled) v = failure_kind::cancelled;
    if (v.is_failure() && v.kind() == failure_kind::cancelled && !cancelled) {
        v = failure_kind::permanent;
    }
    const steady_time now = timers_.now();
    const bool misdirected = record.status == misdirected_request;
    const retry_action next =
        call_->end_attempt(now, v, ec, asio_retry::detail::random_of(retry_, timers_));

    const bool stale =
        next.what == retry_action::type::wait && next.source == delay_source::stale_connection;
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

verdict fetch_call::take_response(attempt_facts known) {
    last_ = lease_.get()->reader().release(begin_.to.display);
    const unsigned status = last_->status();
    call_->record().status = static_cast<int>(status);
    server_word said;
    if (status >= 400) said = server_word_of(last_->headers(), std::chrono::system_clock::now());
    verdict v = judge_response(begin_.what, begin_.policy, status, said.wait, known);
    if (said.forbids_retry && begin_.policy.server_veto() == server_veto::obeyed &&
        v.is_failure()) {
        v.forbid_retry(reason::permanent_failure);
    }
    if (begin_.policy.pacing() == pacing::on) take_quota();
    return v;
}

void fetch_call::take_quota() {
    const auto said = rate_limit(last_->headers(), std::chrono::system_clock::now());
    if (!said || !begin_.endpoint) return;
    auto random = asio_retry::detail::random_of(retry_, timers_);
    begin_.endpoint.pacer().told(*said, timers_.now(), random());
}

retry_action fetch_call::wait_done(bool cancelled) {
    const steady_time now = timers_.now();
    return cancelled ? call_->cancel(now) : call_->wait_done(now);
}

bool fetch_call::follow_redirect(reason why) {
    if (why != reason::success || max_redirects_ == 0 || !last_) return false;
    hop leads = next_hop(begin_.what, begin_.to, last_->status(), last_->headers());
    if (!leads.error && !leads.next) return false;
    failure_ = leads.error;
    if (!failure_ && hops_ == max_redirects_) failure_ = error::too_many_redirects;
    if (failure_) return false;
    ++hops_;
    const steady_time deadline = call_->deadline();
    keep_history(call_->take_report(reason::success));
    if (lane_ != nullptr) lane_->begin_hop(attempts_);
    call_.reset();
    begin_.redirect(state_, std::move(*leads.next));
    retry_ = shaped(begin_.policy.retry());
    retry_.deadline(std::min(retry_.deadline(), deadline)).total_timeout(retry_policy::unlimited);
    return true;
}

void fetch_call::keep_history(retry_report report) {
    for (attempt_record r : report.history()) {
        r.number += attempts_;
        r.started += elapsed_;
        history_.push_back(std::move(r));
    }
    forgotten_ += report.forgotten();
    attempts_ += report.attempts();
    elapsed_ += report.elapsed();
    const std::size_t bound = retry_.max_history();
    if (history_.size() <= bound) return;
    const std::size_t surplus = history_.size() - bound;
    history_.erase(history_.begin(), history_.begin() + static_cast<std::ptrdiff_t>(surplus));
    forgotten_ += surplus;
}

fetch_result fetch_call::finish(reason why) {
    if (lane_ == nullptr && begin_.endpoint) count_end(begin_.endpoint.counters(), why);
    if (failure_) return fail(why == reason::success ? reason::permanent_failure : why, failure_);
    const error_code ec = call_->completion_error(why);
    retry_report report = call_->take_report(why);
    if (hops_ == 0) return {std::move(last_), ec, nullptr, std::move(report)};
    const error_code last_error = report.last_error();
    const auto retry_after = report.retry_after();
    keep_history(std::move(report));
    return {
        std::move(last_),
        ec,
        nullptr,
        retry_report(
            why, last_error, attempts_, elapsed_, std::move(history_), forgotten_, retry_after)};
}

fetch_result fetch_call::fail(reason why, const error_code& ec) {
    if (call_) keep_history(call_->take_report(reason::success));
    retry_report report(why, ec, attempts_, elapsed_, std::move(history_), forgotten_);
    if (retry_.observer()) retry_.observer()->gave_up(operation(), report);
    return {std::move(last_), ec, nullptr, std::move(report)};
}

}  // namespace asio_retry::http::detail
