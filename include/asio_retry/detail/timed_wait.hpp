// A wait with an expiry that another party can end early: a backoff, a place in a queue.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_TIMED_WAIT_HPP
#define ASIO_RETRY_DETAIL_TIMED_WAIT_HPP

#include <asio_retry/detail/handler_allocator.hpp>
#include <asio_retry/detail/timer_service.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>

#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

/// Of `co_await asio::this_coro::cancellation_state`. Looked at after every wait: a cancellation
/// that comes when a completion is already on its way would be lost otherwise.
inline bool is_cancelled(const asio::cancellation_state& s) noexcept {
    return s.cancelled() != asio::cancellation_type::none;
}

/// How a wait ended.
enum class wait_result : std::uint8_t { expired, woken, cancelled };

/// One wait at a time, any number in turn. Stands in the waiting call and must not move.
/** `wake` may be called from any thread, also before the wait begins, and touches nothing after the
    wait can have ended; it must not be called after the object's end. Per-operation cancellation:
    every type ends the wait. */
class timed_wait : private timer_entry {
public:
    explicit timed_wait(timer_service& timers) noexcept : timer_entry(&on_fire), timers_(timers) {}

    timer_service& timers() const noexcept { return timers_; }

    /// A small operation to await, as `deferred` would give: `co_await wait.until(t)`.
    class operation {
    public:
        operation(timed_wait& wait, steady_time t) noexcept : wait_(&wait), time_(t) {}

        template <asio::completion_token_for<void(wait_result)> Token>
        auto operator()(Token&& token) const {
            return asio::async_initiate<Token, void(wait_result)>(
                [wait = wait_, t = time_](auto handler) { wait->start(std::move(handler), t); },
                token);
        }

    private:
        timed_wait* wait_;
        steady_time time_;
    };

    /// Waits until `t` or `wake`. Completes with `void(wait_result)` on the handler's executor,
    /// never inline.
    operation until(steady_time t) noexcept { return operation(*this, t); }

    /// Ends the wait, or the next one if none is in progress, as `woken`.
    /** A wait that had just ended otherwise stays so: what the waking is about must be kept
        elsewhere, and the woken party looks there. */
    void wake() noexcept {
        timers_.wake(woken_, *this, [this] { complete(wait_result::woken); });
    }

    /// Somebody uses what stands beside this in the waiting call. If the context is destroyed, the
    /// call is not before the last of them has let go.
    void hold() noexcept { ++holders_; }
    void let_go() noexcept { --holders_; }
    /// The same where the context is being destroyed. The waiting call may be gone afterwards.
    void let_go_for_good() noexcept {
        if (--holders_ == 0 && abandoned_) drop();
    }

    /// Ends the wait, if one is in progress, as `cancelled`.
    void cancel() noexcept {
        timers_.withdraw(*this, [this] { complete(wait_result::cancelled); });
    }

private:
    class pending {
    public:
        virtual void post(wait_result r) noexcept = 0;
        virtual void destroy() noexcept = 0;

    protected:
        ~pending() = default;
    };

    template <typename Handler>
    class pending_handler;

    template <typename Handler>
    void start(Handler handler, steady_time t);

    void complete(wait_result r) noexcept { std::exchange(pending_, nullptr)->post(r); }

    static void on_fire(timer_entry& entry, timer_event event) noexcept {
        auto& self = static_cast<timed_wait&>(entry);
        if (event == timer_event::expired) return self.complete(wait_result::expired);
        self.abandoned_ = true;
        if (self.holders_ == 0) self.drop();
    }

    void drop() noexcept { std::exchange(pending_, nullptr)->destroy(); }

    timer_service& timers_;
    pending* pending_ = nullptr;
    bool woken_ = false;  // guarded by the service
    bool abandoned_ = false;
    std::uint8_t holders_ = 0;
};

/// The handler of a wait in progress, on memory of the handler's own allocator.
template <typename Handler>
class timed_wait::pending_handler final : public timed_wait::pending {
    using executor_type = asio::associated_executor_t<Handler>;

public:
    explicit pending_handler(Handler&& handler) : handler_(std::move(handler)) {}

    static pending_handler* make(Handler&& handler) {
        auto allocator = rebind(allocator_for(handler));
        auto* const memory = std::allocator_traits<decltype(allocator)>::allocate(allocator, 1);
        return new (memory) pending_handler(std::move(handler));
    }

    executor_type get_executor() const noexcept { return asio::get_associated_executor(handler_); }
    auto slot() const noexcept { return asio::get_associated_cancellation_slot(handler_); }

    void post(wait_result r) noexcept override {
        result_ = r;
        asio::post(get_executor(), completion(this));
    }

    void destroy() noexcept override { [[maybe_unused]] const Handler handler = release(); }

private:
    /// Owns the pending handler on its way through the executor.
    class completion {
    public:
        using allocator_type = decltype(allocator_for(std::declval<const Handler&>()));

        explicit completion(pending_handler* p) noexcept : pending_(p) {}
        completion(completion&& other) noexcept
            : pending_(std::exchange(other.pending_, nullptr)) {}
        ~completion() {
            if (pending_ != nullptr) pending_->destroy();
        }

        allocator_type get_allocator() const noexcept { return allocator_for(pending_->handler_); }

        void operator()() {
            pending_handler* const p = std::exchange(pending_, nullptr);
            if (auto slot = p->slot(); slot.is_connected()) slot.clear();
            const wait_result r = p->result_;
            Handler handler = p->release();
            std::move(handler)(r);
        }

    private:
        pending_handler* pending_;
    };

    template <typename Allocator>
    static auto rebind(const Allocator& a) noexcept {
        return typename std::allocator_traits<Allocator>::template rebind_alloc<pending_handler>(a);
    }

    /// Frees the memory first, so that the handler can use it again.
    Handler release() noexcept {
        Handler handler = std::move(handler_);
        auto allocator = rebind(allocator_for(handler));
        this->~pending_handler();
        std::allocator_traits<decltype(allocator)>::deallocate(allocator, this, 1);
        return handler;
    }

    Handler handler_;
    wait_result result_ = wait_result::expired;
};

template <typename Handler>
void timed_wait::start(Handler handler, steady_time t) {
    auto* const p = pending_handler<Handler>::make(std::move(handler));
    pending_ = p;
    if (auto slot = p->slot(); slot.is_connected()) {
        slot.assign([this](asio::cancellation_type) { cancel(); });
    }
    if (!timers_.schedule_unless(woken_, *this, t)) complete(wait_result::woken);
}

}  // namespace asio_retry::detail

#endif
