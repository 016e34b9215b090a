// An endpoint in as little memory as it needs, and in one place.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_PACKED_ENDPOINT_HPP
#define ASIO_RETRY_SRC_HTTP_PACKED_ENDPOINT_HPP

#include <asio_retry/http/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <string_view>

namespace asio_retry::http::detail {

/// An endpoint but for its policy. Behind it stand its host, its path and its name, and then the
/// next.
/** A lookup waits for memory most of the time: this is one place to wait for. */
class packed_endpoint {
public:
    static std::size_t size_of(const endpoint& e) noexcept {
        const endpoint_match& m = e.match();
        const auto text = m.host().size() + m.path_text().size() + e.name().size();
        return sizeof(packed_endpoint) + (text + alignment - 1) / alignment * alignment;
    }

    /// Makes one where `size_of(e)` bytes are, aligned.
    static packed_endpoint* make(std::byte* where, const endpoint& e) noexcept {
        const endpoint_match& m = e.match();
        auto* made = new (where) packed_endpoint;
        made->port = m.port();
        made->scheme = m.scheme();
        made->hosts = m.host_pattern();
        made->is_prefix = m.is_path_prefix();
        made->host_size_ = static_cast<std::uint8_t>(m.host().size());
        made->path_size_ = static_cast<std::uint16_t>(m.path_text().size());
        made->name_size_ = static_cast<std::uint8_t>(e.name().size());
        where += sizeof(packed_endpoint);
        for (const std::string_view text : {std::string_view(m.host()),
                                            std::string_view(m.path_text()),
                                            std::string_view(e.name())}) {
            std::memcpy(where, text.data(), text.size());
            where += text.size();
        }
        return made;
    }

    std::string_view host() const noexcept { return {text(), host_size_}; }
    std::string_view path() const noexcept { return {text() + host_size_, path_size_}; }
    std::string_view name() const noexcept {
        return {text() + host_size_ + path_size_, name_size_};
    }

    const packed_endpoint* next() const noexcept {
        const std::size_t text = std::size_t{host_size_} + path_size_ + name_size_;
        const auto* end = reinterpret_cast<const std::byte*>(this + 1);
        return reinterpret_cast<const packed_endpoint*>(end + (text + alignment - 1) / alignment *
                                                                  alignment);
    }

    bool has_origin_of(const packed_endpoint& other) const noexcept {
        return hosts == other.hosts && scheme == other.scheme && port == other.port &&
               host() == other.host();
    }

    static constexpr std::size_t alignment = 4;

    std::uint32_t policy = 0;
    std::uint32_t given = 0;  // the number that it has outside
    std::uint32_t run =
        0;  // of the first of an origin: how many there are, or which long run it is
    std::uint16_t methods = 0;  // which set of them; 0 is any
    std::uint16_t port = 0;
    url_scheme scheme = url_scheme::http;
    endpoint_match::host_kind hosts = endpoint_match::host_kind::any;
    bool is_prefix = false;
    bool same_path = false;  // as the one before it

private:
    packed_endpoint() = default;

    const char* text() const noexcept { return reinterpret_cast<const char*>(this + 1); }

    std::uint16_t path_size_ = 0;
    std::uint8_t host_size_ = 0;
    std::uint8_t name_size_ = 0;
};

static_assert(alignof(packed_endpoint) == packed_endpoint::alignment);
static_assert(sizeof(packed_endpoint) == 24);

}  // namespace asio_retry::http::detail

#endif
