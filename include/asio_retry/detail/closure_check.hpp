// Refuses arguments that g++ before 13 destroys twice when they are temporaries beside a co_await.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_CLOSURE_CHECK_HPP
#define ASIO_RETRY_DETAIL_CLOSURE_CHECK_HPP

#include <string_view>
#include <type_traits>

namespace asio_retry::detail {

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13 && \
    !defined(ASIO_RETRY_ALLOW_TEMPORARY_CLOSURES)

template <typename T>
constexpr bool is_closure() noexcept {
    // "... [with T = main()::<lambda(int)>]"; a template over a closure ends in "> >]".
    constexpr std::string_view name = __PRETTY_FUNCTION__;
    return name.find("<lambda(") != std::string_view::npos && name.ends_with(")>]");
}

/// True for what is safe to pass as a temporary: GCC PR 101367 destroys capturing lambdas and
/// aggregates twice if their destructor does something.
template <typename T>
inline constexpr bool safe_temporary =
    std::is_lvalue_reference_v<T> || std::is_trivially_destructible_v<std::remove_cvref_t<T>> ||
    !(std::is_aggregate_v<std::remove_cvref_t<T>> || is_closure<std::remove_cvref_t<T>>());

#else

template <typename>
inline constexpr bool safe_temporary = true;

#endif

}  // namespace asio_retry::detail

/// Used at the entrance of every awaitable function.
#define ASIO_RETRY_CHECK_TEMPORARY(...)                                                 \
    static_assert(                                                                      \
        ::asio_retry::detail::safe_temporary<__VA_ARGS__>,                              \
        "asio-retry: g++ before 13 destroys this argument twice (GCC PR 101367) if it " \
        "is a temporary beside co_await. Give the lambda (or aggregate) a name and "    \
        "pass that, or capture by reference, or pass values as arguments of retry(). "  \
        "Where it is sure to be no temporary, define ASIO_RETRY_ALLOW_TEMPORARY_CLOSURES")

#endif
