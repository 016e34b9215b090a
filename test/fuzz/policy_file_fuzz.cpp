// Any text either loads to policies, which are then written and read back, or is refused with a
// place.
// SPDX-License-Identifier: BSL-1.0
#include "fuzz/fuzzer.hpp"
#include <asio_retry/http/policy_file.hpp>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace asio_retry::test {

namespace {

namespace http = asio_retry::http;

void check(const http::policy_file_error& e, std::string_view text) {
    require(!e.problems().empty(), "refused without a reason");
    const auto lines = static_cast<std::uint32_t>(1 + std::count(text.begin(), text.end(), '\n'));
    for (const auto& each : e.problems()) {
        require(each.line() >= 1 && each.line() <= lines && each.column() >= 1, "no place");
        require(!each.text().empty(), "no text");
    }
}

}  // namespace

void try_text(std::string_view text) {
    try {
        const auto table = http::parse_policies(text);
        require(http::parse_policies(http::print_policies(table)) == table, "not read back equal");
    } catch (const http::policy_file_error& e) {
        check(e, text);
    }
}

}  // namespace asio_retry::test
