// Where a fetch stands while it is in progress.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FETCH_PLACE_HPP
#define ASIO_RETRY_SRC_HTTP_FETCH_PLACE_HPP

#include "http/block_store.hpp"
#include "http/connection_pool.hpp"
#include "http/fetch_call.hpp"
#include "http/fetch_start.hpp"
#include "http/io_deadline.hpp"
#include "http/wire.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace asio_retry::http::detail {

/// Apart from its coroutine's frame, which stays so small that Asio keeps it for the next call.
class fetch_place {
public:
    template <typename... Args>
    explicit fetch_place(std::shared_ptr<client_state> s, Args&&... args)
        : state(std::move(s)), timers(state->timers), begin(std::forward<Args>(args)...) {}

    std::shared_ptr<client_state> state;
    timer_service& timers;
    fetch_start begin;
    wire_request wire;
    std::string* operation = nullptr;  ///< told what failed, if not null
    fetch_lane* lane = nullptr;        ///< of a hedged call
    std::optional<fetch_call> call;
    std::optional<io_deadline> limit;
    std::optional<pool_ticket> ticket;
    std::optional<timed_wait> backoff;
    // Of the attempt.
    steady_time deadline{};
    error_code error;
    error_code send_error;
    bool reads_first_bytes = false;
    std::array<char, 1024> first_bytes;  ///< of the response, where it waits without a buffer
};

class fetch_place_end {
public:
    void operator()(fetch_place* p) const noexcept {
        const std::shared_ptr<client_state> state = std::move(p->state);
        std::string room = std::move(p->wire.bytes);
        p->~fetch_place();
        state->places.give({p, std::move(room)});
    }
};

using fetch_place_ptr = std::unique_ptr<fetch_place, fetch_place_end>;

/// A place for what the arguments behind the state make a `fetch_start` of.
template <typename... Args>
fetch_place_ptr make_place(std::shared_ptr<client_state> state, Args&&... args) {
    block_store::block b = state->places.take();
    try {
        fetch_place_ptr place(new (b.memory)
                                  fetch_place(std::move(state), std::forward<Args>(args)...));
        place->wire.bytes = std::move(b.text);
        return place;
    } catch (...) {
        ::operator delete(b.memory);
        throw;
    }
}

}  // namespace asio_retry::http::detail

#endif
