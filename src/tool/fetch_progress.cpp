// SPDX-License-Identifier: BSL-1.0
#include <tool/fetch_progress.hpp>
#include <tool/fetch_timeline.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace asio_retry::tool {

namespace {

constexpr std::chrono::milliseconds least_gap(100);

/// Three digits or a little more: "999 B", "1.5 kB", "12 MB".
std::string size_text(double bytes) {
    constexpr std::array<const char*, 7> units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    std::size_t unit = 0;
    // Above this, rounding would give a fourth digit.
    for (; bytes >= 999.5 && unit + 1 < units.size(); ++unit) bytes /= 1000;
    const int decimals = unit != 0 && bytes < 9.95 ? 1 : 0;
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.*f %s", decimals, bytes, units[unit]);
    return text.data();
}

}  // namespace

std::string progress_text(const progress_state& state) {
    auto text = size_text(static_cast<double>(state.received));
    if (state.total && *state.total != 0) {
        const auto part = static_cast<double>(state.received) / static_cast<double>(*state.total);
        text += " of " + size_text(static_cast<double>(*state.total)) + ", " +
                std::to_string(static_cast<int>(std::min(part, 1.0) * 100)) + " %";
    }
    if (state.retry_in) return text + ", retrying in " + short_duration(*state.retry_in);
    if (state.rate) text += ", " + size_text(*state.rate) + "/s";
    return text;
}

fetch_progress::fetch_progress(sink print, clock now)
    : print_(std::move(print)), now_(std::move(now)), drawn_(now_()) {}

void fetch_progress::clear() {
    if (width_ == 0) return;
    print_("\r" + std::string(std::exchange(width_, 0), ' ') + "\r");
}

void fetch_progress::attempt_started(std::string_view, const attempt&) noexcept {
    first_.reset();
    state_.rate.reset();
    if (std::exchange(state_.retry_in, std::nullopt)) draw(now_());
}

void fetch_progress::retry_scheduled(std::string_view, const attempt_record& r) noexcept {
    if (r.delay < least_gap) return;
    state_.retry_in = r.delay;
    draw(now_());
}

void fetch_progress::body_received(std::string_view,
                                   std::uint64_t received,
                                   std::optional<std::uint64_t> total) noexcept {
    const auto now = now_();
    if (!first_) first_ = mark{now, received};
    state_.received = received;
    state_.total = total;
    if (now - drawn_ < least_gap) return;
    const std::chrono::duration<double> spent = now - first_->time;
    if (spent >= least_gap) {
        state_.rate = static_cast<double>(received - first_->received) / spent.count();
    }
    draw(now);
}

/// Blanks hide what is left of a longer line, on every terminal.
void fetch_progress::draw(steady_time now) {
    auto text = progress_text(state_);
    const auto width = std::exchange(width_, text.size());
    if (text.size() < width) text.append(width - text.size(), ' ');
    drawn_ = now;
    print_("\r" + text);
}

}  // namespace asio_retry::tool
