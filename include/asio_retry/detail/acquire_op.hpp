// The composed operation behind concurrency_limit::async_acquire.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_ACQUIRE_OP_HPP
#define ASIO_RETRY_DETAIL_ACQUIRE_OP_HPP

#include <asio_retry/concurrency_limit.hpp>
#include <asio_retry/detail/foreign_work.hpp>
#include <asio_retry/detail/slot_watch.hpp>
#include <asio_retry/detail/timed_wait.hpp>
#include <asio_retry/error.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

/// One wait for a place, on memory of the handler's allocator.
/** Owned by its continuation, which the wait or the executor holds. */
template <typename Executor, typename Handler>
class acquire_op : private slot_watch<acquire_op<Executor, Handler>> {
    friend slot_watch<acquire_op>;

public:
    static void start(Handler handler,
                      const Executor& ex,
                      concurrency_limit& limit,
                      steady_time deadline) {
        auto memory = rebind(allocator_for(handler));
        auto* const place = std::allocator_traits<decltype(memory)>::allocate(memory, 1);
        continuation next(*new (place) acquire_op(std::move(handler), ex));
        acquire_op& op = next.op();
        op.lease_ = limit.acquire(op.now(), op.ticket_);
        if (op.ticket_.is_queued()) {
            op.watch(op.handler_);
            op.ticket_.turn(deadline)(std::move(next));
        } else {
            if (!op.lease_) op.error_ = error::queue_full;
            const auto executor = op.executor_;
            boost::asio::post(executor, std::move(next));
        }
    }

private:
    acquire_op(Handler&& handler, const Executor& ex)
        : handler_(std::move(handler)),
          executor_(boost::asio::get_associated_executor(handler_, ex)),
          timers_(timer_service::of(ex)),
          foreign_work_(ex, executor_),
          ticket_(timers_) {}

    template <typename Allocator>
    static auto rebind(const Allocator& a) noexcept {
        return typename std::allocator_traits<Allocator>::template rebind_alloc<acquire_op>(a);
    }

    class continuation {
    public:
        using executor_type = boost::asio::associated_executor_t<Handler, Executor>;
        using allocator_type = decltype(allocator_for(std::declval<const Handler&>()));

        explicit continuation(acquire_op& op) noexcept : op_(&op) {}
        continuation(continuation&& other) noexcept : op_(std::exchange(other.op_, nullptr)) {}
        ~continuation() {
            if (op_ != nullptr) [[maybe_unused]]
                const Handler dropped = op_->release();
        }

        const executor_type& get_executor() const noexcept { return op_->executor_; }
        allocator_type get_allocator() const noexcept { return allocator_for(op_->handler_); }

        acquire_op& op() const noexcept { return *op_; }

        /// After a wait.
        void operator()(wait_result how) {
            op_->lease_ = op_->ticket_.take(op_->now());
            if (how == wait_result::cancelled) {
                op_->lease_.release();
                op_->error_ = boost::asio::error::operation_aborted;
            } else if (!op_->lease_) {
                op_->error_ = error::deadline_exceeded;
            }
            (*this)();
        }

        void operator()() {
            acquire_op& op = *std::exchange(op_, nullptr);
            op.unwatch(op.handler_);
            const error_code ec = op.error_;
            concurrency_lease lease = std::move(op.lease_);
            op.release()(ec, std::move(lease));
        }

    private:
        acquire_op* op_;
    };

    void cancel() noexcept { ticket_.cancel(); }
    steady_time now() const noexcept { return timers_.now(); }

    /// Frees the memory; the handler survives, so that it can use that memory again.
    Handler release() noexcept {
        Handler handler = std::move(handler_);
        auto memory = rebind(allocator_for(handler));
        this->~acquire_op();
        std::allocator_traits<decltype(memory)>::deallocate(memory, this, 1);
        return handler;
    }

    Handler handler_;
    boost::asio::associated_executor_t<Handler, Executor> executor_;
    timer_service& timers_;
    [[no_unique_address]] foreign_work_of<Handler, Executor> foreign_work_;
    concurrency_ticket ticket_;
    concurrency_lease lease_;
    error_code error_;
};

}  // namespace asio_retry::detail

namespace asio_retry {

template <typename Executor, typename CompletionToken>
auto concurrency_limit::async_acquire(const Executor& ex,
                                      steady_time deadline,
                                      CompletionToken&& token) {
    return boost::asio::async_initiate<CompletionToken, void(error_code, concurrency_lease)>(
        [this, ex, deadline](auto handler) {
            detail::acquire_op<Executor, decltype(handler)>::start(
                std::move(handler), ex, *this, deadline);
        },
        token);
}

}  // namespace asio_retry

#endif
