// SPDX-License-Identifier: BSL-1.0
#include <boost/beast/core/error.hpp>  // first: status.hpp lacks <ostream> in Boost 1.81
#include <boost/beast/http/status.hpp>

#include <testing/fault_response.hpp>

#include <algorithm>
#include <utility>

namespace asio_retry::testing::detail {
namespace {

constexpr std::string_view alphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";
constexpr std::size_t pattern_size = 64 * 1024;

// 64 KiB and a line more, so that a full piece can begin anywhere in a line.
const std::string& pattern_text() {
    static const std::string text = [] {
        std::string made;
        while (made.size() < pattern_size + alphabet.size()) made += alphabet;
        return made;
    }();
    return text;
}

}  // namespace

response_body response_body::pattern(std::uint64_t size) {
    response_body body;
    body.size_ = size;
    body.is_pattern_ = true;
    return body;
}

std::string_view response_body::piece(std::uint64_t offset, std::uint64_t most) const {
    const auto size =
        std::min({most, size_ - std::min(offset, size_), std::uint64_t{pattern_size}});
    if (!is_pattern_) return std::string_view(text_).substr(std::min(offset, size_), size);
    return std::string_view(pattern_text()).substr(offset % alphabet.size(), size);
}

response::response(int code, response_body content, std::string type)
    : status(code), body(std::move(content)), content_type(std::move(type)) {}

std::string response::head() const {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " ";
    text.append(reason_phrase(status)).append("\r\nServer: asio-retry\r\n");
    text += extra_fields;
    if (status_has_body()) {
        text += "Content-Type: " + content_type + "\r\n";
        text += chunked ? "Transfer-Encoding: chunked\r\n"
                        : "Content-Length: " + std::to_string(body.size()) + "\r\n";
    }
    if (!keep_alive) text += "Connection: close\r\n";
    return text + "\r\n";
}

std::string_view reason_phrase(int status) {
    const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(status));
    const auto text = boost::beast::http::obsolete_reason(known);
    return {text.data(), text.size()};
}

}  // namespace asio_retry::testing::detail
