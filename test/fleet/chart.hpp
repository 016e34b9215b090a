// A line chart as SVG.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace asio_retry::fleet {

class chart {
public:
    chart(std::string title, std::string x_label, std::string y_label)
        : title_(std::move(title)), x_label_(std::move(x_label)), y_label_(std::move(y_label)) {}

    using points = std::vector<std::pair<double, double>>;

    /// Lines are told apart by colour and by a legend, in this order.
    void add(std::string name, points line) {
        lines_.emplace_back(std::move(name), std::move(line));
    }
    /// A grey area over a part of the x axis.
    void shade(double from, double to, std::string what) {
        shade_from_ = from;
        shade_to_ = to;
        shade_what_ = std::move(what);
    }

    std::string svg() const;

private:
    std::string title_;
    std::string x_label_;
    std::string y_label_;
    std::vector<std::pair<std::string, points>> lines_;
    double shade_from_ = 0;
    double shade_to_ = 0;
    std::string shade_what_;
};

}  // namespace asio_retry::fleet
