// Lets every type of cancellation reach operations that know only the terminal one.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_TERMINAL_CANCELLATION_HPP
#define ASIO_RETRY_SRC_HTTP_TERMINAL_CANCELLATION_HPP

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <utility>

namespace asio_retry::http::detail {

/// Stands between a handler and an operation of TLS; the signal must outlive the operation.
template <typename Handler>
class terminal_cancellation {
public:
    using executor_type = boost::asio::associated_executor_t<Handler>;
    using allocator_type = boost::asio::associated_allocator_t<Handler>;
    using cancellation_slot_type = boost::asio::cancellation_slot;

    terminal_cancellation(Handler handler, boost::asio::cancellation_signal& signal)
        : handler_(std::move(handler)), slot_(signal.slot()) {
        auto outer = boost::asio::get_associated_cancellation_slot(handler_);
        if (outer.is_connected()) {
            outer.assign([&signal](boost::asio::cancellation_type) {
                signal.emit(boost::asio::cancellation_type::terminal);
            });
        }
    }

    executor_type get_executor() const noexcept {
        return boost::asio::get_associated_executor(handler_);
    }
    allocator_type get_allocator() const noexcept {
        return boost::asio::get_associated_allocator(handler_);
    }
    cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }

    template <typename... Args>
    void operator()(Args&&... args) {
        auto outer = boost::asio::get_associated_cancellation_slot(handler_);
        if (outer.is_connected()) outer.clear();
        std::move(handler_)(std::forward<Args>(args)...);
    }

private:
    Handler handler_;
    boost::asio::cancellation_slot slot_;
};

}  // namespace asio_retry::http::detail

#endif
