// Any bytes are a response, cut, or refused, and the same in whatever pieces they arrive.
// SPDX-License-Identifier: BSL-1.0
#include "fuzz/fuzzer.hpp"
#include "http/wire.hpp"
#include "support/read_response.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace asio_retry::test {

namespace {

constexpr std::uint64_t max_body = 1000;

/// Of two different faults either may be found first.
bool agree(const reading& a, const reading& b) {
    return a == b || (a.how == reading_end::refused && b.how == reading_end::refused);
}

void check(const reading& r, request_method m) {
    require(r.is_response() != static_cast<bool>(r.error), "neither a response nor an error");
    require(r.body.size() <= max_body, "more body than allowed");
    if (!r.is_response()) return;
    require(r.status >= 200 && r.status <= 999, "no final status");
    require(m != request_method::head || r.body.empty(), "a body in answer to HEAD");
    require(r.how == reading_end::whole || !r.keep_alive, "kept after its end");
    for (const auto& field : r.headers) {
        const auto value = field.value();
        require(http::detail::is_field_value({value.data(), value.size()}), "a control character");
    }
    const auto [first, last] = r.headers.equal_range("Transfer-Encoding");
    require(first == last || r.headers.count("Content-Length") == 0, "two words on its end");
}

}  // namespace

void try_text(std::string_view text) {
    const http::fetch_policy policy =
        std::move(http::fetch_policy().max_header_size(2000).max_body_size(max_body));
    for (const auto m : {request_method::other, request_method::head}) {
        const reading whole = read_pieces({text}, policy, m);
        check(whole, m);
        require(agree(read_bytes(text, policy, m), whole), "other when byte by byte");
        // To a sink the body has no limit.
        const reading moved = read_moved(text, policy, m);
        require(whole.error == http::error::body_too_large || agree(moved, whole),
                "other when it is moved away");
        const std::size_t third = text.size() / 3;
        const std::size_t at = text.empty() ? 0 : static_cast<unsigned char>(text.back());
        for (const std::size_t cut : {third, 2 * third, std::min(at, text.size())}) {
            const auto pieces = {text.substr(0, cut), text.substr(cut)};
            require(agree(read_pieces(pieces, policy, m), whole), "other when in two");
        }
    }
}

}  // namespace asio_retry::test
