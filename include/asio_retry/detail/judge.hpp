// The verdict on an attempt, from its error, the caller's wish and the judgement of its value.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_JUDGE_HPP
#define ASIO_RETRY_DETAIL_JUDGE_HPP

#include <asio_retry/error.hpp>
#include <asio_retry/failure.hpp>
#include <asio_retry/retry_policy.hpp>

namespace asio_retry::detail {

/// The error's verdict, or without error the value's. A failure after the caller cancelled counts
/// as his; an abort that he did not ask for is an error like another, and so permanent.
template <typename JudgeValue>
verdict judge(const retry_policy& policy,
              const error_code& ec,
              bool cancelled,
              JudgeValue&& judge_value) {
    const verdict v = ec ? policy.classify(ec) : judge_value();
    if (!v.is_failure()) return v;
    if (cancelled) return failure_kind::cancelled;
    return v.kind() == failure_kind::cancelled ? verdict(failure_kind::permanent) : v;
}

}  // namespace asio_retry::detail

#endif
