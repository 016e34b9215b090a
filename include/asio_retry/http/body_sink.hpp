// Takes the body of a response piece by piece as it comes.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_BODY_SINK_HPP
#define ASIO_RETRY_HTTP_BODY_SINK_HPP

#include <asio_retry/error.hpp>
#include <asio_retry/http/request.hpp>
#include <asio_retry/http/response.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace asio_retry::http {

/// Derive from it, and hand it to `request::deliver_to`.
/** The next piece is read from the connection only when `write` has ended, so that a slow sink
    slows the server and memory stays bounded (some 64 KiB a call). `fetch_policy::max_body_size`
    does not apply. The response that the call answers has no body then. A hook that throws ends the
    call, with the code of a `system_error` or else `asio_retry::error::operation_threw`, and is not
    retried.

    Bytes of two responses are never delivered as one: what follows a `begin` is of one response,
    and is the whole body only once `end` has been called. A call whose response broke off after the
    first `write` is repeated only if the sink can begin again.

    All hooks run on the executor of the call, one at a time. Cancelling the call reaches what they
    await; its timeouts are looked at between two of them, so that their time counts, but does not
    end them. One sink serves one call at a time. */
class body_sink {
public:
    virtual ~body_sink() = default;

    /// An attempt is about to be made with this request: its header fields may be changed, to ask
    /// for a range, say. Before the policy's `attempt_hook`, with the same rules.
    virtual void ask(request& r) { (void)r; }

    /// Whether it wants the body as it is sent: it is then not asked for in a coding, nor decoded,
    /// whatever the policy says. Default false.
    virtual bool wants_encoded() const noexcept { return false; }

    /// How much of the whole is there already when a response has begun; for the observer. Default
    /// 0.
    virtual std::uint64_t kept() const noexcept { return 0; }

    /// Whether the body of this response goes to the sink; if not, it is read into memory and
    /// answered with the response. Default: of each 2xx.
    virtual bool takes(const response& head) noexcept { return head.status() / 100 == 2; }

    /// A response that it takes has begun. All that was written before is void.
    /** An error ends the attempt, of the kind that the policy's classifier gives it. A response
        that was begun without one is a success once it has come whole, whatever its status. */
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): awaited at once
    virtual boost::asio::awaitable<error_code> begin(const response& head) {
        (void)head;
        co_return error_code();
    }

    /// The next bytes of the body; valid until it ends.
    virtual boost::asio::awaitable<void> write(boost::asio::const_buffer bytes) = 0;

    /// The body has come whole. `whole` is as `begin` was given it.
    /** An error ends the attempt, as one of `begin` does: what came is not what it ought to be. */
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): awaited at once
    virtual boost::asio::awaitable<error_code> end(const response& whole) {
        (void)whole;
        co_return error_code();
    }

    /// Whether what was written can be taken back, by another `begin`. Default false.
    virtual bool can_begin_again() const noexcept { return false; }

protected:
    body_sink() = default;
    body_sink(const body_sink&) = default;
    body_sink& operator=(const body_sink&) = default;
};

/// A sink that hands each piece to a function, and cannot begin again.
inline std::shared_ptr<body_sink> sink_into(
    std::function<boost::asio::awaitable<void>(boost::asio::const_buffer)> f) {
    class function_sink final : public body_sink {
    public:
        explicit function_sink(
            std::function<boost::asio::awaitable<void>(boost::asio::const_buffer)> g)
            : write_(std::move(g)) {}

        boost::asio::awaitable<void> write(boost::asio::const_buffer bytes) override {
            return write_(bytes);
        }

    private:
        std::function<boost::asio::awaitable<void>(boost::asio::const_buffer)> write_;
    };
    return std::make_shared<function_sink>(std::move(f));
}

}  // namespace asio_retry::http

#endif
