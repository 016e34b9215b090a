// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <tool/fetch_output.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace asio_retry::tool {

namespace {

constexpr ::mode_t new_file_mode = 0666;

[[noreturn]] void fail() { throw std::system_error(errno, std::generic_category()); }

std::optional<struct ::stat> status_of(const std::string& path) {
    struct ::stat found{};
    if (::stat(path.c_str(), &found) != 0) return std::nullopt;
    return found;
}

bool is_fifo(const std::string& path) {
    const auto found = status_of(path);
    return found && S_ISFIFO(found->st_mode);
}

/// Without O_NONBLOCK, `open` would wait for the reader of a FIFO, and nothing could end that wait.
int open_to_write(const std::string& path, int flags, const interruption& until) {
    constexpr std::chrono::milliseconds pause(20);
    for (;;) {
        const int opened = ::open(path.c_str(), flags | O_WRONLY | O_CLOEXEC, new_file_mode);
        if (opened >= 0) return opened;
        if (errno != ENXIO || !is_fifo(path)) fail();
        until.wait_for(-1, pause);
    }
}

/// A descriptor that is closed, and a file that is removed unless it was renamed.
class open_file {
public:
    open_file(std::string path, int flags, const interruption& until)
        : path_(std::move(path)), descriptor_(open_to_write(path_, flags, until)) {}
    ~open_file() {
        if (descriptor_ >= 0) ::close(descriptor_);
        if (remove_) ::unlink(path_.c_str());
    }
    open_file(const open_file&) = delete;
    open_file& operator=(const open_file&) = delete;

    void remove_at_end(bool remove) { remove_ = remove; }
    int descriptor() const { return descriptor_; }

    /// Some file systems report a full disk only here.
    void close() {
        if (::close(std::exchange(descriptor_, -1)) != 0) fail();
    }

private:
    std::string path_;
    int descriptor_;
    bool remove_ = false;
};

std::string resolve_link(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_symlink(path, error)) return path;
    const auto target = std::filesystem::weakly_canonical(path, error);
    return error ? path : target.string();
}

std::string free_name_beside(const std::string& path) {
    auto name = path + ".part" + std::to_string(::getpid());
    while (::access(name.c_str(), F_OK) == 0) name += '_';
    return name;
}

void write_parts(int descriptor,
                 std::initializer_list<std::string_view> parts,
                 const interruption& until) {
    for (const auto part : parts) write_all(descriptor, part, until);
}

}  // namespace

std::string error_text(int error) { return std::generic_category().message(error); }

interruption::interruption() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (event_ < 0) fail();
}

interruption::~interruption() { ::close(event_); }

void interruption::set() const noexcept {
    const std::uint64_t one = 1;
    // It can only fail where it is set already.
    [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

void interruption::wait_for(int descriptor, std::chrono::milliseconds most) const {
    std::array<::pollfd, 2> watched{{{descriptor, POLLOUT, 0}, {event_, POLLIN, 0}}};
    int ready = 0;
    do {
        ready = ::poll(watched.data(), watched.size(), static_cast<int>(most.count()));
    } while (ready < 0 && errno == EINTR);
    if (watched[0].revents != 0 || watched[1].revents == 0) return;
    errno = ECANCELED;
    fail();
}

void write_all(int descriptor, std::string_view bytes, const interruption& until) {
    constexpr std::chrono::milliseconds for_ever(-1);
    struct ::stat found{};
    const bool waits = ::fstat(descriptor, &found) == 0 && !S_ISREG(found.st_mode);
    while (!bytes.empty()) {
        // The descriptor may be shared, and so has to stay as it is: what blocks if there is no
        // room is written in pieces for which a pipe that is ready has room.
        if (waits) until.wait_for(descriptor, for_ever);
        const auto size = waits ? std::min<std::size_t>(bytes.size(), PIPE_BUF) : bytes.size();
        const auto count = ::write(descriptor, bytes.data(), size);
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (count < 0) fail();
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

bool is_special(const std::string& path) {
    const auto found = status_of(path);
    return found && !S_ISREG(found->st_mode);
}

void replace_file(const std::string& path,
                  std::initializer_list<std::string_view> parts,
                  const interruption& until) {
    const auto target = resolve_link(path);
    const auto found = status_of(target);
    if (found && !S_ISREG(found->st_mode)) {
        open_file special(target, O_NONBLOCK, until);
        write_parts(special.descriptor(), parts, until);
        special.close();
        return;
    }
    const auto beside = free_name_beside(target);
    open_file temporary(beside, O_CREAT | O_EXCL, until);
    temporary.remove_at_end(true);
    if (found && ::fchmod(temporary.descriptor(), found->st_mode & 07777U) != 0) fail();
    write_parts(temporary.descriptor(), parts, until);
    temporary.close();
    if (::rename(beside.c_str(), target.c_str()) != 0) fail();
    temporary.remove_at_end(false);
}

line_file::line_file(const std::string& path) : path_(path) {
    if (path == "-") descriptor_ = STDOUT_FILENO;
    if (path == "-" || is_fifo(path)) return;
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, new_file_mode);
    if (descriptor_ < 0) fail();
}

line_file::~line_file() {
    if (descriptor_ >= 0 && descriptor_ != STDOUT_FILENO) ::close(descriptor_);
}

void line_file::write(std::string line, const interruption& until) {
    if (descriptor_ < 0) descriptor_ = open_to_write(path_, O_NONBLOCK, until);
    line += '\n';
    write_all(descriptor_, line, until);
}

}  // namespace asio_retry::tool
