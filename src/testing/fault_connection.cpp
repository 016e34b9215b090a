// SPDX-License-Identifier: BSL-1.0
#include <boost/beast/http/error.hpp>

#include <testing/fault_connection.hpp>

#include <algorithm>
#include <utility>

namespace asio_retry::testing::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::string_view stats_path = "/.stats";
constexpr std::uint64_t response_piece_size = 64 * 1024;

std::string chunk(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string size;
    for (auto left = bytes.size(); left > 0; left /= 16) size.insert(0, 1, digits[left % 16]);
    return size + "\r\n" + std::string(bytes) + "\r\n";
}

}  // namespace

fault_connection::fault_connection(std::shared_ptr<fault_link> link,
                                   std::shared_ptr<fault_server_state> server)
    : link_(std::move(link)), server_(std::move(server)) {}

asio::awaitable<void> fault_connection::run(std::shared_ptr<fault_connection> self) {
    self->server_->counts.connection();
    self->link_->expect_within(self->server_->idle_timeout);
    const auto error = co_await self->link_->handshake();
    if (error) co_return;
    auto then = next::request;
    while (then == next::request) then = co_await self->exchange();
}

asio::awaitable<fault_connection::next> fault_connection::exchange() {
    const auto unread = co_await read_head();
    if (unread == http::error::end_of_stream) co_return co_await finish();
    if (unread) co_return co_await refuse(unread);
    note_head();
    if (path_ == stats_path) co_return co_await answer_stats();

    ordinal_ = server_->counts.request(method_, path_);
    auto decision = server_->plan.decide(method_, path_, ordinal_);
    if (too_large_) decision.what = fault::status(413);
    const bool early = too_large_ || (expects_continue_ && decision.what.code() >= 400);
    if (early) {
        keep_alive_ = false;
    } else {
        error_code failed;
        if (expects_continue_) {
            failed = co_await emit("HTTP/1.1 100 Continue\r\n\r\n", {});
            if (failed) co_return next::end;
        }
        failed = co_await read_body();
        if (too_large_) {
            decision.what = fault::status(413);
            keep_alive_ = false;
        } else if (failed) {
            log("the request broke off: " + failed.message());
            co_return co_await finish();
        } else {
            server_->counts.received(method_, path_);
        }
    }
    const auto queued = server_->line.take(std::chrono::steady_clock::now() - server_->start);
    co_await link_->pause(decision.latency + queued);
    co_return co_await meet(std::move(decision));
}

asio::awaitable<fault_connection::next> fault_connection::refuse(error_code why) {
    server_->counts.malformed();
    method_.clear();
    ordinal_ = 0;
    is_success_ = false;
    log("not a request: " + why.message());
    const int status = why == http::error::header_limit ? 431 : 400;
    response message(status, response_body(why.message() + "\n"));
    message.keep_alive = false;
    const auto interval = std::chrono::nanoseconds(0);
    co_await send(std::move(message), true, interval);
    co_return co_await finish();
}

asio::awaitable<fault_connection::next> fault_connection::answer_stats() {
    const auto failed = co_await read_body();
    if (failed) co_return co_await finish();
    response message;
    message.keep_alive = keep_alive_;
    if (method_ == "GET" || method_ == "HEAD") {
        message.content_type = "application/json";
        message.body = response_body(to_json(server_->counts.snapshot()));
    } else if (method_ == "DELETE") {
        server_->counts.clear();
        message.status = 204;
    } else {
        message.status = 405;
        message.extra_fields = "Allow: GET, HEAD, DELETE\r\n";
        message.body = response_body("/.stats knows GET, HEAD and DELETE\n");
    }
    const auto interval = std::chrono::nanoseconds(0);
    const auto unsent = co_await send(std::move(message), true, interval);
    if (unsent || !keep_alive_) co_return co_await finish();
    co_return next::request;
}

asio::awaitable<fault_connection::next> fault_connection::meet(fault_decision decision) {
    const auto what = decision.what;
    const bool is_slow = what.kind() == fault_kind::drip;
    const bool is_cut =
        what.kind() == fault_kind::truncate || what.kind() == fault_kind::stall_body;
    const bool is_plain = what.kind() == fault_kind::none ||
                          (what.kind() == fault_kind::status && what.code() / 100 == 2);
    if (!is_plain) server_->counts.faulted(method_, path_, what);
    log(what.kind() == fault_kind::none ? "200" : what.name());
    if (what.kind() == fault_kind::reset) {
        link_->reset();
        co_return next::end;
    }
    if (what.kind() == fault_kind::close) co_return co_await finish();
    if (what.kind() != fault_kind::stall) {
        auto message = make_response(decision);
        const auto interval =
            is_slow ? decision.behaviour->drip_interval : std::chrono::nanoseconds(0);
        is_success_ = message.status / 100 == 2 && !is_cut;
        keep_alive_ = message.keep_alive;
        const auto unsent = co_await send(std::move(message), !is_cut, interval);
        if (unsent) co_return co_await finish();
    }
    if (what.kind() == fault_kind::stall || what.kind() == fault_kind::stall_body) {
        co_await silence();
    }
    if (keep_alive_ && !is_cut) co_return next::request;
    co_return co_await finish();
}

asio::awaitable<void> fault_connection::silence() {
    keep_alive_ = false;
    buffer_.clear();
    link_->expect_within({});
    for (;;) {
        const auto result = co_await link_->read_some(buffer_.prepare(read_size));
        if (result.error) co_return;
    }
}

response fault_connection::make_response(const fault_decision& decision) {
    const auto& told = *decision.behaviour;
    response message;
    message.status = decision.what.code();
    message.keep_alive = keep_alive_;
    if (parser_->get().version() < 11 && keep_alive_) {
        message.extra_fields = "Connection: keep-alive\r\n";
    }
    const bool hint = message.status == 429 || message.status == 503 || message.status / 100 == 3;
    if (hint && !told.retry_after.empty()) {
        message.extra_fields += "Retry-After: " + told.retry_after + "\r\n";
    }
    if (message.status >= 400) {
        message.body = response_body(std::to_string(message.status) + " " +
                                     std::string(reason_phrase(message.status)) +
                                     ", as scripted for request " + std::to_string(ordinal_) +
                                     " of " + method_ + " " + path_ + "\n");
        return message;
    }
    message.chunked = told.chunked && parser_->get().version() >= 11;
    if (echo_) {
        message.content_type = "application/json";
        message.body = response_body(echo_->to_json(parser_->get().base()));
    } else {
        message.body = told.body_is_pattern ? response_body::pattern(told.body_size)
                                            : response_body(told.body);
    }
    return message;
}

asio::awaitable<fault_connection::error_code> fault_connection::send(
    response message, bool whole, std::chrono::nanoseconds interval) {
    const bool has_body = message.status_has_body() && method_ != "HEAD";
    if (!whole) {
        message.keep_alive = keep_alive_;  // the cut comes as a surprise
        // There must be something to hold back.
        if (has_body && message.body.size() < 2) message.body = response_body::pattern(16);
    }
    std::string bytes = message.head();
    if (!has_body) {
        if (!whole) bytes.resize(bytes.size() / 2);
        co_return co_await emit(bytes, interval, true);
    }
    const auto size = whole ? message.body.size() : message.body.size() / 2;
    for (std::uint64_t sent = 0; sent < size;) {
        const auto piece = message.body.piece(sent, std::min(size - sent, response_piece_size));
        sent += piece.size();
        bytes += message.chunked ? chunk(piece) : std::string(piece);
        if (sent == size) break;
        const auto failed = co_await emit(bytes, interval);
        if (failed) co_return failed;
        bytes.clear();
    }
    if (message.chunked && whole) bytes += "0\r\n\r\n";
    co_return co_await emit(bytes, interval, true);
}

asio::awaitable<fault_connection::error_code> fault_connection::emit(
    std::string_view bytes, std::chrono::nanoseconds interval, bool last) {
    const auto step = interval.count() > 0 ? std::size_t{1} : bytes.size();
    error_code failed;
    for (std::size_t at = 0; at < bytes.size() && !failed; at += step) {
        if (at > 0) co_await link_->pause(interval);
        // Counted before the last bytes go out, so that whoever has received them finds it counted.
        const bool counts = is_success_ && last && bytes.size() - at <= step;
        if (counts) server_->counts.succeeded(method_, path_);
        link_->expect_within(server_->idle_timeout);
        failed = co_await link_->write(bytes.substr(at, step));
        if (counts && failed) server_->counts.not_succeeded(method_, path_);
    }
    co_return failed;
}

asio::awaitable<fault_connection::next> fault_connection::finish() {
    co_await link_->finish();
    co_return next::end;
}

void fault_connection::log(std::string_view what) {
    if (!server_->log) return;
    const auto number = ordinal_ == 0 ? "" : " #" + std::to_string(ordinal_);
    server_->log((method_.empty() ? "-" : method_ + " " + path_) + number + ": " +
                 std::string(what));
}

}  // namespace asio_retry::testing::detail
