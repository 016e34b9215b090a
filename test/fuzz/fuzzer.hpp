// What a fuzzer is made of: a function that tries one text, and what it requires.
/** With clang the program is one for libFuzzer (-DASIO_RETRY_BUILD_FUZZERS=ON). Otherwise it runs
    through the directories that it is given, each file and its neighbours, as a test. */
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TEST_FUZZ_FUZZER_HPP
#define ASIO_RETRY_TEST_FUZZ_FUZZER_HPP

#include <string_view>

namespace asio_retry::test {

/// Defined by each fuzzer.
void try_text(std::string_view text);

/// Ends the program with `what` if it does not hold.
void require(bool holds, const char* what);

}  // namespace asio_retry::test

#endif
