// SPDX-License-Identifier: BSL-1.0
#include "http/response_reader.hpp"

#include <asio_retry/http/error.hpp>

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace asio_retry::http::detail {

namespace beast_http = boost::beast::http;

namespace {

constexpr unsigned max_informational = 16;
constexpr std::size_t large_read = std::size_t{64} * 1024;

/// Beast says precisely what is malformed; the limits are the policy's.
error_code translate(const error_code& ec) {
    if (ec == beast_http::error::header_limit) return error::header_too_large;
    if (ec == beast_http::error::body_limit) return error::body_too_large;
    return ec;
}

}  // namespace

void response_reader::begin(request_method m, const fetch_policy& policy) {
    body_limit_ = policy.max_body_size();
    header_limit_ =
        std::min<std::size_t>(policy.max_header_size(), std::numeric_limits<std::uint32_t>::max());
    method_ = m;
    informational_ = 0;
    started_ = pauses_ = false;
    restart();
}

void response_reader::restart() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(header_limit_));
    parser_->body_limit(body_limit_);
    if (method_ == request_method::head) parser_->skip(true);
    final_ = done_ = false;
}

error_code response_reader::take(read_buffer& input) {
    started_ = started_ || input.size() != 0;
    while (!done_ && input.size() != 0) {
        error_code ec;
        input.consume(parser_->put(input.data(), ec));
        if (ec == beast_http::error::need_more) {
            // Chunk extensions and trailers, too, are only understood in one piece.
            return input.size() > header_limit_ ? error::header_too_large : error_code();
        }
        if (ec) return translate(ec);
        if (!final_ && parser_->is_header_done()) {
            if (status() / 100 == 1 && status() != 101) {
                if (++informational_ > max_informational) return error::too_many_informational;
                restart();
                continue;
            }
            if (const error_code fault = check_header()) return fault;
            final_ = true;
            parser_->eager(true);
        }
        done_ = parser_->is_done();
        if (pauses_ && final_) {
            pauses_ = false;
            break;
        }
    }
    return {};
}

void response_reader::pause_behind_head() {
    pauses_ = true;
    body_limit_ = std::numeric_limits<std::uint64_t>::max();
    parser_->body_limit(body_limit_);
}

error_code response_reader::limit_body(std::uint64_t most) {
    if (body_size().value_or(0) > most) return error::body_too_large;
    parser_->body_limit(most);
    return {};
}

void response_reader::move_body(std::string& out) {
    out.clear();
    std::swap(out, parser_->get().body());
}

std::optional<std::uint64_t> response_reader::body_size() const {
    const auto size = parser_->content_length();
    return size ? std::optional<std::uint64_t>(*size) : std::nullopt;
}

response response_reader::head(const std::string& url) const {
    const auto& message = parser_->get();
    std::string reason(message.reason());
    return response(
        message.result_int(), message.version(), std::move(reason), message.base(), {}, url);
}

error_code response_reader::take_end(const read_buffer&) {
    if (!started_) return error::no_response;
    if (!parser_->got_some() || !parser_->is_header_done()) return error::incomplete_response;
    error_code ec;
    parser_->put_eof(ec);
    if (ec == beast_http::error::partial_message) return error::incomplete_response;
    if (ec) return translate(ec);
    done_ = true;
    return {};
}

/// What Beast lets pass: a Transfer-Encoding that does not end in chunked, with which nobody can tell
/// where the body ends (RFC 9112 6.1), and statuses that are none.
error_code response_reader::check_header() const {
    if (status() == 101) return error::unexpected_upgrade;
    if (status() < 100) return error::malformed_response;
    const bool encoded = headers().count(beast_http::field::transfer_encoding) != 0;
    if (encoded && !parser_->chunked()) return error::malformed_response;
    return {};
}

std::size_t response_reader::wanted() const {
    constexpr std::size_t least = read_buffer::usual_size / 4;
    if (!final_) return least;
    const auto left = parser_->content_length_remaining();
    if (!left || *left <= read_buffer::usual_size) return least;
    return static_cast<std::size_t>(std::min<std::uint64_t>(*left, large_read));
}

bool response_reader::keep_alive() const {
    // RFC 9112 6.1: chunked in HTTP/1.0 is a fault that must cost the connection.
    return parser_->keep_alive() && !(parser_->chunked() && parser_->get().version() < 11);
}

response response_reader::release(std::string url) {
    auto message = parser_->release();
    const unsigned version = message.version();
    const unsigned code = message.result_int();
    std::string reason(message.reason());
    std::string body = std::move(message.body());
    response::fields& fields = message.base();
    return response(
        code, version, std::move(reason), std::move(fields), std::move(body), std::move(url));
}

}  // namespace asio_retry::http::detail
