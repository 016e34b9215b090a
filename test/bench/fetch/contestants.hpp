// The clients that fetch_bench compares.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TEST_BENCH_FETCH_CONTESTANTS_HPP
#define ASIO_RETRY_TEST_BENCH_FETCH_CONTESTANTS_HPP

#include "bench/fetch/job.hpp"

namespace bench {

/// The library as it comes: default policy with its deadlines, pool and report. One request object
/// is made and sent again and again.
void run_library(const job& j, tally& t);

/// The same with a request made from a URL string each time.
void run_library_url(const job& j, tally& t);

/// The library with ten attempts and no backoff, for a server that fails.
void run_library_retrying(const job& j, tally& t);

/// Beast as somebody who knows it would write it: a connection a coroutine, a concrete executor, no
/// exceptions, a buffer of 16 KiB, one request object. Without deadlines and retries.
void run_beast(const job& j, tally& t);

/// Beast as its examples have it: tcp_stream with a timeout, a buffer as it comes, exceptions.
void run_textbook_beast(const job& j, tally& t);

/// libcurl's multi interface over epoll: a handle a connection.
void run_curl(const job& j, tally& t);

}  // namespace bench

#endif
