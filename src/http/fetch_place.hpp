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

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace asio_retry::http::detail {

/// Apart from its coroutine's frame, which stays so small that Asio keeps it for the next call.
class fetch_place {
public:
    template <typename... Args>
    explicit fetch_place(std::string room, Args&&... args) : begin(std::forward<Args>(args)...) {
        wire.bytes = std::move(room);
    }

    fetch_start begin;
    wire_request wire;
    std::optional<fetch_call> call;
    std::optional<io_deadline> limit;
    std::optional<pool_ticket> ticket;
    std::optional<timed_wait> backoff;
};

class fetch_place_end {
public:
    block_store* blocks;

    void operator()(fetch_place* p) const noexcept {
        std::string room = std::move(p->wire.bytes);
        p->~fetch_place();
        blocks->give({p, std::move(room)});
    }
};

using fetch_place_ptr = std::unique_ptr<fetch_place, fetch_place_end>;

/// A place for what the arguments make a `fetch_start` of. The blocks must outlive it.
template <typename... Args>
fetch_place_ptr make_place(block_store& blocks, Args&&... args) {
    block_store::block b = blocks.take();
    try {
        auto* const p = new (b.memory) fetch_place(std::move(b.text), std::forward<Args>(args)...);
        return fetch_place_ptr(p, {&blocks});
    } catch (...) {
        blocks.give({b.memory, {}});
        throw;
    }
}

}  // namespace asio_retry::http::detail

#endif
