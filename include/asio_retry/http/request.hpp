// An HTTP request: method, URL, header, body, and whether it may be sent again.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_REQUEST_HPP
#define ASIO_RETRY_HTTP_REQUEST_HPP

#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/http/body_source.hpp>

#include <boost/beast/http/fields.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace asio_retry {
class observer;
}

namespace asio_retry::http {

class body_sink;

/// What the call says of sending its request again after some of it may have been processed.
enum class repeat : std::uint8_t {
    by_method,  ///< as the policy's `idempotency` and the method say
    allowed,    ///< it does no harm
    forbidden   ///< only if it is proven that it was not processed
};

/// A request. A value; setters chain:
/**     request("POST", "https://api.example/orders")
            .header("Content-Type", "application/json")
            .body(R"({"item": 7})")

    Nothing is checked here: a malformed URL, method or header is an error of the call that sends
    it, before a byte is sent. The client itself sets Host, Content-Length and Connection.
    Thread safety: distinct objects safe; a shared object safe to read. */
class request {
public:
    using fields = boost::beast::http::fields;

    request(std::string method, std::string url)
        : method_(std::move(method)), url_(std::move(url)) {}

    const std::string& method() const noexcept { return method_; }
    /// As given; may hold credentials.
    const std::string& url() const noexcept { return url_; }

    fields& headers() noexcept { return headers_; }
    const fields& headers() const noexcept { return headers_; }

    /// Adds a header field; earlier fields of the same name stay.
    request& header(std::string_view name, std::string_view value) & {
        headers_.insert(name, value);
        return *this;
    }
    request&& header(std::string_view name, std::string_view value) && {
        return std::move(header(name, value));
    }

    /// The body, which is kept in memory and so can be sent again. Default none.
    request& body(std::string bytes) & {
        body_ = std::move(bytes);
        source_.reset();
        return *this;
    }
    request&& body(std::string bytes) && { return std::move(body(std::move(bytes))); }
    const std::string& body() const noexcept { return body_; }

    /// A body that is read while it is sent, in place of one in memory.
    request& body(body_source s) & {
        source_ = std::move(s);
        body_.clear();
        return *this;
    }
    request&& body(body_source s) && { return std::move(body(std::move(s))); }
    /// Nothing if the body is in memory.
    const std::optional<body_source>& source() const noexcept { return source_; }

    /// Sends `Expect: 100-continue`, and the body only when the server asks for it, or has said
    /// nothing for so long (RFC 9110 10.1.1). Above 0; default off.
    /** For large bodies that the server may refuse by looking at the header. Servers that do not
        know the field cost the wait. A 417 is repeated at once without it. Without a body it does
        nothing. */
    template <typename Rep, typename Period>
    request& expect_continue(std::chrono::duration<Rep, Period> wait) & {
        const auto d = asio_retry::detail::saturating_cast(wait);
        if (d.count() <= 0) throw std::invalid_argument("expect_continue: must be above 0");
        continue_wait_ = d;
        return *this;
    }
    template <typename Rep, typename Period>
    request&& expect_continue(std::chrono::duration<Rep, Period> wait) && {
        return std::move(expect_continue(wait));
    }
    /// Zero if it is off.
    std::chrono::nanoseconds expect_continue() const noexcept { return continue_wait_; }

    /// Where the response's body goes, instead of into memory; see there. Default none.
    request& deliver_to(std::shared_ptr<body_sink> s) & noexcept {
        sink_ = std::move(s);
        return *this;
    }
    request&& deliver_to(std::shared_ptr<body_sink> s) && noexcept {
        return std::move(deliver_to(std::move(s)));
    }
    const std::shared_ptr<body_sink>& sink() const noexcept { return sink_; }

    /// Watches this request's attempts, in place of the observer of whatever policy applies.
    /// Default none. It goes along with redirects.
    request& observer(std::shared_ptr<asio_retry::observer> o) & noexcept {
        observer_ = std::move(o);
        return *this;
    }
    request&& observer(std::shared_ptr<asio_retry::observer> o) && noexcept {
        return std::move(observer(std::move(o)));
    }
    const std::shared_ptr<asio_retry::observer>& observer() const noexcept { return observer_; }

    /// Whether this request may be sent again. Default `repeat::by_method`.
    request& repeatable(repeat r) & noexcept {
        repeat_ = r;
        return *this;
    }
    request&& repeatable(repeat r) && noexcept { return std::move(repeatable(r)); }
    repeat repeatable() const noexcept { return repeat_; }

    /// Sends `Idempotency-Key: key`, the same on each attempt, and so makes a repeat safe.
    /** For servers that know the field (draft-ietf-httpapi-idempotency-key-header). */
    request& idempotency_key(std::string key) & {
        idempotency_key_ = std::move(key);
        return *this;
    }
    request&& idempotency_key(std::string key) && {
        return std::move(idempotency_key(std::move(key)));
    }
    /// Empty if none was given.
    const std::string& idempotency_key() const noexcept { return idempotency_key_; }

private:
    std::string method_;
    std::string url_;
    fields headers_;
    std::string body_;
    std::string idempotency_key_;
    std::optional<body_source> source_;
    std::shared_ptr<body_sink> sink_;
    std::shared_ptr<asio_retry::observer> observer_;
    std::chrono::nanoseconds continue_wait_{0};
    repeat repeat_ = repeat::by_method;
};

}  // namespace asio_retry::http

#endif
