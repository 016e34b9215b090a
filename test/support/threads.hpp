// Contexts that several threads run.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <optional>
#include <thread>
#include <vector>

namespace asio_retry::test {

class pool_threads {
public:
    explicit pool_threads(std::size_t n) : pool_(n) {}

    boost::asio::any_io_executor executor() { return pool_.get_executor(); }

    /// Waits until all work is done.
    void join() { pool_.join(); }
    /// Leaves what is not done yet.
    void stop() {
        pool_.stop();
        pool_.join();
    }

private:
    boost::asio::thread_pool pool_;
};

class context_threads {
public:
    explicit context_threads(std::size_t n) : work_(context_.get_executor()) {
        for (std::size_t i = 0; i < n; ++i) {
            threads_.emplace_back([this] { context_.run(); });
        }
    }
    ~context_threads() { stop(); }

    boost::asio::any_io_executor executor() { return context_.get_executor(); }

    void join() {
        work_.reset();
        for (auto& t : threads_) t.join();
        threads_.clear();
    }
    void stop() {
        context_.stop();
        join();
    }

private:
    boost::asio::io_context context_;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::vector<std::thread> threads_;
};

}  // namespace asio_retry::test
