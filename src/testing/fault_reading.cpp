// The half of a fault_connection that reads requests.
// SPDX-License-Identifier: BSL-1.0
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include <testing/fault_connection.hpp>

#include <utility>

namespace asio_retry::testing::detail {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::string_view echo_prefix = "/.echo";
constexpr std::uint32_t head_limit = 32 * 1024;
constexpr std::size_t body_piece_size = 64 * 1024;

/// The target without its query; what is not printable ASCII is escaped, for logs and for JSON.
std::string path_of(std::string_view target) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string path;
    for (const char c : target.substr(0, target.find('?'))) {
        if (c > 0x20 && c < 0x7f) {
            path += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            path += '%';
            path += digits[byte >> 4];
            path += digits[byte & 15];
        }
    }
    return path;
}

}  // namespace

asio::awaitable<fault_connection::error_code> fault_connection::read_more() {
    link_->expect_within(server_->idle_timeout);
    const auto result = co_await link_->read_some(buffer_.prepare(read_size));
    buffer_.commit(result.bytes);
    co_return result.error;
}

asio::awaitable<fault_connection::error_code> fault_connection::read_head() {
    parser_.emplace();
    parser_->header_limit(head_limit);
    parser_->body_limit(boost::none);  // ours is read_body's, which answers with a 413
    for (;;) {
        error_code error = http::error::need_more;
        if (buffer_.size() > 0) buffer_.consume(parser_->put(buffer_.data(), error));
        if (error != http::error::need_more) co_return error;
        const bool nothing = buffer_.size() == 0 && !parser_->got_some();
        const auto failed = co_await read_more();
        if (failed) {
            co_return error_code(nothing ? http::error::end_of_stream
                                         : http::error::partial_message);
        }
    }
}

void fault_connection::note_head() {
    const auto& head = parser_->get();
    const auto target = head.target();
    method_ = std::string(head.method_string());
    path_ = path_of({target.data(), target.size()});
    keep_alive_ = parser_->keep_alive();
    expects_continue_ =
        head.version() >= 11 && boost::beast::iequals(head[http::field::expect], "100-continue");
    const auto length = parser_->content_length();
    too_large_ = length && *length > server_->body_limit;
    is_success_ = false;
    echo_.reset();
    if (path_.starts_with(echo_prefix)) echo_.emplace();
}

asio::awaitable<fault_connection::error_code> fault_connection::read_body() {
    parser_->eager(true);
    piece_.resize(body_piece_size);
    std::uint64_t size = 0;
    error_code error;  // the head's packet may have brought some of the body
    while (!parser_->is_done()) {
        if (error == http::error::need_more || buffer_.size() == 0) {
            error = co_await read_more();
            if (error) co_return error;
        }
        auto& body = parser_->get().body();
        body.data = piece_.data();
        body.size = piece_.size();
        error = {};
        buffer_.consume(parser_->put(buffer_.data(), error));
        if (error == http::error::need_buffer) error = {};
        const auto taken = piece_.size() - body.size;
        size += taken;
        if (echo_) echo_->append({piece_.data(), taken});
        too_large_ = size > server_->body_limit;
        if (too_large_) co_return error_code(http::error::body_limit);
        if (error && error != http::error::need_more) co_return error;
    }
    co_return error_code();
}

}  // namespace asio_retry::testing::detail
