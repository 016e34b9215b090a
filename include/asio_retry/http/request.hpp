// An HTTP request: method, URL, header, body, and whether it may be sent again.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_REQUEST_HPP
#define ASIO_RETRY_HTTP_REQUEST_HPP

#include <boost/beast/http/fields.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace asio_retry::http {

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

    Nothing is checked here: a malformed URL, method or header is an error of the call that sends it,
    before a byte is sent. The client itself sets Host, Content-Length and Connection.
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
        return *this;
    }
    request&& body(std::string bytes) && { return std::move(body(std::move(bytes))); }
    const std::string& body() const noexcept { return body_; }

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
    repeat repeat_ = repeat::by_method;
};

}  // namespace asio_retry::http

#endif
