// The exception of a call that failed: the last error, with the report.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_RETRY_ERROR_HPP
#define ASIO_RETRY_RETRY_ERROR_HPP

#include <asio_retry/report.hpp>

#include <boost/system/system_error.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace asio_retry {

/// Thrown by `retry` (and `http::client::fetch`) when a call ends with an error.
/** `code()` is the last error as the operation gave it, or `operation_aborted` after a
    cancellation. `what()` says what failed, after how many attempts and why no more followed.
    Copying does not throw. */
class retry_error : public boost::system::system_error {
public:
    retry_error(error_code ec,
                retry_report report,
                const std::string& operation = {},
                std::exception_ptr cause = nullptr)
        : system_error(ec),
          details_(std::make_shared<const details>(std::move(report), operation)),
          cause_(std::move(cause)) {}

    /// "GET http://127.0.0.1:8080/a: 503 after 4 attempts in 1.7 s (attempts_exhausted)"
    const char* what() const noexcept override { return details_->text.c_str(); }

    const retry_report& report() const noexcept { return details_->report; }
    asio_retry::reason reason() const noexcept { return details_->report.reason(); }

    /// What the last attempt threw; null if it ended without an exception.
    const std::exception_ptr& cause() const noexcept { return cause_; }

private:
    class details {
    public:
        details(retry_report r, const std::string& operation)
            : report(std::move(r)),
              text((operation.empty() ? operation : operation + ": ") + report.summary()) {}

        retry_report report;
        std::string text;
    };

    std::shared_ptr<const details> details_;
    std::exception_ptr cause_;
};

}  // namespace asio_retry

#endif
