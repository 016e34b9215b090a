// The whole core: retries for any Asio operation. HTTP is in asio_retry/http/client.hpp.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_ASIO_RETRY_HPP
#define ASIO_RETRY_ASIO_RETRY_HPP

#include <asio_retry/async_retry.hpp>
#include <asio_retry/attempt.hpp>
#include <asio_retry/backoff.hpp>
#include <asio_retry/circuit_breaker.hpp>
#include <asio_retry/classifier.hpp>
#include <asio_retry/concurrency_limit.hpp>
#include <asio_retry/error.hpp>
#include <asio_retry/failure.hpp>
#include <asio_retry/hedge.hpp>
#include <asio_retry/hedge_options.hpp>
#include <asio_retry/jitter.hpp>
#include <asio_retry/observer.hpp>
#include <asio_retry/operation.hpp>
#include <asio_retry/pacer.hpp>
#include <asio_retry/report.hpp>
#include <asio_retry/retry.hpp>
#include <asio_retry/retry_budget.hpp>
#include <asio_retry/retry_error.hpp>
#include <asio_retry/retry_executor.hpp>
#include <asio_retry/retry_policy.hpp>
#include <asio_retry/retry_result.hpp>
#include <asio_retry/timeout.hpp>
#include <asio_retry/version.hpp>

#endif
