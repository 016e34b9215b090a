// SPDX-License-Identifier: BSL-1.0
#include "http/wire.hpp"

#include "http/content_encoding.hpp"
#include "http/std_view.hpp"
#include <asio_retry/http/error.hpp>
#include <asio_retry/http/proxy.hpp>

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace asio_retry::http::detail {

namespace {

using boost::beast::iequals;

constexpr bool is_token_character(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool expects_body(std::string_view method) noexcept {
    return method == "POST" || method == "PUT" || method == "PATCH" || method == "QUERY";
}

void append_field(std::string& head, std::string_view name, std::string_view value) {
    const std::size_t at = head.size();
    head.resize(at + name.size() + value.size() + 4);
    char* end = std::copy(name.begin(), name.end(), head.data() + at);
    *end++ = ':';
    *end++ = ' ';
    end = std::copy(value.begin(), value.end(), end);
    *end++ = '\r';
    *end = '\n';
}

}  // namespace

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_token_character);
}

bool is_field_value(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(), [](unsigned char c) {
        return (c < 0x20 && c != '\t') || c == 0x7f;
    });
}

bool is_forbidden(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 9> forbidden = {"Connection",
                                                                  "Content-Length",
                                                                  "Host",
                                                                  "Keep-Alive",
                                                                  "Proxy-Connection",
                                                                  "TE",
                                                                  "Trailer",
                                                                  "Transfer-Encoding",
                                                                  "Upgrade"};
    return std::any_of(forbidden.begin(), forbidden.end(), [name](std::string_view f) {
        return iequals({name.data(), name.size()}, {f.data(), f.size()});
    });
}

void wire_request::last_field(std::string_view name, std::string_view value) {
    constexpr std::size_t end_of_head = 2;
    std::string field;
    append_field(field, name, value);
    bytes.replace(head_size - end_of_head - last_field_size_, last_field_size_, field);
    head_size += field.size() - last_field_size_;
    last_field_size_ = field.size();
}

error_code check_request(const request& r) noexcept {
    if (!is_token(r.method()) || r.method() == "CONNECT") return error::invalid_method;
    for (const auto& field : r.headers()) {
        const auto name = field.name_string();
        if (!is_token(view(name)) || !is_field_value(view(field.value()))) {
            return error::invalid_header;
        }
        if (is_forbidden(view(name))) return error::forbidden_header;
    }
    if (!is_field_value(r.idempotency_key())) return error::invalid_header;
    return {};
}

wire_request serialize(const request& r,
                       const target& to,
                       std::string_view user_agent,
                       std::string_view idempotency_key,
                       const body_notice& notice,
                       std::string room) {
    constexpr std::size_t typical_head = 256;
    wire_request result;
    result.bytes = std::move(room);
    std::string& head = result.bytes;
    head.clear();
    head.reserve(typical_head + to.path.size() + r.body().size());
    const bool to_proxy = to.via != nullptr && !to.tls;
    const bool in_tunnel = to.via != nullptr && to.tls;
    // The whole URL for a proxy (RFC 9112 3.2.2).
    head.append(r.method()).append(" ").append(to_proxy ? to.display : to.path);
    head.append(" HTTP/1.1\r\n");
    append_field(head, "Host", to.authority);
    for (const auto& field : r.headers()) {
        if (in_tunnel && iequals(field.name_string(), "Proxy-Authorization")) continue;
        append_field(head, view(field.name_string()), view(field.value()));
    }
    const auto add_missing = [&](std::string_view name, std::string_view value) {
        if (!value.empty() && r.headers().count({name.data(), name.size()}) == 0) {
            append_field(head, name, value);
        }
    };
    add_missing("User-Agent", user_agent);
    if (notice.accepts_codings) add_missing("Accept-Encoding", known_codings);
    add_missing("Authorization", to.authorization);
    if (to_proxy) add_missing("Proxy-Authorization", to.via->authorization());
    add_missing("Idempotency-Key", idempotency_key);
    if (r.source() && !notice.length) {
        append_field(head, "Transfer-Encoding", "chunked");
    } else if (r.source() || !r.body().empty() || expects_body(r.method())) {
        const std::uint64_t length = r.source() ? *notice.length : r.body().size();
        append_field(head, "Content-Length", std::to_string(length));
    }
    if (notice.expects_continue) append_field(head, "Expect", "100-continue");
    head.append("\r\n");
    result.head_size = head.size();
    head.append(r.body());
    return result;
}

}  // namespace asio_retry::http::detail
