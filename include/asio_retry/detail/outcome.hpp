// What one attempt ended with: a value, an error, or an exception.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_OUTCOME_HPP
#define ASIO_RETRY_DETAIL_OUTCOME_HPP

#include <asio_retry/error.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace asio_retry::detail {

/// Stands in for `void` where an object is needed.
class unit {};

template <typename T>
using storable = std::conditional_t<std::is_void_v<T>, unit, T>;

/// The error_code that a value carries, for operations that answer instead of throwing: an
/// `error_code`, or a tuple that begins with one (what `as_tuple` gives). Null for other types.
inline error_code* error_in(error_code& value) noexcept { return &value; }

template <typename... Ts>
error_code* error_in(std::tuple<error_code, Ts...>& value) noexcept {
    return &std::get<0>(value);
}

template <typename T>
std::nullptr_t error_in(T&) noexcept {
    return nullptr;
}

template <typename T>
inline constexpr bool carries_error =
    std::is_same_v<decltype(error_in(std::declval<T&>())), error_code*>;

/// What is thrown is no success, also if its code says so: of an errno that was 0, say.
inline error_code error_of_thrown(const error_code& ec) noexcept {
    return ec ? ec : make_error_code(error::operation_threw);
}

/// The error that an exception carries. Costs a throw.
inline error_code error_of(const std::exception_ptr& e) noexcept {
    try {
        std::rethrow_exception(e);
    } catch (const boost::system::system_error& s) {
        return error_of_thrown(s.code());
    } catch (const std::system_error& s) {
        return error_of_thrown(s.code());
    } catch (...) {
        return error::operation_threw;
    }
}

template <typename T>
class outcome {
public:
    using value_type = storable<T>;

    template <typename... Args>
    void succeed(Args&&... args) {
        state_.template emplace<1>(std::forward<Args>(args)...);
    }

    void fail(std::exception_ptr e, const error_code& ec) noexcept {
        state_.template emplace<0>(std::move(e), error_of_thrown(ec));
    }

    void fail(std::exception_ptr e) noexcept {
        const error_code ec = error_of(e);
        fail(std::move(e), ec);
    }

    void fail(const error_code& ec) noexcept { state_.template emplace<0>(nullptr, ec); }

    bool has_value() const noexcept { return state_.index() == 1; }
    value_type& value() noexcept { return *std::get_if<1>(&state_); }
    std::optional<value_type> take_value() {
        if (!has_value()) return std::nullopt;
        return std::move(value());
    }

    /// The error of the outcome, also where the value carries it.
    error_code error() noexcept {
        if constexpr (carries_error<value_type>) {
            if (has_value()) return *error_in(value());
        }
        const auto* const f = std::get_if<0>(&state_);
        return f != nullptr ? f->error : error_code();
    }

    /// Puts another error in place of the outcome's: the attempt timeout's, or a cancellation.
    void replace_error(const error_code& ec) noexcept {
        if constexpr (carries_error<value_type>) {
            if (has_value()) {
                *error_in(value()) = ec;
                return;
            }
        }
        fail(ec);
    }

    std::exception_ptr exception() const noexcept {
        const auto* const f = std::get_if<0>(&state_);
        return f != nullptr ? f->exception : nullptr;
    }

private:
    class failure {
    public:
        failure() = default;
        failure(std::exception_ptr e, const error_code& ec) noexcept
            : exception(std::move(e)), error(ec) {}

        std::exception_ptr exception;
        error_code error;
    };

    std::variant<failure, value_type> state_;
};

}  // namespace asio_retry::detail

#endif
