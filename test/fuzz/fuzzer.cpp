// SPDX-License-Identifier: BSL-1.0
#include "fuzz/fuzzer.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace asio_retry::test {

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "fuzzer: %s\n", what);
    std::abort();
}

}  // namespace asio_retry::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    asio_retry::test::try_text({reinterpret_cast<const char*>(data), size});
    return 0;
}

#ifndef ASIO_RETRY_LIBFUZZER
namespace {

/// Cut anywhere it is another text; so are its neighbours by one bit or one byte.
void try_neighbours(const std::string& text) {
    using asio_retry::test::try_text;
    const std::size_t step = 1 + text.size() / 300;
    for (std::size_t at = 0; at < text.size(); at += step) {
        try_text(std::string_view(text).substr(0, at));
        std::string changed = text;
        changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
        try_text(changed);
        changed = text;
        try_text(changed.erase(at, 1));
    }
}

}  // namespace

int main(int argc, char** argv) {
    int count = 0;
    for (int i = 1; i < argc; ++i) {
        for (const auto& each : std::filesystem::directory_iterator(argv[i])) {
            std::ifstream file(each.path(), std::ios::binary);
            const std::string text{std::istreambuf_iterator<char>(file), {}};
            asio_retry::test::try_text(text);
            try_neighbours(text);
            ++count;
        }
    }
    std::printf("%d texts and their neighbours\n", count);
    return count > 0 ? 0 : 1;
}
#endif
