// Outstanding work for operations whose handler belongs to another context.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_FOREIGN_WORK_HPP
#define ASIO_RETRY_DETAIL_FOREIGN_WORK_HPP

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>

#include <optional>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

namespace asio = boost::asio;

/// Whether a handler is bound to an executor (where this Asio does not tell: maybe).
template <typename Handler, typename Executor>
concept has_own_executor = !requires {
    typename asio::associated_executor<Handler,
                                       Executor>::asio_associated_executor_is_unspecialised;
};

/// Keeps two contexts running where the handler's is not that of the operation: while one is at
/// work on the call, nothing else counts as work on the other.
template <typename Executor, typename HandlerExecutor>
class foreign_work {
public:
    foreign_work(const Executor& ex, const HandlerExecutor& own) {
        // They may be of different types: an io_context here, a thread_pool there.
        const asio::execution_context& here = asio::query(ex, asio::execution::context);
        const asio::execution_context& there = asio::query(own, asio::execution::context);
        if (&here == &there) return;
        constexpr auto work = asio::execution::outstanding_work.tracked;
        works_.emplace(asio::prefer(ex, work), asio::prefer(own, work));
    }

private:
    template <typename E>
    using tracked = std::decay_t<decltype(asio::prefer(std::declval<const E&>(),
                                                       asio::execution::outstanding_work.tracked))>;

    std::optional<std::pair<tracked<Executor>, tracked<HandlerExecutor>>> works_;
};

class no_work {
public:
    template <typename Executor>
    no_work(const Executor&, const Executor&) noexcept {}
};

template <typename Handler, typename Executor>
using foreign_work_of =
    std::conditional_t<has_own_executor<Handler, Executor>,
                       foreign_work<Executor, asio::associated_executor_t<Handler, Executor>>,
                       no_work>;

}  // namespace asio_retry::detail

#endif
