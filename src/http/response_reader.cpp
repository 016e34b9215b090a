// SPDX-License-Identifier: BSL-1.0
#include "http/response_reader.hpp"

#include <asio_retry/http/error.hpp>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>

#include <algorithm>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

namespace asio_retry::http::detail {

namespace beast_http = boost::beast::http;

namespace {

constexpr unsigned max_informational = 16;
/// The empty line at the end of a head, from the end of the line before it; and what some take for
/// one, which is refused.
constexpr std::string_view end_of_head = "\n\r\n";
constexpr std::string_view bare_end_of_head = "\n\n";
/// Of each byte of a body: what its chunk headers, which a sender is free to pad, may take.
constexpr std::uint64_t max_chunk_overhead = 16;

constexpr auto need_more = beast_http::error::need_more;

/// Beast says precisely what is malformed; the limits are the policy's.
error_code translate(const error_code& ec) {
    if (ec == beast_http::error::header_limit) return error::header_too_large;
    if (ec == beast_http::error::body_limit) return error::body_too_large;
    return ec;
}

std::string_view text_of(const read_buffer& input) noexcept {
    return {static_cast<const char*>(input.data().data()), input.size()};
}

/// What speaks another protocol first is found out at once, not when it falls silent.
bool begins_as_http(std::string_view text) noexcept {
    constexpr std::string_view beginning = "HTTP/1.";
    return text.substr(0, beginning.size()) == beginning.substr(0, text.size());
}

}  // namespace

void response_reader::begin(request_method m, const fetch_policy& policy) {
    body_limit_ = policy.max_body_size();
    header_limit_ =
        std::min<std::size_t>(policy.max_header_size(), std::numeric_limits<std::uint32_t>::max());
    method_ = m;
    informational_ = 0;
    started_ = pauses_ = final_ = done_ = false;
    restart();
}

void response_reader::restart() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(header_limit_));
    parser_->body_limit(body_limit_);
    if (method_ == request_method::head) parser_->skip(true);
    waited_for_ = 0;
}

error_code response_reader::take(read_buffer& input) {
    started_ = started_ || input.size() != 0;
    while (!done_ && input.size() != 0) {
        const error_code ec = final_ ? take_body(input) : take_head(input);
        if (ec == need_more) return {};
        if (ec) return translate(ec);
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
    // What has none, a 304 say, may tell the length of another's (RFC 9110 8.6).
    if (!done_ && body_size().value_or(0) > most) return error::body_too_large;
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
    const auto& m = parsed();
    return response(m.result_int(), m.version(), parser_->reason(), m, {}, url);
}

/// A head is parsed in one piece: else what Beast finds wrong with it, and the limit that Beast
/// keeps, would depend on how it was cut into packets.
error_code response_reader::take_head(read_buffer& input) {
    const std::string_view text = text_of(input);
    if (!begins_as_http(text)) return beast_http::error::bad_version;
    if (waited_for_ != 0 && text.size() < header_limit_) {
        const std::size_t overlap = std::min(waited_for_, end_of_head.size() - 1);
        const std::string_view recent = text.substr(waited_for_ - overlap);
        waited_for_ = text.size();
        if (recent.find(end_of_head) == std::string_view::npos &&
            recent.find(bare_end_of_head) == std::string_view::npos) {
            return need_more;
        }
    }
    error_code ec;
    const std::size_t size = parser_->put(input.data(), ec);
    if (ec == need_more) {
        restart();
        waited_for_ = text.size();
        if (text.size() >= header_limit_) return error::header_too_large;
    }
    if (ec == beast_http::error::body_limit) {
        // By its Content-Length: the head is whole.
        final_ = true;
    }
    if (ec) return ec;
    if (size > header_limit_) return error::header_too_large;
    input.consume(size);
    return end_head();
}

error_code response_reader::end_head() {
    const unsigned status = parsed().result_int();
    if (status / 100 == 1 && status != 101) {
        restart();
        return ++informational_ > max_informational ? error::too_many_informational : error_code();
    }
    if (const error_code fault = check_header()) return fault;
    keep_alive_ = parser_->keep_alive() && !has_doubtful_end();
    parser_->eager(!parser_->chunked());
    overhead_ = body_ = 0;
    final_ = true;
    done_ = parser_->is_done();
    return {};
}

error_code response_reader::take_body(read_buffer& input) {
    // Beast asserts that it has never seen less of a last chunk that is the first as well.
    constexpr std::string_view least_chunk = "0\r\n\r\n";
    if (overhead_ == 0 && parser_->chunked() && input.size() < least_chunk.size()) return need_more;

    const std::size_t before = parsed().body().size();
    error_code ec;
    const std::size_t taken = parser_->put(input.data(), ec);
    input.consume(taken);
    if (ec == need_more) {
        // Chunk headers and trailers, too, are only understood in one piece.
        return input.size() > header_limit_ ? error::header_too_large : ec;
    }
    if (ec) return ec;
    const std::size_t gained = parsed().body().size() - before;
    const std::size_t overhead = taken - gained;
    body_ += gained;
    overhead_ += overhead;
    if (overhead > header_limit_ || overhead_ > header_limit_ + max_chunk_overhead * body_) {
        return error::header_too_large;
    }
    done_ = parser_->is_done();
    return {};
}

error_code response_reader::take_end(const read_buffer& input) {
    if (!started_) return error::no_response;
    error_code ec;
    if (final_) {
        parser_->put_eof(ec);
    } else {
        // Not whole, and perhaps wrong so far as it goes.
        parser_->put(input.data(), ec);
        if (!ec) ec = need_more;
    }
    if (ec == need_more || ec == beast_http::error::partial_message) {
        return error::incomplete_response;
    }
    if (ec) return translate(ec);
    done_ = true;
    return {};
}

/// What Beast lets pass: statuses that are none, and a Transfer-Encoding other than the one that
/// was offered, chunked: nobody could tell where the body ends, or it would be handed over still
/// encoded (RFC 9112 6.1, 7).
error_code response_reader::check_header() const {
    const response::fields& fields = parsed();
    const unsigned status = parsed().result_int();
    if (status == 101) return error::unexpected_upgrade;
    if (status < 100) return error::malformed_response;
    const auto [first, last] = fields.equal_range(beast_http::field::transfer_encoding);
    if (first == last) return {};
    const bool only_chunked =
        std::next(first) == last && boost::beast::iequals(first->value(), "chunked");
    return only_chunked ? error_code() : error::malformed_response;
}

/// Where the peer may think that the message ends elsewhere: a body that comes with a 204, and
/// chunked in HTTP/1.0 (RFC 9112 6.1, 6.3; RFC 9110 8.6). What follows is never taken for a
/// response.
bool response_reader::has_doubtful_end() const {
    if (parsed().result_int() == 204) {
        return parser_->chunked() || parser_->content_length().value_or(0) != 0;
    }
    return parser_->chunked() && parsed().version() < 11;
}

void response_reader::release(std::shared_ptr<const std::string> url,
                              std::optional<response>& out) {
    auto& m = parser_->get();
    out.emplace(m.result_int(),
                m.version(),
                std::move(parser_->reason()),
                std::move(static_cast<response::fields&>(m)),
                std::move(m.body()),
                std::move(url));
}

}  // namespace asio_retry::http::detail
