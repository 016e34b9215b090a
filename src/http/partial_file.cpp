// SPDX-License-Identifier: BSL-1.0
#include "http/partial_file.hpp"

#include <asio_retry/http/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace asio_retry::http::detail {

namespace {

namespace errc = boost::system::errc;

/// More than any URL and validator that a client takes.
constexpr std::size_t max_record_size = 1024 * 1024;

bool is_missing(const error_code& ec) noexcept { return ec == errc::no_such_file_or_directory; }

/// Names the time since the machine started; empty if the system does not tell.
std::string current_boot() {
    std::string text;
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::getline(file, text);
    return text;
}

error_code follow_links(std::string& path) {
    constexpr int most = 40;  // as Linux has it
    for (int i = 0; i < most; ++i) {
        std::error_code not_a_link;
        auto next = std::filesystem::read_symlink(path, not_a_link);
        if (not_a_link) return {};
        if (next.is_relative()) next = std::filesystem::path(path).parent_path() / next;
        path = next.string();
    }
    return make_error_code(errc::too_many_symbolic_link_levels);
}

/// Of the file that a path leads to: nothing if there is none.
error_code check_target(const std::string& path, bool& exists) noexcept {
    struct ::stat found{};
    exists = ::stat(path.c_str(), &found) == 0;
    if (!exists) {
        return errno == ENOENT ? error_code() : error_code(errno, boost::system::system_category());
    }
    if (S_ISDIR(found.st_mode)) return make_error_code(errc::is_a_directory);
    return S_ISREG(found.st_mode) ? error_code() : make_error_code(errc::operation_not_supported);
}

}  // namespace

error_code partial_file::open(const std::string& target) {
    close();
    if (const auto ec = find_target(target)) return ec;
    if (const auto ec = lock_part()) return ec;
    if (const auto ec = load_state()) {
        part_.close();
        record_.reset();
        return ec;
    }
    return {};
}

error_code partial_file::find_target(std::string path) {
    if (path.empty()) return make_error_code(errc::no_such_file_or_directory);
    // First by the system's own walk, which refuses some links that others have put there.
    if (const auto ec = check_target(path, replaces_)) return ec;
    if (const auto ec = follow_links(path)) return ec;
    const auto slash = path.rfind('/');
    const auto name = slash + 1;
    if (name == path.size()) return make_error_code(errc::is_a_directory);
    target_name_ = path.substr(name);
    part_name_ = target_name_ + ".part";
    state_name_ = part_name_ + ".state";
    return directory_.open(slash == std::string::npos ? "." : path.substr(0, name));
}

error_code partial_file::lock_part() {
    for (;;) {
        file_descriptor part;
        const ::mode_t mode = replaces_ ? 0600 : 0666;
        if (const auto ec = directory_.open_file(part_name_, O_RDWR | O_CREAT, mode, part)) {
            return ec;
        }
        if (const auto ec = part.lock()) {
            return ec == errc::operation_would_block ? error_code(error::target_busy) : ec;
        }
        struct ::stat locked{};
        struct ::stat named{};
        if (const auto ec = part.status(locked)) return ec;
        if (!S_ISREG(locked.st_mode)) return make_error_code(errc::operation_not_supported);
        const auto ec = directory_.status(part_name_, named);
        if (ec && !is_missing(ec)) return ec;
        // Whoever held the lock before may have renamed or removed what is locked now.
        if (!ec && locked.st_ino == named.st_ino && locked.st_dev == named.st_dev) {
            part_ = std::move(part);
            return {};
        }
    }
}

error_code partial_file::load_state() {
    struct ::stat found{};
    if (const auto ec = part_.status(found)) return ec;
    if (const auto ec = read_record()) return ec;
    const auto size = static_cast<std::uint64_t>(found.st_size);
    const auto boot = current_boot();
    const bool same_boot = record_ && !boot.empty() && record_->boot == boot;
    offset_ = same_boot ? size : std::min(size, record_ ? record_->synced : 0);
    if (record_ && (offset_ == 0 || offset_ > record_->length.value_or(offset_))) {
        offset_ = 0;
        if (const auto ec = drop_record()) return ec;
    }
    if (offset_ != size) {
        if (const auto ec = part_.truncate(offset_)) return ec;
    }
    if (!record_) return {};
    length_ = record_->length;
    if (same_boot) return {};
    // Not before the part has been cut: from now on all of it counts.
    record_->boot = boot;
    return write_record(false);
}

error_code partial_file::read_record() {
    directory_.remove(new_state_name());
    file_descriptor file;
    std::string text;
    auto ec = directory_.open_file(state_name_, O_RDONLY, 0, file);
    if (is_missing(ec)) return {};
    if (!ec) ec = file.read(0, max_record_size, text);
    if (ec) return ec;
    record_ = parse_partial_record(text);
    return record_ ? error_code() : drop_record();
}

error_code partial_file::restart(std::string_view url,
                                 std::string_view validator,
                                 std::optional<std::uint64_t> length) {
    if (record_) {
        if (const auto ec = drop_record()) return ec;
    }
    if (offset_ != 0) {
        if (const auto ec = part_.truncate(0)) return ec;
    }
    offset_ = 0;
    length_ = length;
    if (!fits_partial_record(url) || !fits_partial_record(validator)) return {};
    partial_record record;
    record.url = url;
    record.validator = validator;
    record.length = length;
    record.boot = current_boot();
    record_ = std::move(record);
    return write_record(false);
}

error_code partial_file::append(std::string_view bytes) { return part_.write(bytes, offset_); }

error_code partial_file::read(std::uint64_t from, std::size_t limit, std::string& bytes) const {
    return part_.read(from, limit, bytes);
}

error_code partial_file::checkpoint() {
    if (!record_) return {};
    if (const auto ec = part_.sync()) {
        drop_record();
        return ec;
    }
    record_->synced = offset_;
    return write_record(true);
}

error_code partial_file::finish() {
    if (length_ && *length_ != offset_) return error::incomplete_response;
    if (const auto ec = keep_mode()) return ec;
    if (const auto ec = part_.sync()) {
        // The system reports it once, and then takes what it has not written for written.
        drop_record();
        return ec;
    }
    if (const auto ec = directory_.rename(part_name_, target_name_)) return ec;
    if (record_) directory_.remove(state_name_);
    record_.reset();
    part_.close();
    return directory_.sync();
}

void partial_file::discard() noexcept {
    if (!part_.is_open()) return;
    if (record_) directory_.remove(state_name_);
    record_.reset();
    directory_.remove(part_name_);
    // Only now, when no name is left of what this lock is on.
    part_.close();
}

void partial_file::close() noexcept {
    if (!record_ || offset_ == 0) discard();
    part_.close();
    record_.reset();
    length_.reset();
    offset_ = 0;
}

error_code partial_file::write_record(bool sync) {
    const auto new_name = new_state_name();
    file_descriptor file;
    if (const auto ec = directory_.open_file(new_name, O_WRONLY | O_CREAT | O_TRUNC, 0600, file)) {
        return ec;
    }
    std::uint64_t written = 0;
    auto ec = file.write(print_partial_record(*record_), written);
    if (!ec && sync) ec = file.sync();
    if (!ec) ec = directory_.rename(new_name, state_name_);
    if (ec) directory_.remove(new_name);
    if (!ec && sync) ec = directory_.sync();
    return ec;
}

/// Has the state gone for good: no crash brings it back beside the bytes of another representation.
error_code partial_file::drop_record() noexcept {
    record_.reset();
    const auto ec = directory_.remove(state_name_);
    if (ec) return is_missing(ec) ? error_code() : ec;
    return directory_.sync();
}

error_code partial_file::keep_mode() noexcept {
    struct ::stat target{};
    struct ::stat part{};
    if (directory_.status(target_name_, target) || !S_ISREG(target.st_mode)) return {};
    if (const auto ec = part_.status(part)) return ec;
    const ::mode_t wanted = target.st_mode & 0777;
    return (part.st_mode & 07777) == wanted ? error_code() : part_.set_mode(wanted);
}

}  // namespace asio_retry::http::detail
