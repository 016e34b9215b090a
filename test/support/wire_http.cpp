// The HTTP half of a scripted connection: as much of RFC 9112 as reading a client's request takes.
#include "wire.hpp"

#include <algorithm>
#include <charconv>

namespace asio_retry::test {
namespace {

constexpr std::size_t head_limit = 1 << 20;

bool same_name(std::string_view left, std::string_view right) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c; };
    return std::equal(left.begin(), left.end(), right.begin(), right.end(), [&](char a, char b) {
        return lower(a) == lower(b);
    });
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string_view next_line(std::string_view& rest) {
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 2);
    return line;
}

received_request parse_head(std::string head) {
    received_request request;
    request.head = std::move(head);
    std::string_view rest = request.head;
    const auto first = next_line(rest);
    const auto space = first.find(' ');
    const auto last = first.rfind(' ');
    if (space == std::string_view::npos || space == last) {
        throw script_problem("not a request line: " + std::string(first));
    }
    request.method = first.substr(0, space);
    request.target = first.substr(space + 1, last - space - 1);
    request.version = first.substr(last + 1);
    for (auto line = next_line(rest); !line.empty(); line = next_line(rest)) {
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) {
            throw script_problem("not a header field: " + std::string(line));
        }
        request.fields.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
    }
    return request;
}

std::size_t parse_size(std::string_view text, int base) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw script_problem("not a length: " + std::string(text));
    }
    return value;
}

}  // namespace

std::string received_request::field(std::string_view name) const {
    for (const auto& [key, value] : fields) {
        if (same_name(key, name)) return value;
    }
    return {};
}

std::size_t received_request::count(std::string_view name) const {
    return static_cast<std::size_t>(std::count_if(
        fields.begin(), fields.end(), [&](const auto& f) { return same_name(f.first, name); }));
}

void wire::read_head() {
    std::size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (buffer_.size() > head_limit) throw script_problem("a head that does not end");
        if (!read_some()) {
            throw script_problem("the client closed with " + std::to_string(buffer_.size()) +
                                 " bytes of a head");
        }
    }
    last_head_ = buffer_.substr(0, end + 4);
    buffer_.erase(0, end + 4);
    listener_.on_head(parse_head(last_head_));
}

void wire::read_body() {
    const auto request = parse_head(last_head_);
    const auto take = [this](std::size_t count) {
        const auto bytes = buffer_.substr(0, count);
        buffer_.erase(0, count);
        return bytes;
    };
    const auto line = [&] {
        std::size_t end = std::string::npos;
        while ((end = buffer_.find("\r\n")) == std::string::npos)
            need(buffer_.size() + 1, "a line");
        const auto text = take(end);
        take(2);
        return text;
    };
    if (same_name(request.field("Transfer-Encoding"), "chunked")) {
        for (;;) {
            const auto size_line = line();
            const auto size = parse_size(size_line.substr(0, size_line.find(';')), 16);
            if (size == 0) break;
            need(size + 2, "a chunk");
            listener_.on_body(take(size), false);
            take(2);
        }
        while (!line().empty()) continue;  // trailers
    } else if (const auto length = request.field("Content-Length"); !length.empty()) {
        for (auto left = parse_size(length, 10); left > 0;) {
            need(1, "a body");
            const auto piece = take(std::min(left, buffer_.size()));
            listener_.on_body(piece, false);
            left -= piece.size();
        }
    }
    listener_.on_body({}, true);
}

}  // namespace asio_retry::test
