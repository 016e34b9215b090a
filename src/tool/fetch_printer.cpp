// SPDX-License-Identifier: BSL-1.0
#include <boost/asio/post.hpp>
#include <boost/system/errc.hpp>

#include <tool/fetch_download.hpp>
#include <tool/fetch_failure.hpp>
#include <tool/fetch_head.hpp>
#include <tool/fetch_printer.hpp>
#include <unistd.h>

#include <system_error>
#include <utility>

namespace asio_retry::tool {

fetch_printer::fetch_printer(const fetch_options& options, std::function<void()> broken)
    : options_(options), broken_(std::move(broken)) {
    if (!options.report_file.empty()) report_.emplace(options.report_file);
}

void fetch_printer::print(finished_call call) {
    boost::asio::post(thread_, [this, call = std::move(call)]() mutable { take(std::move(call)); });
}

void fetch_printer::show(std::string text) {
    boost::asio::post(thread_, [this, text = std::move(text)] { say(text); });
}

void fetch_printer::when_done(std::function<void()> done) {
    boost::asio::post(thread_, std::move(done));
}

void fetch_printer::join() { thread_.join(); }

void fetch_printer::say(const std::string& text) noexcept {
    try {
        write_all(STDERR_FILENO, text, interruption_);
    } catch (
        const std::system_error&) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
    }
}

void fetch_printer::take(finished_call call) {
    if (file_of(options_, call.url) != nullptr) {
        save(call);
        call.body.clear();
        call.body.shrink_to_fit();
    }
    const auto index = call.url;
    waiting_.emplace(index, std::move(call));
    for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_; ++next_) {
        print_in_turn(first->second);
        first = waiting_.erase(first);
    }
}

void fetch_printer::print_in_turn(finished_call& call) {
    if (options_.verbose && call.outcome.has_response()) say(quoted_response(call.head));
    if (file_of(options_, call.url) == nullptr) write_body(call);
    explain(call);
    write_report(call);
}

void fetch_printer::save(finished_call& call) {
    if (call.file_error) return fail_file(call, call.file_error);
    if (call.is_saved || !call.outcome.is_2xx()) return;
    const bool head = options_.include_head || options_.head_only;
    try {
        replace_file(*file_of(options_, call.url),
                     {head ? call.head : std::string_view(),
                      options_.head_only ? std::string_view() : call.body},
                     interruption_);
    } catch (const std::system_error& e) {
        call.outcome.output_error = e.code();
        fail_file(call, e.code());
    }
}

void fetch_printer::write_body(finished_call& call) {
    if (!call.outcome.has_response()) return;
    call.outcome.output_error = standard_output_error_;
    if (standard_output_error_) return;
    try {
        if (options_.include_head || options_.head_only)
            write_all(STDOUT_FILENO, call.head, interruption_);
        if (!options_.head_only) write_all(STDOUT_FILENO, call.body, interruption_);
    } catch (const std::system_error& e) {
        standard_output_error_ = e.code();
        call.outcome.output_error = e.code();
        fail("standard output", e.code());
        broken_();
    }
}

void fetch_printer::explain(const finished_call& call) {
    const auto& outcome = call.outcome;
    const bool one_of_many_cancelled =
        outcome.report.reason() == reason::cancelled && options_.urls.size() > 1;
    if (options_.silent || outcome.is_whole() || call.file_error || one_of_many_cancelled) return;
    say("asio-retry: " + failure_text(outcome) + "\n");
    const auto hint = failure_hint(outcome, options_);
    if (!hint.empty() && hints_given_.insert(hint).second) say("  hint: " + hint + "\n");
}

void fetch_printer::write_report(const finished_call& call) {
    if (!report_) return;
    try {
        report_->write(report_line(call.outcome), interruption_);
    } catch (const std::system_error& e) {
        report_.reset();
        fail("the report", e.code());
    }
}

void fetch_printer::fail_file(const finished_call& call, const error_code& why) {
    fail("'" + *file_of(options_, call.url) + "'", why);
}

void fetch_printer::fail(const std::string& what, const error_code& why) {
    failed_ = true;
    // Who interrupted it knows.
    if (why == boost::system::errc::operation_canceled) return;
    say("asio-retry: " + what + " could not be written: " + why.message() + "\n");
}

}  // namespace asio_retry::tool
