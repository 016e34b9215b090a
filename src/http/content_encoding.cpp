// SPDX-License-Identifier: BSL-1.0
#include "http/content_encoding.hpp"

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

response with_plain_body(response r, std::string plain) {
    response::fields headers = r.headers();
    headers.erase(field::content_encoding);
    headers.erase(field::content_length);
    return {
        r.status(), r.version(), r.reason_phrase(), std::move(headers), std::move(plain), r.url()};
}

}  // namespace asio_retry::http::detail
