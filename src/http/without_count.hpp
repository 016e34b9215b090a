// Lets a handler of reads take the end of a wait, which has read nothing.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_WITHOUT_COUNT_HPP
#define ASIO_RETRY_SRC_HTTP_WITHOUT_COUNT_HPP

#include "http/core.hpp"

#include <boost/asio/associator.hpp>

#include <cstddef>
#include <utility>

namespace asio_retry::http::detail {

template <typename Handler>
class without_count {
public:
    explicit without_count(Handler handler) : handler_(std::move(handler)) {}

    const Handler& handler() const noexcept { return handler_; }

    void operator()(const error_code& ec) { std::move(handler_)(ec, std::size_t{0}); }

private:
    Handler handler_;
};

}  // namespace asio_retry::http::detail

/// Executor, allocator and cancellation slot are those of the handler.
template <template <typename, typename> class Associator, typename Handler, typename Default>
struct boost::asio::associator<Associator,
                               asio_retry::http::detail::without_count<Handler>,
                               Default> : Associator<Handler, Default> {
    using base = Associator<Handler, Default>;
    static typename base::type get(
        const asio_retry::http::detail::without_count<Handler>& h) noexcept {
        return base::get(h.handler());
    }
    static typename base::type get(const asio_retry::http::detail::without_count<Handler>& h,
                                   const Default& d) noexcept {
        return base::get(h.handler(), d);
    }
};

#endif
