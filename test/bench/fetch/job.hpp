// What a contestant of fetch_bench is to do, and what is measured while it does it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TEST_BENCH_FETCH_JOB_HPP
#define ASIO_RETRY_TEST_BENCH_FETCH_JOB_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace bench {

/// So many GETs of one URL over so many connections, from one thread.
class job {
public:
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string path;
    std::size_t body_size = 0;
    std::size_t connections = 1;
    std::size_t requests = 0;
    /// A file of the CA to trust; empty for plain HTTP.
    std::string ca;

    bool tls() const noexcept { return !ca.empty(); }
    std::string url() const {
        return (tls() ? "https://" : "http://") + host + ":" + std::to_string(port) + path;
    }
};

/// Hands out a job's requests, the first of them as a warm-up, and measures the others.
class tally {
public:
    explicit tally(const job& j);

    /// Whether another request is to be made.
    bool begin() noexcept { return begun_ < total_ && ++begun_ != 0; }

    bool has_more() const noexcept { return begun_ < total_; }

    /// A request has ended; ends the program if its response is not the one that the job expects.
    void end(unsigned status, std::size_t body_size, unsigned attempts = 1);

    /// One JSON object, with what a measured request costs; without a newline.
    std::string text() const;

private:
    class reading {
    public:
        static reading now();

        std::chrono::nanoseconds cpu{0};
        std::chrono::nanoseconds wall{0};
        std::size_t allocations = 0;
    };

    const std::size_t body_size_;
    const std::size_t warm_up_;
    const std::size_t total_;
    const std::size_t memory_;  // in KiB, before the first request
    std::size_t begun_ = 0;
    std::size_t ended_ = 0;
    std::size_t retries_ = 0;  // of the measured requests
    reading first_;
    reading last_;
};

}  // namespace bench

#endif
