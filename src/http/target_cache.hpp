// The URLs that a client has taken apart of late: most programs ask for the same few again and
// again. SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_TARGET_CACHE_HPP
#define ASIO_RETRY_SRC_HTTP_TARGET_CACHE_HPP

#include "http/target.hpp"
#include <asio_retry/detail/light_mutex.hpp>
#include <asio_retry/error.hpp>
#include <asio_retry/http/client_config.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

/// Thread-safe. Of bounded size; forgets one URL for another.
class target_cache {
public:
    /// As `parse_target` has it, and the proxy that the configuration, always the same, has for it;
    /// never null, and empty on error.
    std::shared_ptr<const target> parse(std::string_view url,
                                        const client_config& config,
                                        error_code& ec);

private:
    static constexpr std::size_t places = 64;
    /// In bytes; longer ones are not kept.
    static constexpr std::size_t longest = 512;

    class entry {
    public:
        std::string url;
        std::shared_ptr<const target> to;
    };

    asio_retry::detail::light_mutex mutex_;
    std::array<entry, places> entries_;
};

}  // namespace asio_retry::http::detail

#endif
