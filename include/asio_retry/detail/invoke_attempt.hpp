// How a user's function is called for an attempt, and what types come of it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_INVOKE_ATTEMPT_HPP
#define ASIO_RETRY_DETAIL_INVOKE_ATTEMPT_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/operation.hpp>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

namespace asio = boost::asio;

template <typename Function>
class function_of {
public:
    using type = Function;
};
template <typename F, typename C, typename R>
class function_of<operation<F, C, R>> {
public:
    using type = F;
};

/// Calls `f(args...)`, or `f(a, args...)` where it wants to know of its attempt.
template <typename Function, typename... Args>
auto invoke_attempt(Function& f, const attempt& a, Args&... args) {
    if constexpr (std::is_invocable_v<Function&, Args&...>) {
        return std::invoke(f, args...);
    } else {
        static_assert(std::is_invocable_v<Function&, const attempt&, Args&...>,
                      "retry: the function must be callable as f(args...) or f(attempt, args...), "
                      "with the arguments as lvalues");
        return std::invoke(f, a, args...);
    }
}

template <typename T>
class awaitable_types {
    static_assert(!std::is_same_v<T, T>,
                  "retry: the function must answer an awaitable; for an operation that takes a "
                  "completion token use async_retry");
};
template <typename T, typename Executor>
class awaitable_types<asio::awaitable<T, Executor>> {
public:
    using value = T;
    using executor = Executor;
};

template <typename Function, typename... Args>
using retry_types =
    awaitable_types<decltype(invoke_attempt(std::declval<typename function_of<Function>::type&>(),
                                            std::declval<const attempt&>(),
                                            std::declval<Args&>()...))>;

}  // namespace asio_retry::detail

#endif
