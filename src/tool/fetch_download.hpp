// The body of a response on its way into the file that -o names.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_DOWNLOAD_HPP
#define ASIO_RETRY_TOOL_FETCH_DOWNLOAD_HPP

#include <asio_retry/http/download.hpp>
#include <asio_retry/http/fetch_policy.hpp>

#include <tool/fetch_options.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace asio_retry::tool {

/// The file that the URL's body goes to; null if that is standard output.
const std::string* file_of(const fetch_options& options, std::size_t url);

/// Hands a body on into a file, and knows what has come of it.
class download final : public http::body_sink {
public:
    explicit download(std::shared_ptr<http::body_sink> to) : to_(std::move(to)) {}

    /// Whether the file is in place.
    bool is_whole() const noexcept { return is_whole_; }
    /// How many bytes of it there are, those of an earlier run included.
    std::uint64_t bytes() const noexcept { return bytes_; }
    /// What went wrong with the file, if that is what ended the call.
    const error_code& file_error() const noexcept { return file_error_; }

    void ask(http::request& r) override;
    bool wants_encoded() const noexcept override { return to_->wants_encoded(); }
    std::uint64_t kept() const noexcept override { return to_->kept(); }
    bool takes(const http::response& head) noexcept override { return to_->takes(head); }
    boost::asio::awaitable<error_code> begin(const http::response& head) override;
    boost::asio::awaitable<void> write(boost::asio::const_buffer bytes) override;
    boost::asio::awaitable<error_code> end(const http::response& whole) override;
    bool can_begin_again() const noexcept override { return to_->can_begin_again(); }

private:
    void note(const error_code& ec) noexcept;

    std::shared_ptr<http::body_sink> to_;
    error_code file_error_;
    std::uint64_t bytes_ = 0;
    bool is_whole_ = false;
};

/// A download into the URL's file; null where the body has to be in memory first.
/** So it has where the head is to be written too, where the body is to be decoded, where requests
    are hedged, where a range is asked for, and for what is no regular file. */
std::shared_ptr<download> make_download(const fetch_options& options,
                                        const http::fetch_policy& policy,
                                        std::size_t url);

}  // namespace asio_retry::tool

#endif
