// SPDX-License-Identifier: BSL-1.0
#include <tool/duration.hpp>
#include <tool/schedule_svg.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace asio_retry::tool {

namespace {

using std::chrono::nanoseconds;

constexpr double width = 860;
constexpr double left_margin = 130;
constexpr double right_margin = 40;
constexpr double row_height = 26;
constexpr double bar_height = 16;
constexpr unsigned most_rows = 12;

/// Of the dark ground, the colours are those of the light one, made brighter.
constexpr const char* style = R"(<style>
svg{background:#fff;font:13px system-ui,sans-serif}
text{fill:#1f2430}.dim{fill:#5c6370}.title{font-size:16px;font-weight:600}.panel{font-weight:600}
.grid{stroke:#d9dde3}.window{fill:#b9d3f2}.work{fill:#2f6fb7}.end{stroke:#b3261e;stroke-width:2}
.late{fill:#b3261e}
@media (prefers-color-scheme:dark){svg{background:#16181d}text{fill:#e6e8ec}.dim{fill:#9aa2af}
.grid{stroke:#353a44}.window{fill:#2c4a6e}.work{fill:#6ea8e8}.end{stroke:#ff8a80}.late{fill:#ff8a80}}
</style>
)";

std::string escaped(const std::string& text) {
    std::string result;
    for (const char c : text) {
        if (c == '&') {
            result += "&amp;";
        } else if (c == '<') {
            result += "&lt;";
        } else if (c == '>') {
            result += "&gt;";
        } else if (c == '"') {
            result += "&quot;";
        } else {
            result += c;
        }
    }
    return result;
}

/// Tenths of a pixel are all that shows.
std::string number(double d) {
    const auto tenths = std::llround(d * 10);
    std::string text = std::to_string(tenths / 10);
    if (tenths % 10 != 0) text += "." + std::to_string(std::abs(tenths % 10));
    return text;
}

double seconds(nanoseconds d) { return std::chrono::duration<double>(d).count(); }

bool is_limited(nanoseconds d) { return d != retry_policy::unlimited; }

/// 1, 2 or 5 times a power of ten, so that about eight of it make `longest`.
double step_for(double longest) {
    const double rough = longest / 8;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    for (const double each : {1.0, 2.0, 5.0}) {
        if (each * power >= rough) return each * power;
    }
    return 10 * power;
}

class drawing {
public:
    explicit drawing(const std::vector<schedule>& schedules) {
        for (const schedule& s : schedules) {
            for (const auto& a : s.attempts) {
                for (const nanoseconds t : {a.earliest, a.latest, a.end}) {
                    if (is_limited(t)) longest_ = std::max(longest_, seconds(t));
                }
            }
            if (is_limited(s.total)) longest_ = std::max(longest_, seconds(s.total));
        }
        if (longest_ <= 0) longest_ = 1;
    }

    std::string finish(const std::string& title) {
        y_ += 28;
        legend();
        const std::string size = number(width) + "\" height=\"" + number(y_ + 20);
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"" + size +
               "\" viewBox=\"0 0 " + number(width) + " " + number(y_ + 20) + "\">\n<title>" +
               escaped(title) + "</title>\n" + style + "<text class=\"title\" x=\"16\" y=\"28\">" +
               escaped(title) + "</text>\n" + body_ + "</svg>\n";
    }

    void panel(const schedule& s) {
        const auto rows = std::min<std::size_t>(s.attempts.size(), most_rows);
        text(16, y_ + 20, "panel", heading(s));
        const double top = y_ + 32;
        const double bottom = top + row_height * static_cast<double>(rows);
        grid(top, bottom);
        y_ = top;
        for (std::size_t i = 0; i < rows; ++i) row(s.attempts[i]);
        if (is_limited(s.total)) {
            line("end", x(s.total), top, x(s.total), bottom);
        }
        y_ = bottom + 24;
        if (s.max_attempts > rows) {
            text(left_margin,
                 y_ + 6,
                 "dim",
                 "and so on, " + std::to_string(s.max_attempts) + " attempts in all");
            y_ += 20;
        }
    }

private:
    double x(nanoseconds t) const {
        const double part = is_limited(t) ? std::min(seconds(t) / longest_, 1.0) : 1.0;
        return left_margin + part * (width - left_margin - right_margin);
    }

    static std::string heading(const schedule& s) {
        std::string text =
            s.kind ? "failures of kind " + std::string(to_string(*s.kind)) : "every attempt fails";
        text += is_limited(s.total) ? ": ends within " + format_duration(s.total)
                                    : ": no limit to how long it takes";
        return text + (s.is_total_timeout ? " (total timeout)" : "");
    }

    void grid(double top, double bottom) {
        const double step = step_for(longest_);
        for (double t = 0; t <= longest_ * 1.0001; t += step) {
            const double at = left_margin + t / longest_ * (width - left_margin - right_margin);
            line("grid", at, top, at, bottom);
            const nanoseconds label(std::llround(t * 1e9));
            text(at, bottom + 16, "dim", format_duration(label), "middle");
        }
    }

    void row(const scheduled_attempt& a) {
        const double bar = y_ + (row_height - bar_height) / 2;
        text(left_margin - 12,
             bar + 12,
             a.may_be_cut_off ? "late" : "",
             "attempt " + std::to_string(a.number),
             "end");
        rectangle("window", x(a.earliest), bar, x(a.latest) - x(a.earliest), "may start");
        rectangle("work", x(a.latest), bar, std::max(x(a.end) - x(a.latest), 2.0), "may take");
        y_ += row_height;
    }

    void legend() {
        rectangle("window", left_margin, y_ - 12, 24, "");
        text(left_margin + 32, y_, "dim", "may start");
        rectangle("work", left_margin + 130, y_ - 12, 24, "");
        text(left_margin + 162, y_, "dim", "may take, having started last");
        line("end", left_margin + 384, y_ - 12, left_margin + 384, y_ + 4);
        text(left_margin + 394, y_, "dim", "the end");
        text(left_margin + 470, y_, "late", "the total timeout may come first");
    }

    void text(double at,
              double y,
              const char* kind,
              const std::string& words,
              const char* anchor = "start") {
        body_ += std::string("<text class=\"") + kind + "\" x=\"" + number(at) + "\" y=\"" +
                 number(y) + "\" text-anchor=\"" + anchor + "\">" + escaped(words) + "</text>\n";
    }
    void line(const char* kind, double x1, double y1, double x2, double y2) {
        body_ += std::string("<line class=\"") + kind + "\" x1=\"" + number(x1) + "\" y1=\"" +
                 number(y1) + "\" x2=\"" + number(x2) + "\" y2=\"" + number(y2) + "\"/>\n";
    }
    void rectangle(const char* kind, double at, double y, double w, const std::string& meaning) {
        body_ += std::string("<rect class=\"") + kind + "\" x=\"" + number(at) + "\" y=\"" +
                 number(y) + "\" width=\"" + number(w) + "\" height=\"" + number(bar_height) +
                 "\" rx=\"3\"" +
                 (meaning.empty() ? "/>\n" : "><title>" + meaning + "</title></rect>\n");
    }

    double longest_ = 0;
    double y_ = 44;
    std::string body_;
};

}  // namespace

std::string draw(const std::string& title, const std::vector<schedule>& schedules) {
    drawing d(schedules);
    for (const schedule& s : schedules) d.panel(s);
    return d.finish(title);
}

}  // namespace asio_retry::tool
