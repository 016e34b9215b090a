// SPDX-License-Identifier: BSL-1.0
#include "http/content_decoder.hpp"

#include <asio_retry/http/error.hpp>

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace asio_retry::http::detail {

namespace {

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

error_code content_decoder::begin(std::string_view content_encoding) {
    stages_.clear();
    taken_ = 0;
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

error_code content_decoder::write(std::string_view in, std::string& out) {
    taken_ += in.size();
    return pass(0, in, out);
}

error_code content_decoder::finish() const noexcept {
    const bool whole = std::all_of(stages_.begin(), stages_.end(), [](const stage& s) {
        return !s.begun || s.coding->at_end();
    });
    return whole ? error_code() : error_code(error::incomplete_encoding);
}

error_code content_decoder::pass(std::size_t index, std::string_view in, std::string& out) {
    if (in.empty()) return {};
    if (index == stages_.size()) return deliver(in, out);
    auto& s = stages_[index];
    s.begun = true;
    std::array<char, 16 * 1024> buffer;
    std::size_t written = 0;
    do {
        const auto left = in.size();
        if (const auto ec = s.coding->decode(in, buffer, written)) return ec;
        if (written == 0 && left != 0 && in.size() == left) return error::malformed_encoding;
        s.written += written;
        if (const auto ec = pass(index + 1, {buffer.data(), written}, out)) return ec;
        // Of each stage: an inner one may unpack to much that the next makes nothing of.
        if (excessive(s.written)) return error::excessive_expansion;
    } while (!in.empty() || written == buffer.size());
    return {};
}

error_code content_decoder::deliver(std::string_view plain, std::string& out) {
    if (plain.size() > max_size_ - delivered_) return error::body_too_large;
    delivered_ += plain.size();
    out.append(plain);
    return {};
}

bool content_decoder::excessive(std::uint64_t written) const noexcept {
    std::uint64_t allowed = 0;
    const bool unbounded = __builtin_mul_overflow(taken_, max_ratio_, &allowed);
    return written > ratio_floor && !unbounded && written > allowed;
}

}  // namespace asio_retry::http::detail
