// SPDX-License-Identifier: BSL-1.0
#include "fleet/chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace asio_retry::fleet {

namespace {

constexpr double left = 70;
constexpr double right = 700;
constexpr double top = 50;
constexpr double bottom = 350;

// Okabe and Ito's, which the colour-blind can tell apart.
constexpr std::array<const char*, 6> colours{
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};

std::string number(double v) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.5g", v);
    return text.data();
}

std::string text(double x, double y, const std::string& attributes, const std::string& words) {
    return "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" " + attributes + ">" + words +
           "</text>\n";
}

std::string stroke(double x1, double y1, double x2, double y2, const std::string& attributes) {
    return "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
           "\" y2=\"" + number(y2) + "\" " + attributes + "/>\n";
}

/// 1, 2 or 5 times a power of ten, so that there are four to ten steps.
double tick_step(double most) {
    const double power = std::pow(10, std::floor(std::log10(most)));
    for (const double factor : {0.1, 0.2, 0.5}) {
        if (most / (factor * power) <= 10) return factor * power;
    }
    return power;
}

class scale {
public:
    scale(double most, double from, double to) : most_(most), from_(from), to_(to) {}
    double operator()(double v) const { return from_ + (to_ - from_) * v / most_; }
    std::vector<double> ticks() const {
        std::vector<double> all;
        const double step = tick_step(most_);
        for (int i = 0; i * step <= most_ * 1.0001; ++i) all.push_back(i * step);
        return all;
    }

private:
    double most_;
    double from_;
    double to_;
};

std::string axes(const scale& x, const scale& y) {
    std::string out;
    for (const double v : y.ticks()) {
        out += stroke(left, y(v), right, y(v), "stroke=\"#ddd\"");
        out += text(left - 8, y(v) + 4, "text-anchor=\"end\"", number(v));
    }
    for (const double v : x.ticks()) {
        out += stroke(x(v), bottom, x(v), bottom + 5, "stroke=\"#444\"");
        out += text(x(v), bottom + 20, "text-anchor=\"middle\"", number(v));
    }
    return out + stroke(left, bottom, right, bottom, "stroke=\"#444\"");
}

}  // namespace

std::string chart::svg() const {
    double most_x = 0;
    double most_y = 0;
    for (const auto& [name, line] : lines_) {
        for (const auto& [px, py] : line) {
            most_x = std::max(most_x, px);
            most_y = std::max(most_y, py);
        }
    }
    const scale x(most_x, left, right);
    const scale y(most_y * 1.05, bottom, top);
    const double height = 420 + 20 * static_cast<double>(lines_.size());
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"" +
                      number(height) + "\" font-family=\"sans-serif\" font-size=\"12\">\n" +
                      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    out += text(left, 28, "font-size=\"16\" font-weight=\"bold\"", title_);
    if (shade_to_ > shade_from_) {
        out += "<rect x=\"" + number(x(shade_from_)) + "\" y=\"" + number(top) + "\" width=\"" +
               number(x(shade_to_) - x(shade_from_)) + "\" height=\"" + number(bottom - top) +
               "\" fill=\"#eee\"/>\n";
        out += text(x(shade_from_) + 4, top + 14, "fill=\"#666\"", shade_what_);
    }
    out += axes(x, y);
    out += text((left + right) / 2, bottom + 42, "text-anchor=\"middle\"", x_label_);
    out += text(
        18,
        (top + bottom) / 2,
        "text-anchor=\"middle\" transform=\"rotate(-90 18 " + number((top + bottom) / 2) + ")\"",
        y_label_);
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const std::string colour = colours[i % colours.size()];
        out += "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"" + colour + "\" points=\"";
        for (const auto& [px, py] : lines_[i].second) {
            out += number(x(px)) + "," + number(y(py)) + " ";
        }
        out += "\"/>\n";
        const double row = bottom + 66 + 20 * static_cast<double>(i);
        out += stroke(
            left, row - 4, left + 28, row - 4, "stroke-width=\"3\" stroke=\"" + colour + "\"");
        out += text(left + 36, row, "", lines_[i].first);
    }
    return out + "</svg>\n";
}

}  // namespace asio_retry::fleet
