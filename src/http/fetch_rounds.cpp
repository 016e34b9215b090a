// What follows when the attempts for one request are over: a redirect, a renewed request, or the
// end. SPDX-License-Identifier: BSL-1.0
#include "http/fetch_call.hpp"
#include "http/redirect.hpp"
#include <asio_retry/detail/outcome.hpp>
#include <asio_retry/http/attempt_hook.hpp>
#include <asio_retry/http/error.hpp>

#include <algorithm>
#include <exception>
#include <utility>

namespace asio_retry::http::detail {

namespace {

constexpr unsigned unauthorized = 401;
constexpr unsigned expectation_failed = 417;

}  // namespace

bool fetch_call::goes_on(reason why) {
    if (!last_) return false;
    if (why == reason::success) return max_redirects_ != 0 && follow_redirect();
    return why == reason::permanent_failure && notice_.expects_continue && drop_expectation();
}

bool fetch_call::follow_redirect() {
    hop leads = next_hop(begin_.what,
                         *begin_.to,
                         last_->status(),
                         last_->headers(),
                         state_.config.insecure_redirects());
    if (!leads.error && !leads.next) return false;
    failure_ = leads.error;
    if (!failure_ && hops_ == max_redirects_) failure_ = error::too_many_redirects;
    if (failure_) return false;
    ++hops_;
    begin_round();
    begin_.redirect(state_, std::move(*leads.next));
    const steady_time deadline = retry_.deadline();
    retry_ = shaped(begin_.policy.retry());
    retry_.deadline(std::min(retry_.deadline(), deadline)).total_timeout(retry_policy::unlimited);
    return true;
}

/// RFC 9110 15.5.18: the request is worth a repeat without it.
bool fetch_call::drop_expectation() {
    const auto& source = begin_.what.source();
    if (last_->status() != expectation_failed || (source && !source->can_be_read())) return false;
    expects_continue_ = false;
    begin_round();
    return true;
}

bool fetch_call::may_renew(reason why) noexcept {
    const auto& source = begin_.what.source();
    return begin_.policy.hook() && !renewed_ && why == reason::permanent_failure && last_ &&
           call_ && call_->record().status == unauthorized && !call_->record().error &&
           (!source || source->can_be_read());
}

asio::awaitable<bool> fetch_call::renew() {
    renewed_ = true;
    try {
        auto pending = begin_.policy.hook()->refused(*last_);
        if (!co_await std::move(pending)) co_return false;
    } catch (...) {
        failure_ = asio_retry::detail::error_of(std::current_exception());
        co_return false;
    }
    begin_round();
    co_return true;
}

/// Another `retry_call` follows, under the same deadline and in the same report.
void fetch_call::begin_round() {
    ++rounds_;
    retry_.deadline(call_->deadline()).total_timeout(retry_policy::unlimited);
    keep_history(call_->take_report(reason::success));
    call_.reset();
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

fetch_result fetch_call::finish(reason why, std::string* text) {
    fetch_result result = finish(why);
    if (text != nullptr && result.error()) *text = operation();
    return result;
}

fetch_result fetch_call::finish(reason why) {
    if (lane_ == nullptr && begin_.endpoint) count_end(begin_.endpoint.counters(), why);
    if (failure_) return fail(why == reason::success ? reason::permanent_failure : why, failure_);
    const error_code ec = call_->completion_error(why);
    retry_report report = call_->take_report(why);
    if (rounds_ != 0) {
        const error_code last_error = report.last_error();
        const auto retry_after = report.retry_after();
        keep_history(std::move(report));
        report = retry_report(
            why, last_error, attempts_, elapsed_, std::move(history_), forgotten_, retry_after);
    }
    if (rounds_ != 0 || lane_ != nullptr) tell_end(report);
    return {std::move(last_), ec, nullptr, std::move(report)};
}

/// Of a call that failed, where its `retry_call` has not told of the whole.
void fetch_call::tell_end(const retry_report& report) {
    const auto& watching = begin_.policy.retry().observer();
    if (!watching || report.reason() == reason::success) return;
    if (lane_ != nullptr) {
        lane_->operation = operation();
    } else {
        watching->gave_up(operation(), report);
    }
}

fetch_result fetch_call::fail(reason why, const error_code& ec) {
    if (call_) keep_history(call_->take_report(reason::success));
    retry_report report(why, ec, attempts_, elapsed_, std::move(history_), forgotten_);
    tell_end(report);
    return {std::move(last_), ec, nullptr, std::move(report)};
}

}  // namespace asio_retry::http::detail
