// The verdict on an attempt of a fetch that ended with an error, perhaps in the middle of a
// response. SPDX-License-Identifier: BSL-1.0
#include "http/fetch_call.hpp"

#include <chrono>

namespace asio_retry::http::detail {

/// Of a response that was cut, or whose body is of no use, the reader still has the head.
verdict fetch_call::judge_error(const error_code& ec, attempt_facts known) {
    if (!known.response_started || !lease_.get()->reader().has_status()) {
        verdict v = detail::judge_error(begin_.what, begin_.policy, ec, known);
        if (proxy_wait_ && v.is_failure() && !v.retry_after()) v.retry_after(*proxy_wait_);
        return v;
    }
    const response_reader& reader = lease_.get()->reader();
    const auto said = server_word_of(reader.headers(), std::chrono::system_clock::now());
    const cut_response cut(reader.status(), said.wait);
    // Where the status has a say, the record shows it beside the error.
    if (is_worth_a_retry(begin_.policy, cut.status)) {
        call_->record().status = static_cast<int>(cut.status);
    }
    verdict v = detail::judge_error(begin_.what, begin_.policy, ec, known, cut);
    if (cut.status >= 400) obey(said, v);
    return v;
}

}  // namespace asio_retry::http::detail
