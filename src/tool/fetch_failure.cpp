// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/http/error.hpp>

#include <boost/beast/http/error.hpp>
#include <boost/system/errc.hpp>

#include <tool/credentials.hpp>
#include <tool/duration.hpp>
#include <tool/fetch_failure.hpp>
#include <tool/fetch_request.hpp>

namespace asio_retry::tool {

namespace {

namespace errc = boost::system::errc;

const error_code bad_version = boost::beast::http::error::bad_version;
constexpr const char* proxy_hint = "-x http://USER:PASSWORD@HOST:PORT sends credentials to it";

std::string hint_for_status(const call_outcome& call, const fetch_options& options) {
    if (call.status >= 300 && call.status < 400 && !options.follow && !call.location.empty()) {
        return "it redirects to " + shown_reference(call.location) + "; -L follows";
    }
    if (call.status == 407) return proxy_hint;
    if (call.status == 401) return "-H 'Authorization: ...' sends credentials";
    return {};
}

http::fetch_policy policy_of(const call_outcome& call, const fetch_options& options) {
    return call.policy ? *call.policy : make_policy(options);
}

std::string hint_for_error(const call_outcome& call, const fetch_options& options) {
    const auto& error = call.error;
    if (error.category() == http::certificate_category()) {
        return options.ca_file.empty()
                   ? "--cacert FILE trusts another authority; -k trusts anybody"
                   : "the authorities in '" + options.ca_file + "' do not vouch for this server";
    }
    if (error == http::error::proxy_authentication) return proxy_hint;
    if (error == http::error::too_many_redirects) return "--max-redirs N allows more";
    if (error == http::error::connect_timeout) {
        return "--connect-timeout was " +
               format_duration(policy_of(call, options).connect_timeout());
    }
    if (error.category() == bad_version.category()) {
        return error == bad_version ? "what answered does not speak HTTP/1.1"
                                    : "the server's response is malformed";
    }
    if (error == errc::connection_refused) return "nothing listens there";
    return {};
}

std::string probe_text(const retry_report& report) {
    const auto wait = report.retry_after();
    if (!wait || *wait == std::chrono::nanoseconds::max()) return "its circuit is held open";
    return "it is tried again in " + detail::to_text(*wait);
}

/// As the server wrote it, if it came in a Retry-After.
std::string asked_wait(const call_outcome& call) {
    const auto wait = call.report.retry_after();
    return call.retry_after.empty() && wait ? detail::to_text(*wait)
                                            : "Retry-After: " + call.retry_after;
}

/// A kind of failure may have a limit of its own.
unsigned allowed_attempts(const call_outcome& call, const retry_policy& retry) {
    const auto& history = call.report.history();
    if (history.empty() || !history.back().kind) return retry.max_attempts();
    return retry.on(*history.back().kind).max_attempts().value_or(retry.max_attempts());
}

std::string hint_for_reason(const call_outcome& call, const fetch_options& options) {
    const auto retry = policy_of(call, options).retry();
    switch (call.report.reason()) {
        case reason::not_idempotent:
            return "the server may have acted on this " + call.method +
                   ", so it is not sent twice; --idempotent or --idempotency-key allows it";
        case reason::retry_after_too_long:
            return "the server asked for a longer wait (" + asked_wait(call) +
                   "): --max-retry-after is " + format_duration(retry.max_retry_after()) +
                   ", --max-time " + format_duration(retry.total_timeout());
        case reason::deadline_exceeded:
            return "--max-time D allows more than " + format_duration(retry.total_timeout());
        case reason::attempts_exhausted:
            return "--max-attempts N allows more than " +
                   std::to_string(allowed_attempts(call, retry));
        case reason::budget_exhausted:
            return "the retries of its endpoint have spent what \"retry_budget\" in '" +
                   options.policy_file + "' allows";
        case reason::circuit_open:
            return "its endpoint fails too often; " + probe_text(call.report);
        case reason::queue_full:
            return "\"max_concurrency\" and \"queue\" in '" + options.policy_file + "' allow more";
        default: return {};
    }
}

}  // namespace

std::string failure_text(const call_outcome& call) {
    const auto attempts = call.report.attempts();
    std::string what = call.has_response() ? std::to_string(call.status)
                       : call.error        ? call.error.message()
                                           : "no response";
    const bool ended_well = call.report.reason() == reason::success;
    return call.method + " " + call.url + ": " + what + " after " + std::to_string(attempts) +
           (attempts == 1 ? " attempt in " : " attempts in ") +
           detail::to_text(call.report.elapsed()) +
           (ended_well ? "" : " (" + std::string(to_string(call.report.reason())) + ")");
}

std::string failure_hint(const call_outcome& call, const fetch_options& options) {
    auto hint =
        call.has_response() ? hint_for_status(call, options) : hint_for_error(call, options);
    return hint.empty() ? hint_for_reason(call, options) : hint;
}

}  // namespace asio_retry::tool
