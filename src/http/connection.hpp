// One connection to an origin, plain or TLS, with what it keeps from one response to the next.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_CONNECTION_HPP
#define ASIO_RETRY_SRC_HTTP_CONNECTION_HPP

#include "http/core.hpp"
#include "http/read_buffer.hpp"
#include "http/response_reader.hpp"
#include "http/terminal_cancellation.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace asio_retry::http::detail {

class origin_tag;
class age_tag;

/// The places of an idle connection in the pool's lists.
using origin_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<origin_tag>>;
using age_hook = boost::intrusive::list_base_hook<boost::intrusive::tag<age_tag>>;

class origin;

/// Of TCP, or of a Unix domain.
using stream_socket = asio::generic::stream_protocol::socket;

class connection : public origin_hook, public age_hook {
public:
    using tls_stream = asio::ssl::stream<stream_socket&>;

    /// `blocks` are for its input, see `read_buffer`.
    connection(stream_socket socket,
               shared_text remote,
               steady_time now,
               block_store* blocks = nullptr)
        : socket_(std::move(socket)), input_(blocks), remote_(std::move(remote)), opened_(now) {}
    /// Says good-bye to a TLS peer (close_notify) if nothing is under way; waits for nothing.
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    stream_socket& socket() noexcept { return socket_; }
    int native_handle() { return socket_.native_handle(); }
    /// "127.0.0.1:8080", "unix:/run/server.sock"
    const shared_text& remote() const noexcept { return remote_; }
    steady_time opened() const noexcept { return opened_; }

    bool is_tls() const noexcept { return tls_.has_value(); }
    tls_stream& start_tls(asio::ssl::context& context) { return tls_.emplace(socket_, context); }

    read_buffer& input() noexcept { return input_; }
    response_reader& reader() noexcept { return reader_; }

    template <typename Buffers, typename Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            [this](auto handler, const Buffers& b) {
                if (tls_) {
                    tls_->async_write_some(b, to_tls(std::move(handler)));
                } else {
                    socket_.async_write_some(b, std::move(handler));
                }
            },
            token,
            buffers);
    }

    template <typename Token>
    auto async_read_some(const asio::mutable_buffer& buffer, Token&& token) {
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            [this](auto handler, const asio::mutable_buffer& b) {
                if (tls_) {
                    tls_->async_read_some(b, to_tls(std::move(handler)));
                } else {
                    socket_.async_read_some(b, std::move(handler));
                }
            },
            token,
            buffer);
    }

    /// Precondition: `is_tls()`.
    template <typename Token>
    auto async_handshake(Token&& token) {
        return asio::async_initiate<Token, void(error_code)>(
            [this](auto handler) {
                tls_->async_handshake(asio::ssl::stream_base::client, to_tls(std::move(handler)));
            },
            token);
    }

    /// Writes or reads what goes at once, without TLS. `would_block` if nothing does.
    std::size_t write_now(const asio::const_buffer& bytes, error_code& ec);
    std::size_t read_now(const asio::mutable_buffer& room, error_code& ec);

    /// Whether something is there to be read, or the peer has closed. Without TLS.
    bool is_readable() noexcept;

    /// Whether it can serve again: the peer has neither closed it nor sent what nobody asked for.
    bool is_quiet() noexcept;

    /// Whether it had been used before.
    bool begin_use() noexcept {
        at_rest_ = false;
        return std::exchange(used_, true);
    }
    /// The request has been sent, and its response read, to their ends.
    void end_use() noexcept { at_rest_ = true; }

    /// Whether the response that has been read leaves it fit for another.
    bool can_serve_again() const {
        return reader_.done() && reader_.keep_alive() && input_.size() == 0;
    }

    /// Whether its host has other addresses.
    bool has_alternatives = false;

    /// For the pool.
    steady_time idle_since{};
    class origin* home = nullptr;

private:
    template <typename Handler>
    auto to_tls(Handler handler) {
        return terminal_cancellation<Handler>(std::move(handler), cancel_tls_);
    }

    stream_socket socket_;
    std::optional<tls_stream> tls_;
    asio::cancellation_signal cancel_tls_;
    read_buffer input_;
    response_reader reader_;
    shared_text remote_;
    steady_time opened_;
    bool used_ = false;
    bool at_rest_ = false;
};

}  // namespace asio_retry::http::detail

#endif
