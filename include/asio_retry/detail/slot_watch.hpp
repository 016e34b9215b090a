// Lets an operation be cancelled by its caller's slot, whichever of the two ends first.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_SLOT_WATCH_HPP
#define ASIO_RETRY_DETAIL_SLOT_WATCH_HPP

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>

namespace asio_retry::detail {

namespace asio = boost::asio;

/// The base of an `Operation` with a function `cancel`, which must not move.
/** An operation that is dropped with its context cannot clear the slot, as its signal may be gone
    already; and what stands in the slot must not outlast the operation. So each of them tells the
    other of its end. */
template <typename Operation>
class slot_watch {
public:
    slot_watch() noexcept = default;
    slot_watch(const slot_watch&) = delete;
    slot_watch& operator=(const slot_watch&) = delete;
    ~slot_watch() {
        if (canceller_ != nullptr) canceller_->operation_ = nullptr;
    }

    /// Whether there is a slot that may cancel the operation.
    bool is_watching() const noexcept { return canceller_ != nullptr; }

    template <typename Handler>
    void watch(const Handler& handler) {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (slot.is_connected()) slot.template emplace<canceller>(*this);
    }

    /// Before the operation completes.
    template <typename Handler>
    void unwatch(const Handler& handler) noexcept {
        if (is_watching()) asio::get_associated_cancellation_slot(handler).clear();
    }

private:
    class canceller {
    public:
        explicit canceller(slot_watch& w) noexcept : operation_(&w) { w.canceller_ = this; }
        canceller(const canceller&) = delete;
        canceller& operator=(const canceller&) = delete;
        ~canceller() {
            if (operation_ != nullptr) operation_->canceller_ = nullptr;
        }

        void operator()(asio::cancellation_type) {
            if (operation_ != nullptr) static_cast<Operation*>(operation_)->cancel();
        }

        slot_watch* operation_;
    };

    canceller* canceller_ = nullptr;
};

}  // namespace asio_retry::detail

#endif
