// SPDX-License-Identifier: BSL-1.0
#include "http/body_origin.hpp"
#include <asio_retry/http/body_source.hpp>

#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace asio_retry::http {

namespace asio = boost::asio;

namespace detail {

namespace {

error_code last_error() { return {errno, boost::system::system_category()}; }

/// Closes its descriptor in the end.
class open_file {
public:
    explicit open_file(int fd) noexcept : fd_(fd) {}
    ~open_file() { ::close(fd_); }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;

    std::size_t read(asio::mutable_buffer room) {
        ssize_t n = 0;
        do {
            n = ::read(fd_, room.data(), room.size());
        } while (n < 0 && errno == EINTR);
        if (n < 0) throw boost::system::system_error(last_error());
        return static_cast<std::size_t>(n);
    }

private:
    int fd_;
};

class file_origin final : public body_origin {
public:
    explicit file_origin(std::string path) : path_(std::move(path)) {}

    std::optional<std::uint64_t> length(error_code& ec) const override {
        struct stat what{};
        ec = ::stat(path_.c_str(), &what) == 0 ? error_code() : last_error();
        if (ec) return std::nullopt;
        if (!S_ISREG(what.st_mode)) {
            ec = boost::system::errc::make_error_code(boost::system::errc::invalid_argument);
            return std::nullopt;
        }
        return static_cast<std::uint64_t>(what.st_size);
    }

    body_source::reader open(error_code& ec) override {
        // O_NONBLOCK: what has become a pipe meanwhile must not be waited for.
        const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        ec = fd >= 0 ? error_code() : last_error();
        if (ec) return {};
        auto file = std::make_shared<open_file>(fd);
        return [file = std::move(file)](asio::mutable_buffer room) { return read(file, room); };
    }

private:
    static asio::awaitable<std::size_t> read(std::shared_ptr<open_file> file,
                                             asio::mutable_buffer room) {
        co_return file->read(room);
    }

    std::string path_;
};

class made_origin final : public body_origin {
public:
    made_origin(body_source::factory f, std::optional<std::uint64_t> length)
        : make_(std::move(f)), length_(length) {}

    std::optional<std::uint64_t> length(error_code&) const override { return length_; }
    body_source::reader open(error_code&) override { return make_(); }

private:
    body_source::factory make_;
    std::optional<std::uint64_t> length_;
};

class once_origin final : public body_origin {
public:
    once_origin(body_source::reader r, std::optional<std::uint64_t> length)
        : read_(std::move(r)), length_(length) {}

    bool is_replayable() const noexcept override { return false; }
    bool can_be_read() const noexcept override { return !spent_; }
    std::optional<std::uint64_t> length(error_code&) const override { return length_; }

    body_source::reader open(error_code&) override {
        spent_ = true;
        return read_;
    }

private:
    body_source::reader read_;
    std::optional<std::uint64_t> length_;
    std::atomic<bool> spent_{false};
};

}  // namespace

}  // namespace detail

body_source body_source::file(std::string path) {
    return body_source(std::make_shared<detail::file_origin>(std::move(path)));
}

body_source body_source::made_by(factory f, std::optional<std::uint64_t> length) {
    return body_source(std::make_shared<detail::made_origin>(std::move(f), length));
}

body_source body_source::once(reader r, std::optional<std::uint64_t> length) {
    return body_source(std::make_shared<detail::once_origin>(std::move(r), length));
}

bool body_source::is_replayable() const noexcept { return origin_->is_replayable(); }
bool body_source::can_be_read() const noexcept { return origin_->can_be_read(); }

std::optional<std::uint64_t> body_source::length(error_code& ec) const {
    ec = {};
    return origin_->length(ec);
}

body_source::reader body_source::open(error_code& ec) const {
    ec = {};
    return origin_->open(ec);
}

}  // namespace asio_retry::http
