// SPDX-License-Identifier: BSL-1.0
#include "bench/fetch/job.hpp"

#include "bench/allocations.hpp"

#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace bench {

namespace {

/// "VmRSS" or "VmHWM", in KiB.
std::size_t memory_of_process(const std::string& field) {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        if (word != field + ":") continue;
        std::size_t size = 0;
        status >> size;
        return size;
    }
    return 0;
}

std::chrono::nanoseconds duration_of(const timeval& t) {
    return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
}

}  // namespace

tally::reading tally::reading::now() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    reading r;
    r.cpu = duration_of(used.ru_utime) + duration_of(used.ru_stime);
    r.wall = std::chrono::steady_clock::now().time_since_epoch();
    r.allocations = bench::allocations();
    return r;
}

tally::tally(const job& j)
    : body_size_(j.body_size),
      warm_up_(4 * j.connections),
      total_(warm_up_ + j.requests),
      memory_(memory_of_process("VmRSS")) {}

void tally::end(unsigned status, std::size_t body_size, unsigned attempts) {
    if (status != 200 || body_size != body_size_) {
        std::cerr << "fetch_bench: status " << status << " with " << body_size << " bytes\n";
        std::_Exit(1);
    }
    ++ended_;
    if (ended_ > warm_up_) retries_ += attempts - 1;
    if (ended_ == warm_up_) first_ = reading::now();
    if (ended_ == total_) last_ = reading::now();
}

std::string tally::text() const {
    const auto n = static_cast<double>(total_ - warm_up_);
    const auto each = [n](auto whole) { return static_cast<double>(whole) / n; };
    std::ostringstream out;
    out << "{\"requests\":" << total_ - warm_up_  //
        << ",\"cpu_ns\":" << each((last_.cpu - first_.cpu).count())
        << ",\"wall_ns\":" << each((last_.wall - first_.wall).count())
        << ",\"allocations\":" << each(last_.allocations - first_.allocations)
        << ",\"retries\":" << each(retries_)
        << ",\"memory_kib\":" << memory_of_process("VmHWM") - memory_ << "}";
    return out.str();
}

}  // namespace bench
