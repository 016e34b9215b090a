// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/failure.hpp>
#include <asio_retry/http/error.hpp>

#include <tool/fetch_timeline.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace asio_retry::tool {

namespace {

constexpr std::size_t longest_label = 40;
constexpr std::size_t result_width = 26;
constexpr std::size_t took_width = 8;
constexpr const char* red = "31";
constexpr const char* green = "32";
constexpr const char* yellow = "33";

std::string left(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

std::string right(const std::string& text, std::size_t width) {
    return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string number(double value, int decimals) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return text.data();
}

std::string origin_of(const std::string& url) {
    const auto scheme_end = url.find("://");
    return scheme_end == std::string::npos
               ? ""
               : url.substr(0, url.find_first_of("/?#", scheme_end + 3));
}

// The origin is left out where all share it, and a long target in its middle.
std::vector<std::string> labels_of(const std::vector<std::string>& urls) {
    const auto shared = urls.empty() ? "" : origin_of(urls.front());
    const bool all = std::all_of(
        urls.begin(), urls.end(), [&](const auto& url) { return origin_of(url) == shared; });
    std::vector<std::string> labels;
    for (const auto& url : urls) {
        auto label = all ? url.substr(shared.size()) : url.substr(url.find("://") + 3);
        if (label.empty()) label = "/";
        if (label.size() > longest_label) {
            constexpr auto half = (longest_label - 2) / 2;
            label = label.substr(0, half) + ".." + label.substr(label.size() - half);
        }
        labels.push_back(std::move(label));
    }
    return labels;
}

// Those that are frequent, in fewer words than their messages, which would not fit the column.
std::string words_of(const error_code& error) {
    if (error == http::error::no_response) return "closed without a response";
    if (error == http::error::incomplete_response) return "response cut short";
    if (error == http::error::connect_timeout) return "connect timeout";
    return error.message();
}

std::string result_of(const attempt_record& a) {
    auto text = a.status != 0 ? std::to_string(a.status) : a.error ? words_of(a.error) : "ok";
    if (a.status != 0 && a.kind && *a.kind != failure_kind::permanent) {
        text.append(" ").append(to_string(*a.kind));
    }
    if (a.status != 0 && a.error) text += ", " + words_of(a.error);
    return text;
}

std::string next_of(const attempt_record& a) {
    switch (a.source) {
        case delay_source::none: return "done";
        case delay_source::stale_connection: return "again at once on a fresh connection";
        case delay_source::backoff: return "again in " + short_duration(a.delay) + " (backoff)";
        case delay_source::retry_after:
            return "again in " + short_duration(a.delay) + " (the server asked: Retry-After)";
    }
    return {};
}

}  // namespace

std::string short_duration(std::chrono::nanoseconds d) {
    const auto seconds = static_cast<double>(d.count()) / 1e9;
    if (seconds < 0.00995) return number(seconds * 1e3, 1) + " ms";
    if (seconds < 0.9995) return number(seconds * 1e3, 0) + " ms";
    if (seconds < 9.995) return number(seconds, 2) + " s";
    if (seconds < 119.5) return number(seconds, 0) + " s";
    const auto whole = std::llround(seconds);
    return std::to_string(whole / 60) + " m " + std::to_string(whole % 60) + " s";
}

/// Knows what followed an attempt only later than its end, and prints the line then.
class timeline::watcher final : public observer {
public:
    watcher(timeline& to, std::string_view label) : to_(to), label_(label) {}

    void attempt_started(std::string_view, const attempt&) noexcept override {
        print_held([](const attempt_record& r) { return is_redirect(r); }, "redirect");
    }

    void attempt_finished(std::string_view, const attempt_record& r) noexcept override {
        const line ended{r, std::max(to_.now() - r.elapsed, std::chrono::nanoseconds(0))};
        if (!r.kind && !is_redirect(r)) return print(ended, "done");
        held_.push_back(ended);
    }

    void retry_scheduled(std::string_view, const attempt_record& r) noexcept override {
        std::erase_if(held_, [&](line& each) {
            if (each.attempt.number != r.number) return false;
            each.attempt = r;
            print(each, next_of(r));
            return true;
        });
    }

    void gave_up(std::string_view, const retry_report& report) noexcept override {
        const std::string why = "gave up: " + std::string(to_string(report.reason()));
        const unsigned last = report.history().empty() ? 0 : report.history().back().number;
        print_held([&](const attempt_record& r) { return r.number != last; }, "not repeated");
        if (held_.empty()) print({attempt_record(), to_.now()}, why);
        print_held([](const attempt_record&) { return true; }, why);
    }

    /// The call is over.
    void end() {
        print_held([](const attempt_record& r) { return r.kind.has_value(); },
                   "another attempt won");
        print_held([](const attempt_record&) { return true; }, "done");
    }

private:
    class line {
    public:
        attempt_record attempt;
        std::chrono::nanoseconds at;  // its start, since that of the program
    };

    /// Or a response that could be one.
    static bool is_redirect(const attempt_record& r) { return r.status >= 300 && r.status < 400; }

    void print(const line& l, const std::string& then) { to_.print(label_, l.at, l.attempt, then); }

    template <typename Wanted>
    void print_held(Wanted wanted, const std::string& then) {
        std::erase_if(held_, [&](const line& each) {
            if (!wanted(each.attempt)) return false;
            print(each, then);
            return true;
        });
    }

    timeline& to_;
    std::string_view label_;
    std::vector<line> held_;
};

timeline::timeline(const std::vector<std::string>& urls, colour colours, sink print)
    : labels_(labels_of(urls)),
      colours_(colours),
      print_(std::move(print)),
      start_(std::chrono::steady_clock::now()) {
    for (const auto& label : labels_) label_width_ = std::max(label_width_, label.size());
    watchers_.resize(labels_.size());
}

std::shared_ptr<observer> timeline::watch(std::size_t url) {
    return watchers_[url] = std::make_shared<watcher>(*this, labels_[url]);
}

void timeline::end(std::size_t url) {
    if (watchers_[url]) std::exchange(watchers_[url], nullptr)->end();
}

std::chrono::nanoseconds timeline::now() const { return std::chrono::steady_clock::now() - start_; }

void timeline::print_title() {
    print_("    time  " + left("url", label_width_) + "  try  " + left("result", result_width) +
           "  " + right("took", took_width) + "  then\n");
}

void timeline::print(std::string_view label,
                     std::chrono::nanoseconds at,
                     const attempt_record& attempt,
                     const std::string& then) {
    const auto seconds = static_cast<double>(at.count()) / 1e9;
    const bool made = attempt.number != 0;
    const bool failed = attempt.kind.has_value();
    const bool given_up = attempt.source == delay_source::none && (failed || !made);
    const auto result = left(made ? result_of(attempt) : "-", result_width);
    print_(right(number(seconds, 3), 8) + "  " + left(std::string(label), label_width_) + "  " +
           right(made ? std::to_string(attempt.number) : "-", 3) + "  " +
           paint(result,
                 !made    ? nullptr
                 : failed ? (given_up ? red : yellow)
                          : green) +
           "  " + right(made ? short_duration(attempt.elapsed) : "-", took_width) + "  " +
           paint(then, given_up ? red : nullptr) + "\n");
}

std::string timeline::paint(const std::string& text, const char* code) const {
    if (colours_ == colour::off || code == nullptr) return text;
    return "\x1b[" + std::string(code) + "m" + text + "\x1b[0m";
}

}  // namespace asio_retry::tool
