// An operation with what belongs to it: how its values are judged, how it is reset between
// attempts. SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_OPERATION_HPP
#define ASIO_RETRY_OPERATION_HPP

#include <asio_retry/detail/closure_check.hpp>
#include <asio_retry/failure.hpp>

#include <functional>
#include <type_traits>
#include <utility>

namespace asio_retry {

namespace detail {

/// Judges no value: every value is a success.
class accept_every_value {
public:
    template <typename... Ts>
    constexpr verdict operator()(const Ts&...) const noexcept {
        return verdict::success();
    }
};

class no_reset {
public:
    constexpr void operator()() const noexcept {}
};

}  // namespace detail

/// A function to retry, with an optional judgement of its values and an optional reset.
/** Wherever a call takes a function, it takes one of these:

        auto fetch = operation(read_frame)
                         .classify_value([](const frame& f) { ... })
                         .reset([&] { socket.close(); });

    `classify_value` is given what an attempt gave besides its error, if the error is none, and
    answers a verdict; if it throws, the attempt has failed with what it threw. `reset` is called before each attempt but the first, on the call's executor;
    it must not throw. */
template <typename Function,
          typename Classify = detail::accept_every_value,
          typename Reset = detail::no_reset>
class operation {
public:
    explicit operation(Function f, Classify classify = Classify(), Reset reset = Reset())
        : function_(std::move(f)), classify_(std::move(classify)), reset_(std::move(reset)) {}

    template <typename NewClassify>
    auto classify_value(NewClassify classify) && {
        return operation<Function, NewClassify, Reset>(
            std::move(function_), std::move(classify), std::move(reset_));
    }

    template <typename NewReset>
    auto reset(NewReset hook) && {
        return operation<Function, Classify, NewReset>(
            std::move(function_), std::move(classify_), std::move(hook));
    }

    Function& function() noexcept { return function_; }

    template <typename... Ts>
    verdict judge(const Ts&... values) {
        return std::invoke(classify_, values...);
    }

    void run_reset() noexcept { std::invoke(reset_); }

private:
    [[no_unique_address]] Function function_;
    [[no_unique_address]] Classify classify_;
    [[no_unique_address]] Reset reset_;
};

namespace detail {

template <typename T>
inline constexpr bool is_operation = false;
template <typename F, typename C, typename R>
inline constexpr bool is_operation<operation<F, C, R>> = true;

/// An operation as it is, any other function as one without judgement and reset.
template <typename F>
auto as_operation(F&& f) {
    using function = std::decay_t<F>;
    if constexpr (is_operation<function>) {
        return function(std::forward<F>(f));
    } else {
        return operation<function>(std::forward<F>(f));
    }
}

}  // namespace detail
}  // namespace asio_retry

#endif
