// Refuses option values outside their range, with a text that says what would be right.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_CHECK_NUMBER_HPP
#define ASIO_RETRY_DETAIL_CHECK_NUMBER_HPP

#include <array>
#include <charconv>
#include <chrono>
#include <stdexcept>
#include <string>

namespace asio_retry::detail {

/// The shortest text that reads back as this number: 0.5, 100, 1e+09.
inline std::string number_text(double value) {
    std::array<char, 32> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

/// The value, if it lies in [least, most]. Throws std::invalid_argument otherwise.
inline double check_number(const char* name, double value, double least, double most) {
    if (value >= least && value <= most) return value;
    const char* why = "is not a number";
    if (value > most) why = "is too large";
    if (value < least) why = value < 0 ? "is negative" : "is too small";
    throw std::invalid_argument(std::string(name) + ": " + number_text(value) + " " + why +
                                "; must be from " + number_text(least) + " to " +
                                number_text(most));
}

/// The duration, if it is above zero. Throws std::invalid_argument otherwise.
inline std::chrono::nanoseconds check_positive(const char* name, std::chrono::nanoseconds d) {
    if (d > std::chrono::nanoseconds::zero()) return d;
    throw std::invalid_argument(std::string(name) + ": must be above 0");
}

}  // namespace asio_retry::detail

#endif
