// A picture of when the attempts of a call can start.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_SCHEDULE_SVG_HPP
#define ASIO_RETRY_TOOL_SCHEDULE_SVG_HPP

#include <tool/schedule.hpp>

#include <string>
#include <vector>

namespace asio_retry::tool {

/// An SVG document, for light and dark grounds, with nothing from outside in it.
/** A panel a schedule, a row an attempt, time from left to right: pale, when it may start; solid,
    how long it may take where it starts at the latest. */
std::string draw(const std::string& title, const std::vector<schedule>& schedules);

}  // namespace asio_retry::tool

#endif
