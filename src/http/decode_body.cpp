// SPDX-License-Identifier: BSL-1.0
#include "http/decode_body.hpp"

#include <boost/beast/http/field.hpp>

#include <utility>

namespace asio_retry::http::detail {

using boost::beast::http::field;

std::string content_encoding(const response::fields& headers) {
    std::string all;
    const auto [first, last] = headers.equal_range(field::content_encoding);
    for (auto each = first; each != last; ++each) {
        if (!all.empty()) all += ", ";
        all.append(each->value().data(), each->value().size());
    }
    return all;
}

error_code decode_body(response& r, const fetch_policy& policy) {
    const std::string coding = content_encoding(r.headers());
    if (r.body().empty() || coding.empty()) return {};
    content_decoder decoder(policy.max_body_size(), policy.max_expansion());
    if (const error_code ec = decoder.begin(coding)) return ec;
    if (!decoder.active()) return {};
    std::string plain;
    if (const error_code ec = decoder.write(r.body(), plain)) return ec;
    if (const error_code ec = decoder.finish()) return ec;
    response::fields headers = r.headers();
    headers.erase(field::content_encoding);
    headers.erase(field::content_length);
    r = response(
        r.status(), r.version(), r.reason_phrase(), std::move(headers), std::move(plain), r.url());
    return {};
}

}  // namespace asio_retry::http::detail
