// A line with the name of a coding, and any bytes: they are a body in it, a part of one, or refused;
// the same in whatever pieces they arrive, and never more than was allowed.
// SPDX-License-Identifier: BSL-1.0
#include "fuzz/fuzzer.hpp"
#include "http/content_decoder.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace asio_retry::test {

namespace {

using http::detail::content_decoder;

constexpr std::uint64_t max_size = std::uint64_t{3} * 1024 * 1024;
constexpr std::uint64_t max_ratio = 20;
constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
constexpr std::size_t one_buffer = std::size_t{16} * 1024;

struct outcome {
    std::string plain;
    error_code ec;
};

/// Gives the body in pieces of `size` bytes, and takes what comes out at once.
outcome in_pieces(std::string_view coding, std::string_view body, std::size_t size) {
    content_decoder decoder(max_size, max_ratio);
    outcome result;
    result.ec = decoder.begin(coding, body.size());
    while (!result.ec && !body.empty()) {
        std::string_view piece = body.substr(0, size);
        result.ec = decoder.write_some(piece, result.plain, all);
        body.remove_prefix(std::min(size, body.size()));
    }
    if (!result.ec) result.ec = decoder.finish();
    return result;
}

/// Gives all of the body, and takes what comes out bit by bit.
outcome in_helpings(std::string_view coding, std::string_view body) {
    content_decoder decoder(max_size, max_ratio);
    outcome result;
    result.ec = decoder.begin(coding, body.size());
    bool more = !body.empty();
    while (!result.ec && more) {
        const std::size_t before = result.plain.size();
        result.ec = decoder.write_some(body, result.plain, 1);
        require(result.plain.size() - before <= one_buffer, "more at once than asked for");
        more = decoder.stopped();
        require(!more || result.plain.size() > before, "no progress");
    }
    require(result.ec || body.empty(), "something was left over");
    if (!result.ec) result.ec = decoder.finish();
    return result;
}

/// Of two different faults either may be found first.
bool agree(const outcome& a, const outcome& b) {
    if (a.ec || b.ec) return a.ec && b.ec;
    return a.plain == b.plain;
}

}  // namespace

void try_text(std::string_view text) {
    const auto line = std::min(text.find('\n'), text.size());
    const auto coding = text.substr(0, line);
    const auto body = text.substr(std::min(line + 1, text.size()));

    const outcome whole = in_pieces(coding, body, std::max<std::size_t>(body.size(), 1));
    require(whole.plain.size() <= max_size, "more than the bound on its size");
    const bool coded = coding.find_first_not_of(", \t") != std::string_view::npos;
    const auto allowed = std::max(content_decoder::ratio_floor, body.size() * max_ratio);
    require(!coded || whole.plain.size() <= allowed, "more than the bound on the ratio");
    require(agree(in_pieces(coding, body, 1), whole), "other when byte by byte");
    require(agree(in_pieces(coding, body, 1 + body.size() / 2), whole), "other when in two");
    require(agree(in_helpings(coding, body), whole), "other when taken bit by bit");
}

}  // namespace asio_retry::test
