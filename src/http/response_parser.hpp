// How Beast parses a response for us: its body into a string, and without what nobody reads.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_RESPONSE_PARSER_HPP
#define ASIO_RETRY_SRC_HTTP_RESPONSE_PARSER_HPP

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional/optional.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace asio_retry::http::detail {

/// As `string_body`, but does not clear memory before it is filled, and takes a Content-Length on
/// trust only so far.
class memory_body {
public:
    using value_type = std::string;

    class reader {
    public:
        template <bool IsRequest, typename Fields>
        reader(boost::beast::http::header<IsRequest, Fields>&, value_type& body) : body_(body) {}

        void init(const boost::optional<std::uint64_t>& length, boost::beast::error_code& ec) {
            constexpr std::uint64_t believed = 1024 * 1024;
            if (length) body_.reserve(static_cast<std::size_t>(std::min(*length, believed)));
            ec = {};
        }

        template <typename Buffers>
        std::size_t put(const Buffers& buffers, boost::beast::error_code& ec) {
            std::size_t n = 0;
            for (auto b : boost::beast::buffers_range_ref(buffers)) {
                body_.append(static_cast<const char*>(b.data()), b.size());
                n += b.size();
            }
            ec = {};
            return n;
        }

        void finish(boost::beast::error_code& ec) { ec = {}; }

    private:
        value_type& body_;
    };
};

/// Beast's, but the reason phrase is kept beside the header as it came, and trailers are dropped.
class response_parser : public boost::beast::http::response_parser<memory_body> {
public:
    const std::string& reason() const noexcept { return reason_; }
    std::string& reason() noexcept { return reason_; }

private:
    void on_response_impl(int status,
                          boost::beast::string_view reason,
                          int version,
                          boost::beast::error_code&) override {
        get().result(static_cast<unsigned>(status));
        get().version(static_cast<unsigned>(version));
        reason_.assign(reason.data(), reason.size());
    }

    void on_field_impl(boost::beast::http::field name,
                       boost::beast::string_view name_text,
                       boost::beast::string_view value,
                       boost::beast::error_code& ec) override {
        // A trailer comes behind the header; it must not change what that has said.
        if (is_header_done()) return;
        if (name_text.size() > longest_in_field || value.size() > longest_in_field) {
            ec = boost::beast::http::error::header_limit;
            return;
        }
        get().insert(name, name_text, value);
    }

    /// Of name or value: `fields` counts both in 16 bits, with two characters that follow each, and
    /// throws above that.
    static constexpr std::size_t longest_in_field = 65'533;

    std::string reason_;
};

}  // namespace asio_retry::http::detail

#endif
