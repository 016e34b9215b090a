// An HTTP response with its whole body.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_RESPONSE_HPP
#define ASIO_RETRY_HTTP_RESPONSE_HPP

#include <boost/beast/http/fields.hpp>

#include <memory>
#include <string>
#include <utility>

namespace asio_retry::http {

/// A response. A value; it is only ever made of a response that arrived whole.
class response {
public:
    using fields = boost::beast::http::fields;

    response() = default;

    response(unsigned status,
             unsigned version,
             std::string reason_phrase,
             fields headers,
             std::string body,
             std::string url)
        : response(status,
                   version,
                   std::move(reason_phrase),
                   std::move(headers),
                   std::move(body),
                   std::make_shared<const std::string>(std::move(url))) {}

    /// Many responses can share the text of their URL.
    response(unsigned status,
             unsigned version,
             std::string reason_phrase,
             fields headers,
             std::string body,
             std::shared_ptr<const std::string> url)
        : headers_(std::move(headers)),
          body_(std::move(body)),
          reason_phrase_(std::move(reason_phrase)),
          url_(std::move(url)),
          status_(status),
          version_(version) {}

    /// 200, say; 0 only in a default-constructed object.
    unsigned status() const noexcept { return status_; }
    /// As it came: "OK", say; often empty.
    const std::string& reason_phrase() const noexcept { return reason_phrase_; }
    /// 11 for HTTP/1.1, 10 for HTTP/1.0.
    unsigned version() const noexcept { return version_; }

    /// The fields of the header. Those of a trailer are checked and dropped (RFC 9110 6.5.1).
    const fields& headers() const noexcept { return headers_; }

    const std::string& body() const& noexcept { return body_; }
    std::string&& body() && noexcept { return std::move(body_); }

    /// Where it came from: after redirects the last URL, without credentials and fragment.
    const std::string& url() const noexcept { return url_ ? *url_ : no_url(); }

private:
    static const std::string& no_url() noexcept {
        static const std::string none;
        return none;
    }

    fields headers_;
    std::string body_;
    std::string reason_phrase_;
    std::shared_ptr<const std::string> url_;
    unsigned status_ = 0;
    unsigned version_ = 0;
};

}  // namespace asio_retry::http

#endif
