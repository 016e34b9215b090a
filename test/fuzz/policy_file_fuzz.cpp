// Any text either loads to policies, which are then written and read back, or is refused with a place.
// With clang a libFuzzer program (-DASIO_RETRY_BUILD_FUZZERS=ON); else a driver that runs through the
// files that it is given, for the tests.
// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/http/policy_file.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

namespace http = asio_retry::http;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "policy_file_fuzz: %s\n", what);
    std::abort();
}

void check(const http::policy_file_error& e, std::string_view text) {
    require(!e.problems().empty(), "refused without a reason");
    const auto lines = static_cast<std::uint32_t>(1 + std::count(text.begin(), text.end(), '\n'));
    for (const auto& each : e.problems()) {
        require(each.line() >= 1 && each.line() <= lines && each.column() >= 1, "no place");
        require(!each.text().empty(), "no text");
    }
}

void try_text(std::string_view text) {
    try {
        const auto table = http::parse_policies(text);
        require(http::parse_policies(http::print_policies(table)) == table, "not read back equal");
    } catch (const http::policy_file_error& e) {
        check(e, text);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try_text({reinterpret_cast<const char*>(data), size});
    return 0;
}

#ifndef ASIO_RETRY_LIBFUZZER
int main(int argc, char** argv) {
    int count = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& each : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream file(each.path(), std::ios::binary);
            const std::string text{std::istreambuf_iterator<char>(file), {}};
            try_text(text);
            // Cut anywhere it is another text; so are its neighbours by one bit.
            for (std::size_t at = 0; at < text.size(); at += 7) {
                try_text(std::string_view(text).substr(0, at));
                std::string changed = text;
                changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
                try_text(changed);
            }
            ++count;
        }
    }
    std::printf("policy_file_fuzz: %d texts and their neighbours\n", count);
    return count > 0 ? 0 : 1;
}
#endif
