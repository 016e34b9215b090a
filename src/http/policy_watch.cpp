// SPDX-License-Identifier: BSL-1.0
#include "http/policy_document.hpp"
#include <asio_retry/http/policy_watch.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <tuple>

namespace asio_retry::http {

namespace asio = boost::asio;

namespace {

constexpr auto as_result = asio::as_tuple(asio::deferred);

/// Tells that something happened in the directories of a file: those of its name and of what that
/// leads to. What happened is found out by reading the file.
class directory_watch {
public:
    directory_watch(const asio::any_io_executor& ex, std::string file)
        : descriptor_(ex, open()), file_(std::move(file)) {}

    /// Whether the directory is there to be watched. To be called before the file is read, each
    /// time: links may lead elsewhere, and a directory may be another one of the same name.
    bool renew() {
        const auto name = std::filesystem::path(file_);
        std::error_code ec;
        const auto target = std::filesystem::canonical(name, ec);
        if (!ec) add(target.parent_path());
        return add(name.has_parent_path() ? name.parent_path() : ".");
    }

    asio::posix::stream_descriptor& descriptor() noexcept { return descriptor_; }

    /// Takes what was told; whether there was anything.
    bool drain() noexcept {
        alignas(inotify_event) std::array<char, 4096> events;
        bool any = false;
        while (::read(descriptor_.native_handle(), events.data(), events.size()) > 0) any = true;
        return any;
    }

private:
    static int open() {
        const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (fd >= 0) return fd;
        throw boost::system::system_error(errno, boost::system::system_category(), "inotify");
    }

    bool add(const std::filesystem::path& directory) noexcept {
        constexpr std::uint32_t changes = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                          IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
        return ::inotify_add_watch(descriptor_.native_handle(), directory.c_str(), changes) >= 0;
    }

    asio::posix::stream_descriptor descriptor_;
    std::string file_;
};

/// What becomes of the file's text.
class reloader {
public:
    reloader(std::string path,
             std::shared_ptr<endpoint_registry> registry,
             policy_watch_options options)
        : path_(std::move(path)), registry_(std::move(registry)), options_(std::move(options)) {}

    void look() {
        try {
            std::string text = detail::read_policy_file(path_);
            if (text == last_text_) return;
            last_text_ = std::move(text);
            last_refusal_.clear();
            load();
        } catch (const policy_file_error& e) {
            refuse(e);
        }
    }

    std::chrono::nanoseconds debounce() const noexcept { return options_.debounce(); }

private:
    void load() {
        const endpoint_table table = parse_policies(*last_text_, path_, options_.base());
        registry_->replace(table);
        if (options_.on_reload()) options_.on_reload()(table);
    }

    void refuse(const policy_file_error& e) {
        if (last_refusal_ == e.what()) return;
        last_refusal_ = e.what();
        // A file that cannot be read has no text: when it is back, it is loaded.
        if (e.problems().front().line() == 0) last_text_.reset();
        if (options_.on_refusal()) options_.on_refusal()(e);
    }

    std::string path_;
    std::shared_ptr<endpoint_registry> registry_;
    policy_watch_options options_;
    std::optional<std::string> last_text_;
    std::string last_refusal_;
};

void throw_if(const error_code& ec) {
    if (ec) throw boost::system::system_error(ec);
}

}  // namespace

asio::awaitable<void> watch_policies(std::string path,
                                     std::shared_ptr<endpoint_registry> registry,
                                     policy_watch_options options) {
    constexpr auto missing_directory_interval = std::chrono::seconds(1);
    constexpr int most_delays = 20;  // a file that never rests is read as it is

    const auto executor = co_await asio::this_coro::executor;
    directory_watch watch(executor, path);
    reloader file(std::move(path), std::move(registry), std::move(options));
    asio::steady_timer timer(executor);
    for (;;) {
        const bool is_watched = watch.renew();
        file.look();
        if (is_watched) {
            auto readable =
                watch.descriptor().async_wait(asio::posix::descriptor_base::wait_read, as_result);
            const auto [ec] = co_await std::move(readable);
            throw_if(ec);
        } else {
            timer.expires_after(missing_directory_interval);
            const auto [ec] = co_await timer.async_wait(as_result);
            throw_if(ec);
        }
        for (int i = 0; watch.drain() && i < most_delays; ++i) {
            timer.expires_after(file.debounce());
            const auto [ec] = co_await timer.async_wait(as_result);
            throw_if(ec);
        }
    }
}

}  // namespace asio_retry::http
