// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/spdlog_observer.hpp>

#include <spdlog/spdlog.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace asio_retry {
namespace {

std::string_view name_of(std::string_view operation) noexcept {
    return operation.empty() ? std::string_view("operation") : operation;
}

/// "503 (server)", "Connection refused (connect)"; of a response that was cut both.
std::string failure_of(const attempt_record& r) {
    std::string text = r.status != 0 ? std::to_string(r.status) : r.error.message();
    if (r.status == 0 && !r.error) text = "value judged a failure";
    if (r.status != 0 && r.error) text += ", " + r.error.message();
    if (r.kind) {
        text += " (";
        text += to_string(*r.kind);
        text += ')';
    }
    return text;
}

/// A log line that cannot be made must not end the call it tells of.
template <typename Function>
void quietly(Function&& f) noexcept {
    try {
        f();
    } catch (...) {
    }
}

}  // namespace

spdlog_observer::spdlog_observer(std::shared_ptr<spdlog::logger> logger)
    : logger_(std::move(logger)) {
    if (!logger_) throw std::invalid_argument("spdlog_observer: the logger is null");
}

void spdlog_observer::attempt_started(std::string_view operation, const attempt& a) noexcept {
    if (!logger_->should_log(spdlog::level::debug)) return;
    quietly([&] { logger_->debug("{}: attempt {} started", name_of(operation), a.number()); });
}

void spdlog_observer::attempt_finished(std::string_view operation,
                                       const attempt_record& r) noexcept {
    if (!logger_->should_log(spdlog::level::debug)) return;
    quietly([&] {
        if (!r.kind) {
            logger_->debug("{}: attempt {} succeeded in {}",
                           name_of(operation),
                           r.number,
                           detail::to_text(r.elapsed));
        } else {
            logger_->debug("{}: attempt {} failed in {}: {}",
                           name_of(operation),
                           r.number,
                           detail::to_text(r.elapsed),
                           failure_of(r));
        }
    });
}

void spdlog_observer::retry_scheduled(std::string_view operation,
                                      const attempt_record& r) noexcept {
    quietly([&] {
        logger_->warn("{}: attempt {} failed: {}; next in {} ({})",
                      name_of(operation),
                      r.number,
                      failure_of(r),
                      detail::to_text(r.delay),
                      to_string(r.source));
    });
}

void spdlog_observer::gave_up(std::string_view operation, const retry_report& report) noexcept {
    quietly([&] { logger_->error("{}: {}", name_of(operation), report.summary()); });
}

}  // namespace asio_retry
