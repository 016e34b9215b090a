// Bodies for requests to be read from and responses to be delivered to.
#pragma once

#include <asio_retry/http/body_sink.hpp>
#include <asio_retry/http/body_source.hpp>
#include <asio_retry/http/response.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace asio_retry::test {

/// A text that can be read from its beginning again; of unknown length unless one is given.
http::body_source replayable(const std::string& text, std::optional<std::uint64_t> length = {});

/// A text that can be read once.
http::body_source one_shot(const std::string& text, std::optional<std::uint64_t> length = {});

/// More than is read, sent or kept in one piece.
std::string large_text();

/// Keeps what it is given.
class keeper : public http::body_sink {
public:
    explicit keeper(bool can_restart = false) : can_restart_(can_restart) {}

    boost::asio::awaitable<error_code> begin(const http::response& head) override {
        statuses.push_back(head.status());
        text.clear();
        co_return refusal;
    }
    boost::asio::awaitable<void> write(boost::asio::const_buffer bytes) override {
        text.append(static_cast<const char*>(bytes.data()), bytes.size());
        ++writes;
        largest = std::max(largest, bytes.size());
        if (fault) throw boost::system::system_error(fault);
        if (meanwhile) meanwhile();
        co_return;
    }
    boost::asio::awaitable<error_code> end(const http::response&) override {
        ++ends;
        co_return error_code();
    }
    bool can_begin_again() const noexcept override { return can_restart_; }

    std::string text;
    std::vector<unsigned> statuses;
    std::size_t writes = 0, largest = 0;
    int ends = 0;
    error_code refusal, fault;
    std::function<void()> meanwhile;  ///< called while it writes

private:
    bool can_restart_;
};

}  // namespace asio_retry::test
