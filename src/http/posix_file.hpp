// Files by descriptor, in a directory that is held open; errors as error codes.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_POSIX_FILE_HPP
#define ASIO_RETRY_SRC_HTTP_POSIX_FILE_HPP

#include <asio_retry/error.hpp>

#include <sys/stat.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

/// A descriptor that is closed at the end; -1 if there is none.
class file_descriptor {
public:
    file_descriptor() = default;
    explicit file_descriptor(int fd) noexcept : fd_(fd) {}
    file_descriptor(file_descriptor&& other) noexcept;
    file_descriptor& operator=(file_descriptor&& other) noexcept;
    ~file_descriptor() { close(); }

    bool is_open() const noexcept { return fd_ >= 0; }
    int get() const noexcept { return fd_; }
    void close() noexcept;

    /// EWOULDBLOCK if another descriptor of the file holds the lock. Closing ends it.
    error_code lock() const noexcept;
    error_code status(struct ::stat& found) const noexcept;
    error_code set_mode(::mode_t mode) const noexcept;
    error_code truncate(std::uint64_t size) const noexcept;
    /// Advances `offset` by what has been written, which is less than all only after an error.
    error_code write(std::string_view bytes, std::uint64_t& offset) const noexcept;
    /// What there is from `offset` on, but no more than `limit` bytes.
    error_code read(std::uint64_t offset, std::size_t limit, std::string& text) const;
    /// What has been written survives a crash of the machine.
    error_code sync() const noexcept;

private:
    int fd_ = -1;
};

/// A directory; what stands in it is named without slashes, and stays within reach when the
/// directory is renamed or the process works in another one.
class directory {
public:
    error_code open(const std::string& path) noexcept;

    error_code open_file(const std::string& name,
                         int flags,
                         ::mode_t mode,
                         file_descriptor& file) const noexcept;
    /// Follows no link.
    error_code status(const std::string& name, struct ::stat& found) const noexcept;
    error_code rename(const std::string& from, const std::string& to) const noexcept;
    error_code remove(const std::string& name) const noexcept;
    /// Which names there are survives a crash of the machine.
    error_code sync() const noexcept;

private:
    file_descriptor descriptor_;
};

}  // namespace asio_retry::http::detail

#endif
