// SPDX-License-Identifier: BSL-1.0
#include "http/content_decoder.hpp"

#include <asio_retry/http/error.hpp>

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace asio_retry::http::detail {

namespace {

constexpr std::size_t buffer_size = std::size_t{16} * 1024;

/// The next element of a list (RFC 9110 5.6.1), which may be empty.
std::string_view take_element(std::string_view& list) noexcept {
    constexpr std::string_view blank = " \t";
    const auto comma = std::min(list.find(','), list.size());
    auto element = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const auto first = element.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return element.substr(first, element.find_last_not_of(blank) - first + 1);
}

}  // namespace

error_code content_decoder::begin(std::string_view content_encoding, std::uint64_t size) {
    stages_.clear();
    taken_ = 0;
    counted_ = size;
    stopped_ = false;
    delivered_ = 0;
    while (!content_encoding.empty()) {
        const auto name = take_element(content_encoding);
        if (name.empty() || boost::beast::iequals(name, "identity")) continue;
        auto coding = stages_.size() < max_codings ? make_content_coding(name) : nullptr;
        if (!coding) {
            stages_.clear();
            return error::unsupported_encoding;
        }
        stages_.emplace_back(std::move(coding));
    }
    std::reverse(stages_.begin(), stages_.end());
    return {};
}

error_code content_decoder::write_some(std::string_view& in, std::string& out, std::size_t most) {
    std::array<char, buffer_size> buffer;
    const std::size_t before = out.size();
    counted_ = std::max(counted_, taken_ + in.size());
    for (stopped_ = false; !stopped_; stopped_ = out.size() - before >= most) {
        const std::size_t left = in.size();
        error_code ec;
        const std::size_t n = read(stages_.size(), in, buffer, ec);
        taken_ += left - in.size();
        if (!ec && n != 0) ec = deliver({buffer.data(), n}, out);
        if (ec) return ec;
        if (n == 0) break;
    }
    return {};
}

error_code content_decoder::finish() const noexcept {
    const bool whole = std::all_of(stages_.begin(), stages_.end(), [](const stage& s) {
        return !s.begun || s.coding->at_end();
    });
    return whole ? error_code() : error_code(error::incomplete_encoding);
}

/// What the stages before `end` make of `in`; nothing if they need more of it.
std::size_t content_decoder::read(std::size_t end,
                                  std::string_view& in,
                                  std::span<char> out,
                                  error_code& ec) {
    if (end == 0) {
        const std::size_t n = in.copy(out.data(), out.size());
        in.remove_prefix(n);
        return n;
    }
    stage& s = stages_[end - 1];
    std::size_t written = 0;
    while (written == 0 && refill(end - 1, in, ec)) {
        std::string_view& input = end == 1 ? in : s.input;
        const std::size_t left = input.size();
        ec = s.coding->decode(input, out, written);
        if (!ec && written == 0 && left != 0 && input.size() == left)
            ec = error::malformed_encoding;
        if (ec) return 0;
        s.begun = s.begun || left != 0;
        s.has_more = written == out.size();
        s.written += written;
        // Of each stage: an inner one may unpack to much that the next makes nothing of.
        if (excessive(s.written)) ec = error::excessive_expansion;
        if (ec) return 0;
    }
    return written;
}

/// Whether there is a use in asking the stage.
bool content_decoder::refill(std::size_t index, std::string_view& in, error_code& ec) {
    stage& s = stages_[index];
    if (index == 0) return s.has_more || !in.empty();
    if (s.has_more || !s.input.empty()) return true;
    if (!s.room) s.room = std::make_unique_for_overwrite<char[]>(buffer_size);
    const std::size_t n = read(index, in, {s.room.get(), buffer_size}, ec);
    s.input = {s.room.get(), n};
    return n != 0;
}

error_code content_decoder::deliver(std::string_view plain, std::string& out) {
    if (plain.size() > max_size_ - delivered_) return error::body_too_large;
    delivered_ += plain.size();
    out.append(plain);
    return {};
}

bool content_decoder::excessive(std::uint64_t written) const noexcept {
    std::uint64_t allowed = 0;
    const bool unbounded = __builtin_mul_overflow(counted_, max_ratio_, &allowed);
    return written > ratio_floor && !unbounded && written > allowed;
}

}  // namespace asio_retry::http::detail
