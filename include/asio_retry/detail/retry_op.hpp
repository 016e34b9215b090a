// The composed operation that drives a retry_call for any completion token.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_RETRY_OP_HPP
#define ASIO_RETRY_DETAIL_RETRY_OP_HPP

#include <asio_retry/detail/call_timer.hpp>
#include <asio_retry/detail/completion_signature.hpp>
#include <asio_retry/detail/foreign_work.hpp>
#include <asio_retry/detail/handler_allocator.hpp>
#include <asio_retry/detail/judge.hpp>
#include <asio_retry/detail/retry_call.hpp>
#include <asio_retry/detail/slot_watch.hpp>
#include <asio_retry/detail/timer_service.hpp>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

/// Marks, on the stack of the thread, the call whose operation is being initiated. If its handler is
/// dropped meanwhile the operation may be about to throw, and whoever initiated it sees to the call.
class initiation_mark {
public:
    explicit initiation_mark(const void* call) noexcept : call_(call), outer_(innermost_) {
        innermost_ = this;
    }
    initiation_mark(const initiation_mark&) = delete;
    initiation_mark& operator=(const initiation_mark&) = delete;
    ~initiation_mark() { innermost_ = outer_; }

    bool was_dropped() const noexcept { return call_ == nullptr; }

    /// Whether the call is being initiated on this thread. It is marked as dropped then.
    static bool drops(const void* call) noexcept {
        for (initiation_mark* i = innermost_; i != nullptr; i = i->outer_) {
            if (i->call_ != call) continue;
            i->call_ = nullptr;
            return true;
        }
        return false;
    }

private:
    static inline constinit thread_local initiation_mark* innermost_ = nullptr;

    const void* call_;
    initiation_mark* outer_;
};

/// One call of async_retry in progress, on memory of the handler's allocator.
/** Owned by whatever is pending: the attempt's completion handler or the backoff's. A context that
    is destroyed drops that, and the call with it. Between them the call owns itself. `Choice` (a
    `finish_for`) makes the handler's arguments of the last attempt's. All steps run on the
    handler's executor. */
template <typename Choice, typename Executor, typename Operation, typename Handler>
class retry_op : private call_timer<retry_op<Choice, Executor, Operation, Handler>>,
                 private slot_watch<retry_op<Choice, Executor, Operation, Handler>> {
    using finish_type = typename Choice::type;
    using executor_type = asio::associated_executor_t<Handler, Executor>;

    friend call_timer<retry_op>;
    friend slot_watch<retry_op>;

public:
    template <typename H>
    static void start(
        H&& handler, const Executor& ex, timer_service& timers, retry_policy policy, Operation op) {
        auto memory = rebind(allocator_for(handler));
        auto* const place = std::allocator_traits<decltype(memory)>::allocate(memory, 1);
        auto* const call = new (place)
            retry_op(std::forward<H>(handler), ex, timers, std::move(policy), std::move(op));
        retry_action next = call->call_.start(call->timers_.now());
        if (next.what == retry_action::type::finish) {
            if constexpr (finish_type::needs_attempt) {
                // There is no value to complete with: one attempt, which is cancelled at once.
                next = retry_action::make_attempt();
            } else {
                return call->post(finisher(*call, next.why));
            }
        }
        call->watch(call->handler_);
        call->proceed(next);
    }

private:
    template <typename H>
    retry_op(
        H&& handler, const Executor& ex, timer_service& timers, retry_policy policy, Operation op)
        : handler_(std::forward<H>(handler)),
          executor_(asio::get_associated_executor(handler_, ex)),
          timers_(timers),
          foreign_work_(ex, executor_),
          policy_(std::move(policy)),
          call_(policy_),
          operation_(std::move(op)) {}

    ~retry_op() { this->forsake(); }

    template <typename Allocator>
    static auto rebind(const Allocator& a) noexcept {
        return typename std::allocator_traits<Allocator>::template rebind_alloc<retry_op>(a);
    }

    /// Frees the memory; the handler survives, so that it can use that memory again.
    Handler release() noexcept {
        Handler handler = std::move(handler_);
        auto memory = rebind(allocator_for(handler));
        this->~retry_op();
        std::allocator_traits<decltype(memory)>::deallocate(memory, this, 1);
        return handler;
    }

    /// What an attempt's and a backoff's handler have in common: they own the call until they run.
    class continuation {
    public:
        using executor_type = retry_op::executor_type;
        using allocator_type = decltype(allocator_for(std::declval<const Handler&>()));

        explicit continuation(retry_op& call) noexcept : call_(&call) {}
        continuation(continuation&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
        ~continuation() {
            if (call_ != nullptr) [[unlikely]]
                call_->abandon();
        }

        const executor_type& get_executor() const noexcept { return call_->executor_; }
        allocator_type get_allocator() const noexcept { return allocator_for(call_->handler_); }

    protected:
        retry_op& take() noexcept { return *std::exchange(call_, nullptr); }
        retry_op& call() const noexcept { return *call_; }

    private:
        retry_op* call_;
    };

    class attempt_handler : public continuation {
    public:
        using cancellation_slot_type = asio::cancellation_slot;
        using continuation::continuation;

        cancellation_slot_type get_cancellation_slot() const noexcept {
            return this->call().slot();
        }

        template <typename... Ts>
        void operator()(Ts&&... results) {
            retry_op& call = this->take();
            Choice::store(call.last_, std::forward<Ts>(results)...);
            if (call.completed()) call.attempt_done();
        }
    };

    class wait_handler : public continuation {
    public:
        using continuation::continuation;

        void operator()() {
            retry_op& call = this->take();
            call.proceed(call.wait_done(call.timers_.now()));
        }
    };

    timer_service& timers() const noexcept { return timers_; }
    const executor_type& executor() const noexcept { return executor_; }

    template <typename Continuation>
    void post(Continuation next) {
        const executor_type executor = executor_;
        asio::post(executor, std::move(next));
    }

    class resumer : public continuation {
    public:
        using continuation::continuation;
        void operator()() { this->take().attempt_done(); }
    };

    class finisher : public continuation {
    public:
        finisher(retry_op& call, reason why) noexcept : continuation(call), why_(why) {}
        void operator()() { this->take().finish(why_); }

    private:
        reason why_;
    };

    void cancel() {
        this->cancelled_ = true;
        this->cancel_step();
    }

    void backoff_done() { post(wait_handler(*this)); }

    retry_action wait_done(steady_time now) noexcept {
        return this->cancelled_ ? call_.cancel(now) : call_.wait_done(now);
    }

    void proceed(retry_action next) {
        while (next.what == retry_action::type::wait) {
            operation_.run_reset();
            if (next.delay > nanoseconds::zero() && !this->cancelled_) {
                return this->back_off(call_.wake_time());
            }
            next = wait_done(this->cancelled_ ? timers_.now() : call_.wake_time());
        }
        if (next.what == retry_action::type::finish) return finish(next.why);
        make_attempt();
    }

    void make_attempt() {
        const attempt current = call_.begin_attempt();
        // What is cancelled already, and what is only made for want of a value, ends at once.
        const bool ends_at_once =
            this->cancelled_ || (finish_type::needs_attempt && call_.number() == 0);
        const steady_time end = ends_at_once ? timers_.now() : current.deadline();
        const bool limited = end != steady_time::max();
        if (limited) {
            this->begin_until(end);
        } else {
            this->begin_unlimited(this->is_watching());
        }
        // The other context is not run out of work while this thread is still in the operation.
        [[maybe_unused]] const auto busy = foreign_work_;
        initiation_mark here(this);
        try {
            initiate_attempt(operation_.function(), current, attempt_handler(*this));
        } catch (...) {
            // Where the operation has kept the handler all the same, nobody knows who owns the call.
            if (!here.was_dropped()) throw;
            return initiation_threw(std::current_exception(), limited);
        }
        if (here.was_dropped()) return abandon();
        // Without a deadline the call may be gone by now.
        if (limited && this->initiated()) post(resumer(*this));
    }

    /// No operation has begun, and its handler is gone: the attempt has failed.
    void initiation_threw(const std::exception_ptr& e, bool limited) {
        if (finish_type::needs_attempt && !last_.has_values()) {
            abandon();
            std::rethrow_exception(e);
        }
        last_.fail(e);
        if (!limited || this->never_began()) post(resumer(*this));
    }

    void attempt_done() {
        if (this->end_attempt() && !this->cancelled_ &&
            last_.error() == asio::error::operation_aborted) {
            last_.replace_error(error::attempt_timeout);
        }
        const verdict v =
            judge(policy_, last_.error(), this->cancelled_, [this] { return judge_values(); });
        const error_code ec = last_.error();
        // An attempt that was made for want of a value is no success in any case.
        const bool counts = !finish_type::needs_attempt || call_.number() != 0;
        if (!v.is_failure() && !finish_type::reports_success && call_.unwatched() && counts) {
            if (!call_.is_plain()) call_.succeed_unwatched(timers_.now());
            return finish(reason::success);
        }
        proceed(call_.end_attempt(timers_.now(), v, ec, random_of(policy_, timers_)));
    }

    verdict judge_values() {
        try {
            return std::apply([this](const auto&... vs) { return operation_.judge(vs...); },
                              last_.values());
        } catch (...) {
            last_.fail(std::current_exception());
            return policy_.classify(last_.error());
        }
    }

    void finish(reason why) {
        this->unwatch(handler_);
        auto results = finish_type::results(call_, last_, why);
        std::apply(release(), std::move(results));
    }

    void abandon() noexcept {
        if (initiation_mark::drops(this)) return;
        [[maybe_unused]] const Handler handler = release();
    }

    Handler handler_;
    executor_type executor_;
    timer_service& timers_;
    [[no_unique_address]] foreign_work_of<Handler, Executor> foreign_work_;
    retry_policy policy_;
    retry_call call_;
    [[no_unique_address]] Operation operation_;
    [[no_unique_address]] typename finish_type::values last_;
};

}  // namespace asio_retry::detail

#endif
