// SPDX-License-Identifier: BSL-1.0
#include <tool/credentials.hpp>
#include <tool/fetch_head.hpp>

#include <algorithm>
#include <cstdint>

namespace asio_retry::tool {

namespace {

std::string field_line(std::string_view name, std::string_view value) {
    std::string line(name);
    line += ": ";
    return line += shown_field_value(name, value);
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string head_of(const http::response& response) {
    std::string head = response.version() == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
    head += std::to_string(response.status()) + " " + response.reason_phrase() + "\r\n";
    for (const auto& field : response.headers()) {
        head.append(view(field.name_string()))
            .append(": ")
            .append(view(field.value()))
            .append("\r\n");
    }
    return head + "\r\n";
}

std::string quoted_request(const http::request& request) {
    std::string text = "> " + request.method() + " " + without_credentials(request.url()) + "\n";
    for (const auto& field : request.headers()) {
        text += "> " + field_line(view(field.name_string()), view(field.value())) + "\n";
    }
    if (!request.idempotency_key().empty()) {
        text += "> Idempotency-Key: " + request.idempotency_key() + "\n";
    }
    error_code ignored;
    const std::uint64_t size =
        request.source() ? request.source()->length(ignored).value_or(0) : request.body().size();
    if (size != 0) text += "> (" + std::to_string(size) + " bytes)\n";
    return text;
}

std::string quoted_response(std::string_view head) {
    std::string text;
    while (!head.empty()) {
        const auto line = head.substr(0, head.find("\r\n"));
        head.remove_prefix(std::min(line.size() + 2, head.size()));
        if (line.empty()) break;
        const auto colon = line.find(": ");
        const bool is_field = colon != std::string_view::npos && !text.empty();
        text += "< " +
                (is_field ? field_line(line.substr(0, colon), line.substr(colon + 2))
                          : std::string(line)) +
                "\n";
    }
    return text;
}

}  // namespace asio_retry::tool
