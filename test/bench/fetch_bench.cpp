// Has one client make many requests, and prints what each of them cost. The script `fetch_figures`
// runs it for all clients, against a server of its own.
// SPDX-License-Identifier: BSL-1.0
#include "bench/fetch/contestants.hpp"

#include <array>
#include <charconv>
#include <iostream>
#include <stdexcept>
#include <string_view>

namespace {

class contestant {
public:
    std::string_view name;
    void (*run)(const bench::job&, bench::tally&);
};

constexpr std::array contestants = {
    contestant{"library", &bench::run_library},
    contestant{"library-url", &bench::run_library_url},
    contestant{"library-retrying", &bench::run_library_retrying},
    contestant{"beast", &bench::run_beast},
    contestant{"beast-textbook", &bench::run_textbook_beast},
#ifdef ASIO_RETRY_BENCH_CURL
    contestant{"curl", &bench::run_curl},
#endif
};

template <typename Number>
Number number(std::string_view text) {
    Number n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw std::invalid_argument("'" + std::string(text) + "' is no number");
    }
    return n;
}

int usage() {
    std::cerr << "usage: fetch_bench CLIENT PORT PATH BODY_SIZE CONNECTIONS REQUESTS [CA_FILE]\n"
                 "clients:";
    for (const contestant& c : contestants) std::cerr << " " << c.name;
    std::cerr << "\n";
    return 2;
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 7 || argc > 8) return usage();
    bench::job j;
    j.port = number<std::uint16_t>(argv[2]);
    j.path = argv[3];
    j.body_size = number<std::size_t>(argv[4]);
    j.connections = number<std::size_t>(argv[5]);
    j.requests = number<std::size_t>(argv[6]);
    if (argc == 8) j.ca = argv[7];
    for (const contestant& c : contestants) {
        if (c.name != argv[1]) continue;
        bench::tally t(j);
        c.run(j, t);
        std::cout << t.text() << std::endl;
        return 0;
    }
    return usage();
} catch (const std::exception& e) {
    std::cerr << "fetch_bench: " << e.what() << "\n";
    return 2;
}
