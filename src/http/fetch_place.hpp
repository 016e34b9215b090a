// Where a fetch stands while it is in progress.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_FETCH_PLACE_HPP
#define ASIO_RETRY_SRC_HTTP_FETCH_PLACE_HPP

#include "http/block_store.hpp"
#include "http/fetch_call.hpp"
#include "http/fetch_start.hpp"
#include "http/io_deadline.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace asio_retry::http::detail {

/// Apart from its coroutine's frame, as a large frame costs a visit to malloc.
class fetch_place {
public:
    template <typename... Args>
    explicit fetch_place(Args&&... args) : begin(std::forward<Args>(args)...) {}

    fetch_start begin;
    std::optional<fetch_call> call;
    std::optional<io_deadline> limit;
};

class fetch_place_end {
public:
    block_store* blocks;

    void operator()(fetch_place* p) const noexcept {
        p->~fetch_place();
        blocks->give(p);
    }
};

using fetch_place_ptr = std::unique_ptr<fetch_place, fetch_place_end>;

/// A place for what the arguments make a `fetch_start` of. The blocks must outlive it.
template <typename... Args>
fetch_place_ptr make_place(block_store& blocks, Args&&... args) {
    const auto unused = [&blocks](void* block) { blocks.give(block); };
    std::unique_ptr<void, decltype(unused)> block(blocks.take(), unused);
    fetch_place_ptr place(new (block.get()) fetch_place(std::forward<Args>(args)...), {&blocks});
    block.release();
    return place;
}

}  // namespace asio_retry::http::detail

#endif
