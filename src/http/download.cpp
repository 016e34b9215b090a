// SPDX-License-Identifier: BSL-1.0
#include "http/content_range.hpp"
#include "http/digest.hpp"
#include "http/partial_file.hpp"
#include "http/target.hpp"
#include "http/validator.hpp"
#include <asio_retry/http/download.hpp>
#include <asio_retry/http/error.hpp>

#include <boost/beast/http/field.hpp>
#include <boost/system/system_error.hpp>

#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

namespace asio_retry::http {

namespace asio = boost::asio;

namespace detail {

namespace {

/// How much is read at a time to compute a digest.
constexpr std::size_t slice = std::size_t{256} * 1024;
constexpr unsigned partial_content = 206;
constexpr unsigned range_not_satisfiable = 416;

void throw_if(const error_code& ec) {
    if (ec) throw boost::system::system_error(ec);
}

/// A validator is one of a URL (RFC 9110 8.8.3): the rest is asked for where the beginning came
/// from, wherever a redirect leads this time.
std::string shown(const request& r) {
    target to;
    throw_if(parse_target(r.url(), to));
    return std::move(to.display);
}

std::optional<std::uint64_t> content_length(const response::fields& headers) noexcept {
    const auto text = headers[boost::beast::http::field::content_length];
    std::uint64_t value = 0;
    const auto end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

class file_sink final : public body_sink {
public:
    file_sink(std::string path, download_options options)
        : path_(std::move(path)), options_(options) {}
    ~file_sink() override {
        if (is_open_ && options_.resume() == resumption::within_call) file_.discard();
    }

    void ask(request& r) override;
    bool wants_encoded() const noexcept override { return true; }
    std::uint64_t kept() const noexcept override { return kept_; }
    bool takes(const response& head) noexcept override;
    asio::awaitable<error_code> begin(const response& head) override;
    asio::awaitable<void> write(asio::const_buffer bytes) override;
    asio::awaitable<error_code> end(const response& whole) override;
    bool can_begin_again() const noexcept override { return true; }

private:
    void open();
    error_code begin_whole(const response& head);
    error_code begin_rest(const response& head);
    error_code check_end(const response& head);
    error_code begin_anew();
    error_code check_digest(const response& whole);

    std::string path_;
    download_options options_;
    partial_file file_;
    std::optional<std::uint64_t> size_;  // of the whole
    std::uint64_t kept_ = 0;
    bool is_open_ = false;
    bool asks_for_rest_ = false;
    bool has_all_ = false;  // and the body is no part of it
};

void file_sink::ask(request& r) {
    if (r.headers().count("Range") != 0 || r.headers().count("If-Range") != 0) {
        throw_if(error::unasked_range);
    }
    if (r.method() == "HEAD") throw_if(error::invalid_method);
    if (!is_open_) open();
    // A date for a validator does not tell a coded body from a plain one.
    if (r.headers().count("Accept-Encoding") == 0) r.header("Accept-Encoding", "identity");
    if (options_.digest() != digest_checking::off && r.headers().count("Want-Repr-Digest") == 0) {
        r.header("Want-Repr-Digest", "sha-256=10, sha-512=5");
    }
    const auto& known = file_.state();
    asks_for_rest_ = r.method() == "GET" && known && file_.offset() != 0 && known->url == shown(r);
    if (!asks_for_rest_) return;
    r.header("Range", range_from(file_.offset()));
    r.header("If-Range", known->validator);
}

void file_sink::open() {
    throw_if(file_.open(path_));
    is_open_ = true;
    if (options_.resume() != resumption::across_calls) throw_if(begin_anew());
}

bool file_sink::takes(const response& head) noexcept {
    return head.status() / 100 == 2 || (asks_for_rest_ && head.status() == range_not_satisfiable);
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): awaited at once
asio::awaitable<error_code> file_sink::begin(const response& head) {
    has_all_ = false;
    kept_ = 0;
    switch (head.status()) {
        case partial_content: co_return begin_rest(head);
        case range_not_satisfiable: co_return check_end(head);
        default: co_return begin_whole(head);
    }
}

error_code file_sink::begin_whole(const response& head) {
    const auto now = std::chrono::system_clock::now();
    size_ = content_length(head.headers());
    return file_.restart(head.url(), strong_validator(head.headers(), now), size_);
}

/// RFC 9110 15.3.7. If-Range is a wish only: whether it was heard shows in what comes.
error_code file_sink::begin_rest(const response& head) {
    if (!asks_for_rest_) return error::unasked_range;
    const partial_record& known = *file_.state();
    const auto range = content_range_of(head.headers());
    const bool is_rest =
        range && range->span && range->complete_length && range->span->first == file_.offset() &&
        range->span->last + 1 == *range->complete_length &&
        (!known.length || *known.length == *range->complete_length) &&
        content_length(head.headers()).value_or(range->span->size()) == range->span->size() &&
        has_validator(head.headers(), known.validator);
    if (!is_rest) {
        const error_code ec = begin_anew();
        return ec ? ec : make_error_code(error::wrong_range);
    }
    size_ = range->complete_length;
    kept_ = file_.offset();
    return {};
}

/// RFC 9110 15.5.17: the process may have ended when all had come.
error_code file_sink::check_end(const response& head) {
    const partial_record& known = *file_.state();
    const auto range = content_range_of(head.headers());
    has_all_ = options_.digest() != digest_checking::required && range && !range->span &&
               range->complete_length == file_.offset() &&
               (known.length == file_.offset() || has_validator(head.headers(), known.validator));
    if (has_all_) {
        size_ = file_.offset();
        kept_ = file_.offset();
        return {};
    }
    const error_code ec = begin_anew();
    return ec ? ec : make_error_code(error::wrong_range);
}

error_code file_sink::begin_anew() {
    size_.reset();
    return file_.restart({}, {}, std::nullopt);
}

asio::awaitable<void> file_sink::write(asio::const_buffer bytes) {
    if (has_all_) co_return;
    if (size_ && bytes.size() > *size_ - file_.offset()) {
        throw_if(begin_anew());
        throw_if(error::unasked_range);
    }
    throw_if(file_.append({static_cast<const char*>(bytes.data()), bytes.size()}));
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): awaited at once
asio::awaitable<error_code> file_sink::end(const response& whole) {
    // Without a Content-Length only this tells that a 206 did not hold what its Content-Range says.
    if (size_ && *size_ != file_.offset()) co_return error::incomplete_response;
    if (const error_code ec = has_all_ ? error_code() : check_digest(whole)) {
        is_open_ = false;
        file_.discard();
        throw_if(ec);
    }
    throw_if(file_.finish());
    is_open_ = false;
    co_return error_code();
}

error_code file_sink::check_digest(const response& whole) {
    if (options_.digest() == digest_checking::off) return {};
    auto expected = representation_digest(whole.headers(), whole.status());
    if (!expected) {
        return options_.digest() == digest_checking::required ? make_error_code(error::no_digest)
                                                              : error_code();
    }
    digest_check check(std::move(*expected));
    std::string bytes;
    for (std::uint64_t at = 0; at < file_.offset(); at += bytes.size()) {
        if (const error_code ec = file_.read(at, slice, bytes)) return ec;
        if (bytes.empty()) return error::digest_mismatch;
        check.update(bytes);
    }
    return check.matches() ? error_code() : error::digest_mismatch;
}

}  // namespace

}  // namespace detail

std::shared_ptr<body_sink> into_file(std::string path, download_options options) {
    return std::make_shared<detail::file_sink>(std::move(path), options);
}

}  // namespace asio_retry::http
