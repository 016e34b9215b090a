// Turns bytes into one response: skips 1xx, keeps the limits, tells whole from cut.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_RESPONSE_READER_HPP
#define ASIO_RETRY_SRC_HTTP_RESPONSE_READER_HPP

#include "http/read_buffer.hpp"
#include "http/response_parser.hpp"
#include <asio_retry/error.hpp>
#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/http/response.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace asio_retry::http::detail {

/// Reads one response at a time. Without I/O: given bytes or their end, it says how far it is.
class response_reader {
public:
    response_reader() = default;
    response_reader(const response_reader&) = delete;
    response_reader& operator=(const response_reader&) = delete;

    enum class request_method : std::uint8_t { head, other };

    /// Begins the response to the next request.
    void begin(request_method m, const fetch_policy& policy);

    /// Takes from `input` what can be understood of it. Once this fails, the response is lost.
    error_code take(read_buffer& input);

    /// The peer will send nothing more than `input`, of which `take` has understood what it could.
    /// No error if that completes the response.
    error_code take_end(const read_buffer& input);

    /// Whether a byte of it has come, be it of a 1xx.
    bool started() const noexcept { return started_; }
    /// Whether it has come so far that its status is known and final.
    bool has_status() const noexcept { return final_; }
    bool done() const noexcept { return done_; }
    /// Precondition of these: `has_status()`. Trailers are dropped: they change nothing (RFC 9110
    /// 6.5.1).
    unsigned status() const noexcept { return parsed().result_int(); }
    const response::fields& headers() const noexcept { return parsed(); }
    /// What has come of it and was not moved away.
    const std::string& body() const noexcept { return parsed().body(); }

    /// Has `take` stop once the final head is there, so that somebody can decide on the body: then
    /// it is `move_body`'d away as it comes, or kept after a `limit_body`. Until that it has no
    /// limit.
    void pause_behind_head();
    /// Keeps the body, of at most so many bytes. Precondition: nothing has been taken of it.
    error_code limit_body(std::uint64_t most);
    /// What has come of the body and has not been moved away yet, in place of what `out` holds.
    void move_body(std::string& out);
    /// How large the whole body is, where the head says so.
    std::optional<std::uint64_t> body_size() const;
    /// The response so far, without its body. Precondition: `has_status()`.
    response head(const std::string& url) const;
    /// Whether a 1xx has come before it.
    bool has_informed() const noexcept { return informational_ != 0; }

    /// How much to make room for. The same for a large body: a larger buffer for each would have
    /// malloc give memory back to the system each time, which costs more than the reads that it
    /// saves.
    static constexpr std::size_t wanted() noexcept { return read_buffer::usual_size / 4; }

    /// Whether the peer keeps the connection open after it. Precondition: `done()`.
    bool keep_alive() const noexcept { return keep_alive_; }

    /// Makes `out` the response. Precondition: `done()`; call once.
    void release(std::shared_ptr<const std::string> url, std::optional<response>& out);

private:
    const response_parser::value_type& parsed() const noexcept { return parser_->get(); }

    void restart();
    error_code take_head(read_buffer& input);
    error_code end_head();
    error_code take_body(read_buffer& input);
    error_code check_header() const;
    bool has_doubtful_end() const;

    std::optional<response_parser> parser_;
    std::uint64_t body_limit_ = 0;
    std::uint64_t overhead_ = 0;
    std::uint64_t body_ = 0;  // what has come of it, moved away or not
    std::size_t header_limit_ = 0;
    std::size_t waited_for_ = 0;
    unsigned informational_ = 0;
    request_method method_ = request_method::other;
    bool keep_alive_ = false;
    bool started_ = false;
    bool final_ = false;
    bool done_ = false;
    bool pauses_ = false;
};

}  // namespace asio_retry::http::detail

#endif
