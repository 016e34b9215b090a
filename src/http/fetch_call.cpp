// SPDX-License-Identifier: BSL-1.0
#include "http/fetch_call.hpp"

#include "http/idempotency.hpp"
#include "http/redirect.hpp"
#include "http/server_word.hpp"
#include <asio_retry/http/error.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace asio_retry::http::detail {

namespace {

constexpr unsigned misdirected_request = 421;

}  // namespace

error_code fetch_call::prepare() {
    if (const error_code ec = parse_target(request_.url(), target_)) return ec;
    if (const error_code ec = check_request(request_)) return ec;
    if (!is_field_value(state_.config.user_agent())) return error::invalid_header;
    if (hops_ == 0 && needs_key(request_, policy_)) key_ = make_idempotency_key();
    const bool own_key = !key_.empty() && !is_idempotent_method(request_.method());
    wire_ = serialize(
        request_, target_, state_.config.user_agent(), own_key ? key_ : request_.idempotency_key());
    const std::string& counter = policy_.attempt_header();
    counts_attempts_ = !counter.empty() && request_.headers().count(counter) == 0;
    return {};
}

std::string fetch_call::operation() const {
    const std::string& method = request_.method();
    if (!is_token(method)) return target_.display;
    return target_.display.empty() ? method : method + " " + target_.display;
}

retry_action fetch_call::start(bool cancelled) {
    failure_ = prepare();
    if (failure_) return retry_action::finish(reason::permanent_failure);
    if (cancelled) {
        failure_ = asio::error::operation_aborted;
        return retry_action::finish(reason::cancelled);
    }
    if (retry_.observer()) retry_.name(operation());
    call_.emplace(retry_);
    return call_->start(timers_.now());
}

steady_time fetch_call::begin_attempt() {
    sent_ = 0;
    on_reused_ = false;
    const attempt a = call_->begin_attempt();
    unsigned number = a.number();
    if (lane_ != nullptr && hops_ == 0) number = lane_->number_in_hop(number);
    if (counts_attempts_ && number > 1) {
        wire_.last_field(policy_.attempt_header(), std::to_string(number));
    }
    return a.deadline();
}

steady_time fetch_call::connect_deadline(steady_time attempt_deadline) const {
    return std::min(attempt_deadline, saturating_add(timers_.now(), policy_.connect_timeout()));
}

void fetch_call::begin_exchange() {
    connection& c = *lease_.get();
    on_reused_ = c.begin_use();
    remote(c.remote());
    c.reader().begin(request_.method() == "HEAD" ? response_reader::request_method::head
                                                 : response_reader::request_method::other,
                     policy_);
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
    verdict v = ec ? judge_error(request_, policy_, ec, known) : take_response(known);
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
    if (lane_ != nullptr) lane_->attempt_ended(stale);
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
    last_ = lease_.get()->reader().release(target_.display);
    const unsigned status = last_->status();
    call_->record().status = static_cast<int>(status);
    server_word said;
    if (status >= 400) said = server_word_of(last_->headers(), std::chrono::system_clock::now());
    verdict v = judge_response(request_, policy_, status, said.wait, known);
    if (said.forbids_retry && policy_.server_veto() == server_veto::obeyed && v.is_failure()) {
        v.forbid_retry(reason::permanent_failure);
    }
    return v;
}

retry_action fetch_call::wait_done(bool cancelled) {
    const steady_time now = timers_.now();
    return cancelled ? call_->cancel(now) : call_->wait_done(now);
}

bool fetch_call::follow_redirect(reason why) {
    if (why != reason::success || policy_.max_redirects() == 0 || !last_) return false;
    hop leads = next_hop(request_, target_, last_->status(), last_->headers());
    if (!leads.error && !leads.next) return false;
    failure_ = leads.error;
    if (!failure_ && hops_ == policy_.max_redirects()) failure_ = error::too_many_redirects;
    if (failure_) return false;
    ++hops_;
    request_ = std::move(*leads.next);
    retry_.deadline(call_->deadline()).total_timeout(retry_policy::unlimited);
    keep_history(call_->take_report(reason::success));
    if (lane_ != nullptr) lane_->begin_hop(attempts_);
    call_.reset();
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
    if (failure_) return fail(why == reason::success ? reason::permanent_failure : why, failure_);
    const error_code ec = call_->completion_error(why);
    retry_report report = call_->take_report(why);
    if (hops_ == 0) return {std::move(last_), ec, nullptr, std::move(report)};
    const error_code last_error = report.last_error();
    keep_history(std::move(report));
    return {std::move(last_),
            ec,
            nullptr,
            retry_report(why, last_error, attempts_, elapsed_, std::move(history_), forgotten_)};
}

fetch_result fetch_call::fail(reason why, const error_code& ec) {
    if (call_) keep_history(call_->take_report(reason::success));
    retry_report report(why, ec, attempts_, elapsed_, std::move(history_), forgotten_);
    if (retry_.observer()) retry_.observer()->gave_up(operation(), report);
    return {std::move(last_), ec, nullptr, std::move(report)};
}

}  // namespace asio_retry::http::detail
