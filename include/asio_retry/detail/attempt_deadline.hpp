// The deadline of one attempt: cancels its operation, and joins with its end.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_ATTEMPT_DEADLINE_HPP
#define ASIO_RETRY_DETAIL_ATTEMPT_DEADLINE_HPP

#include <asio_retry/detail/timer_service.hpp>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <memory>
#include <utility>

namespace asio_retry::detail {

/// Every type at once: an operation that knows only terminal cancellation ends as promptly as one
/// that knows them all.
inline constexpr asio::cancellation_type any_cancellation = asio::cancellation_type::terminal |
                                                            asio::cancellation_type::partial |
                                                            asio::cancellation_type::total;

/// Cancels an operation at a point in time. Stands in the call and must not move.
/** Up to three parties take part in an attempt: the one that initiates the operation, the operation's
    completion, and the expiry if it fires. The last of them continues the call, so that none is left
    with a dangling reference whatever the threads do. Reusable for the next attempt after that.

    The call has `timers()` and `executor()`, goes on in `attempt_done()`, and ends in `abandon()` if
    the context is destroyed. */
template <typename Call>
class attempt_deadline : private timer_entry {
public:
    explicit attempt_deadline(Call& call) noexcept : timer_entry(&on_fire), call_(call) {}

    ~attempt_deadline() {
        if (parties_ == 0) return;  // not armed, or ended as it should
        call_.timers().withdraw(*this);
        if (posted_) *posted_ = nullptr;
    }

    asio::cancellation_slot slot() noexcept { return signal_.slot(); }

    /// Before the operation is initiated.
    void arm(steady_time t) {
        parties_ = 3;
        phase_ = phase::initiating;
        expired_ = false;
        call_.timers().schedule(*this, t);
    }

    /// After the operation is initiated. True if the caller is to continue the call.
    bool initiated() {
        if (phase_.exchange(phase::running) == phase::expired) signal_.emit(any_cancellation);
        return leave(1);
    }

    /// When the operation has completed. True if the caller is to continue the call.
    bool completed() noexcept { return leave(call_.timers().withdraw(*this) ? 2 : 1); }

    /// Passes the caller's cancellation on to the operation. Call on the executor.
    void cancel() { signal_.emit(any_cancellation); }

    /// Whether the time ran out before the operation completed.
    bool expired() const noexcept { return expired_; }

private:
    enum class phase : std::uint8_t { initiating, running, expired };

    bool leave(int parties) noexcept { return parties_.fetch_sub(parties) == parties; }

    /// Brings the expiry to the executor. Knows by the link whether the deadline is still there.
    class expiry {
    public:
        explicit expiry(std::shared_ptr<attempt_deadline*> link) noexcept
            : link_(std::move(link)) {}
        expiry(expiry&&) noexcept = default;
        ~expiry() {
            if (link_ && *link_ != nullptr) (*link_)->abandon();
        }

        void operator()() {
            const auto link = std::move(link_);
            if (*link != nullptr) (*link)->expire();
        }

    private:
        std::shared_ptr<attempt_deadline*> link_;
    };

    static void on_fire(timer_entry& entry, timer_event event) noexcept {
        if (event == timer_event::abandoned) return;
        auto& self = static_cast<attempt_deadline&>(entry);
        self.posted_ = std::make_shared<attempt_deadline*>(&self);
        asio::post(self.call_.executor(), expiry(self.posted_));
    }

    void expire() {
        posted_.reset();
        expired_ = true;
        if (phase_.exchange(phase::expired) == phase::running) signal_.emit(any_cancellation);
        if (leave(1)) call_.attempt_done();
    }

    void abandon() noexcept {
        posted_.reset();
        if (leave(1)) call_.abandon();
    }

    Call& call_;
    asio::cancellation_signal signal_;
    std::shared_ptr<attempt_deadline*> posted_;
    std::atomic<int> parties_{0};
    std::atomic<phase> phase_{phase::initiating};
    bool expired_ = false;
};

}  // namespace asio_retry::detail

#endif
