// What an attempt completed with, and what async_retry completes with.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_COMPLETION_HPP
#define ASIO_RETRY_DETAIL_COMPLETION_HPP

#include <asio_retry/detail/outcome.hpp>
#include <asio_retry/detail/retry_call.hpp>
#include <asio_retry/retry_error.hpp>
#include <asio_retry/retry_result.hpp>

#include <boost/system/system_error.hpp>

#include <exception>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

inline void set_error(error_code& slot, const error_code& ec) noexcept { slot = ec; }
inline void set_error(std::exception_ptr& slot, const error_code& ec) {
    slot = std::make_exception_ptr(boost::system::system_error(ec));
}
inline void set_thrown(error_code& slot, const std::exception_ptr& e) noexcept {
    slot = error_of(e);
}
inline void set_thrown(std::exception_ptr& slot, const std::exception_ptr& e) noexcept { slot = e; }
inline error_code get_error(const error_code& ec) noexcept { return ec; }
inline error_code get_error(const std::exception_ptr& e) noexcept {
    return e ? error_of(e) : error_code();
}
inline std::exception_ptr get_cause(const error_code&) noexcept { return nullptr; }
inline std::exception_ptr get_cause(const std::exception_ptr& e) noexcept { return e; }

/// The results of an operation that completes with `void(Error, Ts...)`.
template <typename Error, typename... Ts>
class completion {
public:
    void store(Error e, Ts... values) {
        error_ = std::move(e);
        values_.emplace(std::move(values)...);
    }

    bool has_values() const noexcept { return values_.has_value(); }
    std::tuple<Ts...>& values() noexcept { return *values_; }
    error_code error() const noexcept { return get_error(error_); }
    std::exception_ptr cause() const noexcept { return get_cause(error_); }
    void replace_error(const error_code& ec) { set_error(error_, ec); }
    void fail(const std::exception_ptr& e) noexcept { set_thrown(error_, e); }
    Error take_error() noexcept { return std::move(error_); }

private:
    Error error_{};
    std::optional<std::tuple<Ts...>> values_;
};

/// A tuple as a coroutine would get it: nothing, the one value, or the tuple.
template <typename... Ts>
class collapsed {
public:
    using type = std::tuple<Ts...>;
};
template <typename T>
class collapsed<T> {
public:
    using type = T;
};
template <>
class collapsed<> {
public:
    using type = void;
};

/// Completes as the operation does; an operation without an error is given an error_code in front.
template <typename Error, typename... Ts>
class plain_finish {
public:
    using values = completion<Error, Ts...>;
    using signature = void(Error, Ts...);
    static constexpr bool reports_success = false;
    /// Whether only an attempt can provide values to complete with.
    static constexpr bool needs_attempt = !(std::is_default_constructible_v<Ts> && ...);

    static std::tuple<Error, Ts...> results(retry_call& call, values& last, reason why) {
        const error_code ec = call.completion_error(why);
        Error error = take_error(call, last, ec, why);
        if constexpr (!needs_attempt) {
            if (!last.has_values()) return {std::move(error), Ts()...};
        }
        return std::tuple_cat(std::tuple<Error>(std::move(error)), std::move(last.values()));
    }

private:
    static Error take_error(retry_call& call, values& last, const error_code& ec, reason why) {
        if constexpr (std::is_same_v<Error, std::exception_ptr>) {
            if (!ec) return nullptr;
            return std::make_exception_ptr(
                retry_error(ec, call.take_report(why), call.policy().name(), last.cause()));
        } else {
            if (why != reason::success && !call.unwatched()) call.take_report(why);
            return ec;
        }
    }
};

/// Completes with a retry_result.
template <typename Error, typename... Ts>
class reporting_finish {
public:
    using values = completion<Error, Ts...>;
    using result = retry_result<typename collapsed<Ts...>::type>;
    using signature = void(result);
    static constexpr bool reports_success = true;
    static constexpr bool needs_attempt = false;

    static std::tuple<result> results(retry_call& call, values& last, reason why) {
        using stored = typename result::stored_type;
        const error_code ec = call.completion_error(why);
        std::optional<stored> value;
        if (last.has_values() && (!last.error() || why == reason::success)) {
            if constexpr (sizeof...(Ts) == 0) {
                value.emplace();
            } else if constexpr (sizeof...(Ts) == 1) {
                value.emplace(std::get<0>(std::move(last.values())));
            } else {
                value.emplace(std::move(last.values()));
            }
        }
        retry_report report = call.take_report(why);
        return std::tuple<result>(result(std::move(value), ec, last.cause(), std::move(report)));
    }
};

/// Chooses the finish for an operation's signature.
template <template <typename, typename...> class Finish, typename Signature>
class finish_for;
template <template <typename, typename...> class Finish, typename R, typename... Ts>
class finish_for<Finish, R(Ts...)> {
public:
    using type = Finish<error_code, std::decay_t<Ts>...>;
    static void store(typename type::values& to, Ts... values) {
        to.store(error_code(), std::move(values)...);
    }
};
template <template <typename, typename...> class Finish, typename R, typename... Ts>
class finish_for<Finish, R(error_code, Ts...)> {
public:
    using type = Finish<error_code, std::decay_t<Ts>...>;
    static void store(typename type::values& to, const error_code& ec, Ts... values) {
        to.store(ec, std::move(values)...);
    }
};
template <template <typename, typename...> class Finish, typename R, typename... Ts>
class finish_for<Finish, R(std::exception_ptr, Ts...)> {
public:
    using type = Finish<std::exception_ptr, std::decay_t<Ts>...>;
    static void store(typename type::values& to, std::exception_ptr e, Ts... values) {
        to.store(std::move(e), std::move(values)...);
    }
};

template <template <typename, typename...> class Finish, typename R, typename... Ts>
class finish_for<Finish, R(const error_code&, Ts...)>
    : public finish_for<Finish, R(error_code, Ts...)> {};
template <template <typename, typename...> class Finish, typename R, typename... Ts>
class finish_for<Finish, R(const std::exception_ptr&, Ts...)>
    : public finish_for<Finish, R(std::exception_ptr, Ts...)> {};
template <template <typename, typename...> class Finish, typename R, typename... Ts>
class finish_for<Finish, R(std::error_code, Ts...)> {
    static_assert(!std::is_same_v<R, R>,
                  "async_retry: the operation must complete with a boost::system::error_code; a "
                  "std::error_code would be taken for a value");
};
template <template <typename, typename...> class Finish, typename R, typename... Ts>
class finish_for<Finish, R(const std::error_code&, Ts...)>
    : public finish_for<Finish, R(std::error_code, Ts...)> {};

}  // namespace asio_retry::detail

#endif
