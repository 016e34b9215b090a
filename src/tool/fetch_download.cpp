// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/http/error.hpp>

#include <boost/system/system_error.hpp>

#include <tool/fetch_download.hpp>
#include <tool/fetch_output.hpp>
#include <tool/fetch_values.hpp>

#include <utility>

namespace asio_retry::tool {

namespace asio = boost::asio;

namespace {

constexpr unsigned range_not_satisfiable = 416;

bool is_of_the_file(const error_code& ec) {
    return ec.category() == boost::system::system_category() ||
           ec.category() == boost::system::generic_category() || ec == http::error::target_busy;
}

bool needs_memory(const fetch_options& options, const http::fetch_policy& policy) {
    return options.include_head || options.method == "HEAD" || has_header(options, "Range") ||
           has_header(options, "If-Range") || policy.hedge() ||
           policy.compressed() == http::compression::on;
}

}  // namespace

const std::string* file_of(const fetch_options& options, std::size_t url) {
    if (url >= options.output_files.size()) return nullptr;
    const auto& file = options.output_files[url];
    return file == "-" ? nullptr : &file;
}

void download::ask(http::request& r) {
    try {
        to_->ask(r);
    } catch (const boost::system::system_error& e) {
        note(e.code());
        throw;
    }
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): awaited at once
asio::awaitable<error_code> download::begin(const http::response& head) {
    auto pending = to_->begin(head);
    const error_code ec = co_await std::move(pending);
    note(ec);
    bytes_ = to_->kept();
    co_return ec;
}

asio::awaitable<void> download::write(asio::const_buffer bytes) {
    try {
        auto pending = to_->write(bytes);
        co_await std::move(pending);
    } catch (const boost::system::system_error& e) {
        note(e.code());
        throw;
    }
    bytes_ += bytes.size();
}

// NOLINTNEXTLINE(cppcoreguidelines-avoid-reference-coroutine-parameters): awaited at once
asio::awaitable<error_code> download::end(const http::response& whole) {
    try {
        auto pending = to_->end(whole);
        if (const error_code ec = co_await std::move(pending)) co_return ec;
    } catch (const boost::system::system_error& e) {
        note(e.code());
        throw;
    }
    // What says that nothing was missing has a body of its own.
    if (whole.status() == range_not_satisfiable) bytes_ = to_->kept();
    is_whole_ = true;
    co_return error_code();
}

void download::note(const error_code& ec) noexcept {
    file_error_ = is_of_the_file(ec) ? ec : error_code();
}

std::shared_ptr<download> make_download(const fetch_options& options,
                                        const http::fetch_policy& policy,
                                        std::size_t url) {
    const auto* file = file_of(options, url);
    if (file == nullptr || is_special(*file)) return nullptr;
    if (!options.resume && needs_memory(options, policy)) return nullptr;
    const auto resume =
        options.resume ? http::resumption::across_calls : http::resumption::within_call;
    return std::make_shared<download>(
        http::into_file(*file, http::download_options().resume(resume)));
}

}  // namespace asio_retry::tool
