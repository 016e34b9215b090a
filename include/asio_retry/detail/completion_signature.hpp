// Finds the completion signature of an operation without running it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_COMPLETION_SIGNATURE_HPP
#define ASIO_RETRY_DETAIL_COMPLETION_SIGNATURE_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/error.hpp>
#include <asio_retry/operation.hpp>

#include <boost/asio/async_result.hpp>

#include <type_traits>
#include <utility>

namespace asio_retry::detail {

/// A completion token whose result is the signature itself. Never used in running code; works where
/// `deferred` does not (operations over ranges, TLS handshakes, exception_ptr signatures).
class signature_probe {};

template <typename Signature>
class signature_is {
public:
    using type = Signature;
};

/// Starts `op(token)`, or `op(a, token)` where it wants to know of its attempt.
template <typename Operation, typename Token>
auto initiate_attempt(Operation& op, const attempt& a, Token&& token) {
    if constexpr (std::is_invocable_v<Operation&, const attempt&, Token>) {
        return op(a, std::forward<Token>(token));
    } else {
        return op(std::forward<Token>(token));
    }
}

template <typename T>
inline constexpr bool is_signature = false;
template <typename Signature>
inline constexpr bool is_signature<signature_is<Signature>> = true;

template <typename Operation>
class signature_of {
    using answer = decltype(initiate_attempt(
        std::declval<Operation&>(), std::declval<const attempt&>(), signature_probe()));
    static_assert(is_signature<answer>,
                  "async_retry: the operation must start an asynchronous operation with the "
                  "completion token it is given, and return what that returns");

public:
    using type = typename answer::type;
};

}  // namespace asio_retry::detail

template <typename R, typename... Args>
class boost::asio::async_result<asio_retry::detail::signature_probe, R(Args...)> {
public:
    using return_type = asio_retry::detail::signature_is<R(Args...)>;

    template <typename Initiation, typename... InitArgs>
    static return_type initiate(Initiation&&, asio_retry::detail::signature_probe, InitArgs&&...) {
        return {};
    }
};

#endif
