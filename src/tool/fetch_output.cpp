// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <tool/fetch_output.hpp>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace asio_retry::tool {

namespace {

constexpr ::mode_t new_file_mode = 0666;

[[noreturn]] void fail() { throw std::system_error(errno, std::generic_category()); }

/// A descriptor that is closed, and a file that is removed unless it was renamed.
class open_file {
public:
    open_file(std::string path, int flags) : path_(std::move(path)) {
        descriptor_ = ::open(path_.c_str(), flags | O_WRONLY | O_CLOEXEC, new_file_mode);
        if (descriptor_ < 0) fail();
    }
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
    int descriptor_ = -1;
    bool remove_ = false;
};

std::string resolve_link(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_symlink(path, error)) return path;
    const auto target = std::filesystem::weakly_canonical(path, error);
    return error ? path : target.string();
}

std::optional<struct ::stat> status_of(const std::string& path) {
    struct ::stat found{};
    if (::stat(path.c_str(), &found) != 0) return std::nullopt;
    return found;
}

std::string free_name_beside(const std::string& path) {
    auto name = path + ".part" + std::to_string(::getpid());
    while (::access(name.c_str(), F_OK) == 0) name += '_';
    return name;
}

void write_parts(int descriptor, std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) write_all(descriptor, part);
}

}  // namespace

std::string error_text(int error) { return std::generic_category().message(error); }

void write_all(int descriptor, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto count = ::write(descriptor, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {
            ::pollfd ready{descriptor, POLLOUT, 0};
            ::poll(&ready, 1, -1);
            continue;
        }
        if (count < 0) fail();
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

bool is_special(const std::string& path) {
    const auto found = status_of(path);
    return found && !S_ISREG(found->st_mode);
}

void replace_file(const std::string& path, std::initializer_list<std::string_view> parts) {
    const auto target = resolve_link(path);
    const auto found = status_of(target);
    if (found && !S_ISREG(found->st_mode)) {
        open_file special(target, 0);
        write_parts(special.descriptor(), parts);
        special.close();
        return;
    }
    const auto beside = free_name_beside(target);
    open_file temporary(beside, O_CREAT | O_EXCL);
    temporary.remove_at_end(true);
    if (found && ::fchmod(temporary.descriptor(), found->st_mode & 07777U) != 0) fail();
    write_parts(temporary.descriptor(), parts);
    temporary.close();
    if (::rename(beside.c_str(), target.c_str()) != 0) fail();
    temporary.remove_at_end(false);
}

line_file::line_file(const std::string& path)
    : descriptor_(
          path == "-"
              ? STDOUT_FILENO
              : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, new_file_mode)) {
    if (descriptor_ < 0) fail();
}

line_file::~line_file() {
    if (descriptor_ != STDOUT_FILENO) ::close(descriptor_);
}

void line_file::write(std::string line) const {
    line += '\n';
    write_all(descriptor_, line);
}

}  // namespace asio_retry::tool
