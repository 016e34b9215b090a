// The verdict on an attempt of a fetch that ended with an error, perhaps in the middle of a response.
// SPDX-License-Identifier: BSL-1.0
#include "http/fetch_call.hpp"

#include <chrono>

namespace asio_retry::http::detail {

/// Of a response that was cut the reader still has the head.
verdict fetch_call::judge_error(const error_code& ec, attempt_facts known) {
    const bool is_cut = known.response_started && call_->record().status == 0 &&
                        lease_.get()->reader().has_status();
    if (!is_cut) return detail::judge_error(begin_.what, begin_.policy, ec, known);
    const response_reader& reader = lease_.get()->reader();
    const auto said = server_word_of(reader.headers(), std::chrono::system_clock::now());
    const cut_response cut(reader.status(), said.wait);
    verdict v = detail::judge_error(begin_.what, begin_.policy, ec, known, cut);
    if (cut.status >= 400) obey(said, v);
    return v;
}

}  // namespace asio_retry::http::detail
