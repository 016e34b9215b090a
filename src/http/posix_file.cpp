// SPDX-License-Identifier: BSL-1.0
#include "http/posix_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace asio_retry::http::detail {

namespace {

/// Calls until no signal interrupts it; what it answers is -1 for an error.
template <typename Call>
auto uninterrupted(Call call) noexcept {
    auto result = call();
    while (result == -1 && errno == EINTR) result = call();
    return result;
}

error_code error_of(long result) noexcept {
    if (result != -1) return {};
    return {errno, boost::system::system_category()};
}

}  // namespace

file_descriptor::file_descriptor(file_descriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

file_descriptor& file_descriptor::operator=(file_descriptor&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
}

void file_descriptor::close() noexcept {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

error_code file_descriptor::lock() const noexcept {
    return error_of(uninterrupted([&] { return ::flock(fd_, LOCK_EX | LOCK_NB); }));
}

error_code file_descriptor::status(struct ::stat& found) const noexcept {
    return error_of(::fstat(fd_, &found));
}

error_code file_descriptor::set_mode(::mode_t mode) const noexcept {
    return error_of(uninterrupted([&] { return ::fchmod(fd_, mode); }));
}

error_code file_descriptor::truncate(std::uint64_t size) const noexcept {
    return error_of(uninterrupted([&] { return ::ftruncate(fd_, static_cast<::off_t>(size)); }));
}

error_code file_descriptor::write(std::string_view bytes, std::uint64_t& offset) const noexcept {
    while (!bytes.empty()) {
        const auto count = uninterrupted([&] {
            return ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<::off_t>(offset));
        });
        if (count < 0) return error_of(count);
        bytes.remove_prefix(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return {};
}

error_code file_descriptor::read(std::uint64_t offset, std::size_t limit, std::string& text) const {
    text.clear();
    std::array<char, 4096> buffer;
    while (text.size() < limit) {
        const auto size = std::min(buffer.size(), limit - text.size());
        const auto count = uninterrupted([&] {
            return ::pread(fd_, buffer.data(), size, static_cast<::off_t>(offset + text.size()));
        });
        if (count <= 0) return error_of(count);
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return {};
}

error_code file_descriptor::sync() const noexcept {
    return error_of(uninterrupted([&] { return ::fsync(fd_); }));
}

error_code directory::open(const std::string& path) noexcept {
    const int fd =
        uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    const auto ec = error_of(fd);
    descriptor_ = file_descriptor(fd);
    return ec;
}

error_code directory::open_file(const std::string& name,
                                int flags,
                                ::mode_t mode,
                                file_descriptor& file) const noexcept {
    // No link is followed, for another may have put it there.
    const int fd = uninterrupted([&] {
        return ::openat(
            descriptor_.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode);
    });
    const auto ec = error_of(fd);
    file = file_descriptor(fd);
    return ec;
}

error_code directory::status(const std::string& name, struct ::stat& found) const noexcept {
    return error_of(::fstatat(descriptor_.get(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW));
}

error_code directory::rename(const std::string& from, const std::string& to) const noexcept {
    return error_of(::renameat(descriptor_.get(), from.c_str(), descriptor_.get(), to.c_str()));
}

error_code directory::remove(const std::string& name) const noexcept {
    return error_of(::unlinkat(descriptor_.get(), name.c_str(), 0));
}

error_code directory::sync() const noexcept { return descriptor_.sync(); }

}  // namespace asio_retry::http::detail
