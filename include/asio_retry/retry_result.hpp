// The result of a call that never throws: a value or an error, and in either case the report.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_RETRY_RESULT_HPP
#define ASIO_RETRY_RETRY_RESULT_HPP

#include <asio_retry/detail/outcome.hpp>
#include <asio_retry/report.hpp>
#include <asio_retry/retry_error.hpp>

#include <boost/asio/error.hpp>

#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace asio_retry {

/// What `try_retry` answers.
/** Holds a value if the last attempt gave one, *also where the classifier calls it a failure* (an
    HTTP 503, say); holds an error otherwise. `ok()` tells whether the call succeeded. */
template <typename T>
class retry_result {
public:
    using value_type = T;
    using stored_type = detail::storable<T>;

    /// The result of no call: cancelled before it began.
    retry_result()
        : error_(boost::asio::error::operation_aborted),
          report_(asio_retry::reason::cancelled, {}, 0, {}, {}, 0) {}

    retry_result(std::optional<stored_type>&& value,
                 error_code ec,
                 std::exception_ptr cause,
                 retry_report report)
        : value_(std::move(value)),
          cause_(std::move(cause)),
          error_(ec),
          report_(std::move(report)) {}

    /// Whether the last outcome was no failure.
    bool ok() const noexcept { return report_.reason() == asio_retry::reason::success; }
    explicit operator bool() const noexcept { return ok(); }

    bool has_value() const noexcept { return value_.has_value(); }

    /// The value. @throws retry_error if there is none.
    stored_type& value() & {
        if (!value_) throw_error();
        return *value_;
    }
    const stored_type& value() const& {
        if (!value_) throw_error();
        return *value_;
    }
    stored_type&& value() && {
        if (!value_) throw_error();
        return std::move(*value_);
    }
    stored_type& operator*() & noexcept { return *value_; }
    const stored_type& operator*() const& noexcept { return *value_; }
    stored_type&& operator*() && noexcept { return std::move(*value_); }
    stored_type* operator->() noexcept { return &*value_; }
    const stored_type* operator->() const noexcept { return &*value_; }

    /// The error the call completed with; no error if it has a value without one.
    const error_code& error() const noexcept { return error_; }
    /// What the last attempt threw, if it ended with an exception.
    const std::exception_ptr& cause() const noexcept { return cause_; }
    const retry_report& report() const noexcept { return report_; }
    asio_retry::reason reason() const noexcept { return report_.reason(); }

private:
    [[noreturn]] void throw_error() const { throw retry_error(error_, report_, {}, cause_); }

    std::optional<stored_type> value_;
    std::exception_ptr cause_;
    error_code error_;
    retry_report report_;
};

}  // namespace asio_retry

#endif
