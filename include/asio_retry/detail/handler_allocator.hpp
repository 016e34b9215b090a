// The memory that what belongs to a handler stands in.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_HANDLER_ALLOCATOR_HPP
#define ASIO_RETRY_DETAIL_HANDLER_ALLOCATOR_HPP

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/recycling_allocator.hpp>

#include <memory>
#include <type_traits>

namespace asio_retry::detail {

namespace asio = boost::asio;

/// The allocator to use for a handler: its own, or Asio's recycling one where it has none.
template <typename Handler>
auto allocator_for(const Handler& handler) noexcept {
    using associated = asio::associated_allocator_t<Handler>;
    if constexpr (std::is_same_v<associated, std::allocator<void>>) {
        return asio::recycling_allocator<void>();
    } else {
        return asio::get_associated_allocator(handler);
    }
}

}  // namespace asio_retry::detail

#endif
