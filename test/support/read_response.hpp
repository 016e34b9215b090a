// What the reader makes of a text, in whatever pieces the text arrives.
#pragma once

#include "http/response_reader.hpp"
#include <asio_retry/http/error.hpp>

#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

namespace asio_retry::test {

/// whole before the end of the connection, whole by it, cut by it, or refused.
enum class reading_end { whole, to_end, cut, refused };

class reading {
public:
    using fields = http::response::fields;

    reading_end how = reading_end::cut;
    unsigned status = 0;
    std::string reason;
    std::string body;
    /// Of what was cut or refused.
    error_code error;
    bool keep_alive = false;
    fields headers;

    bool is_response() const { return how == reading_end::whole || how == reading_end::to_end; }
    friend bool operator==(const reading& a, const reading& b) {
        return a.how == b.how && a.status == b.status && a.reason == b.reason && a.body == b.body &&
               a.error == b.error && a.keep_alive == b.keep_alive;
    }
};

/// Reads one response; the connection ends where the text does.
class response_reading {
public:
    using method = http::detail::response_reader::request_method;

    explicit response_reading(const http::fetch_policy& policy = {}, method m = method::other) {
        reader_.begin(m, policy);
    }

    /// From now on the body is moved away as it comes.
    void move_body() {
        reader_.pause_behind_head();
        moves_ = true;
    }

    /// Whether there is a use in more of it.
    bool feed(std::string_view piece) {
        if (piece.empty() || reader_.done() || result_.error) return !reader_.done();
        const auto room = input_.prepare(piece.size());
        std::memcpy(room.data(), piece.data(), piece.size());
        input_.commit(piece.size());
        result_.error = reader_.take(input_);
        if (moves_ && !result_.error && reader_.has_status()) {
            // The first take may have stopped behind the head.
            result_.error = reader_.take(input_);
            std::string part;
            reader_.move_body(part);
            moved_ += part;
        }
        if (result_.error) result_.how = reading_end::refused;
        if (reader_.done()) result_.how = reading_end::whole;
        return !reader_.done() && !result_.error;
    }

    reading end() {
        if (!reader_.done() && !result_.error) {
            result_.error = reader_.take_end(input_);
            const bool cut = result_.error == http::error::incomplete_response ||
                             result_.error == http::error::no_response;
            result_.how = cut             ? reading_end::cut
                          : result_.error ? reading_end::refused
                                          : reading_end::to_end;
        }
        if (result_.is_response()) {
            result_.keep_alive = reader_.keep_alive();
            std::optional<http::response> made;
            reader_.release(nullptr, made);
            result_.status = made->status();
            result_.reason = made->reason_phrase();
            result_.headers = made->headers();
            result_.body = moved_ + std::move(*made).body();
        }
        return result_;
    }

private:
    http::detail::response_reader reader_;
    http::detail::read_buffer input_;
    reading result_;
    std::string moved_;
    bool moves_ = false;
};

using request_method = response_reading::method;

inline reading read_pieces(std::initializer_list<std::string_view> pieces,
                           const http::fetch_policy& policy = {},
                           request_method m = request_method::other) {
    response_reading r(policy, m);
    for (const auto piece : pieces) {
        if (!r.feed(piece)) break;
    }
    return r.end();
}

inline reading read_bytes(std::string_view text,
                          const http::fetch_policy& policy = {},
                          request_method m = request_method::other) {
    response_reading r(policy, m);
    for (std::size_t i = 0; i < text.size() && r.feed(text.substr(i, 1)); ++i) {
    }
    return r.end();
}

/// Byte by byte, and as a sink takes it.
inline reading read_moved(std::string_view text,
                          const http::fetch_policy& policy = {},
                          request_method m = request_method::other) {
    response_reading r(policy, m);
    r.move_body();
    for (std::size_t i = 0; i < text.size() && r.feed(text.substr(i, 1)); ++i) {
    }
    return r.end();
}

}  // namespace asio_retry::test
