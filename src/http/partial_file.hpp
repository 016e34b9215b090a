// The file beside a download's target that holds what has come so far.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_PARTIAL_FILE_HPP
#define ASIO_RETRY_SRC_HTTP_PARTIAL_FILE_HPP

#include "http/partial_record.hpp"
#include "http/posix_file.hpp"
#include <asio_retry/error.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

/// `TARGET.part`, which becomes TARGET once it is whole, and `TARGET.part.state` about it.
/** Whenever the process is killed, the two are either a beginning of the representation that the
    state names, or are not used again. The same holds if the machine crashes: the state names the
    time since the last start of the machine, and of another such time only the bytes count that
    `checkpoint` has synced. Nothing else is synced before `finish`, which syncs all.

    A target that is a symbolic link stays one: the file it leads to is written, and the part stands
    beside that. No other link is followed. The new file has the permissions of the one that it
    replaces, else those of any new file; while it is partial and replaces one, it is the owner's
    alone, and so is always the state.

    An object that ends without `finish` leaves the part if it can be resumed, and removes it if
    not. All calls block, `checkpoint` and `finish` for as long as the disk takes. Errors are the
    system's, if not stated. */
class partial_file {
public:
    partial_file() = default;
    partial_file(const partial_file&) = delete;
    partial_file& operator=(const partial_file&) = delete;
    ~partial_file() { close(); }

    /// Locks the part of `target` and looks at what is there. What cannot be resumed is emptied.
    /** Errors: `target_busy` if another download, of any process, writes to the same target;
        EISDIR; EOPNOTSUPP for a target or a part that is no regular file; ELOOP for a part that is
        a link. */
    error_code open(const std::string& target);

    /// What the part holds the beginning of; nothing if there is nothing to resume.
    /** `offset() == length` if the process was killed just before `finish`. */
    const std::optional<partial_record>& state() const noexcept { return record_; }

    /// How many bytes the part has: where `append` goes on.
    std::uint64_t offset() const noexcept { return offset_; }

    /// Empties the part, for a representation of `length` bytes if that is known.
    /** With an empty `validator`, or a URL or validator with a control character, it cannot be
        resumed later. */
    error_code restart(std::string_view url,
                       std::string_view validator,
                       std::optional<std::uint64_t> length);

    /// Writes behind what is there. After an error (ENOSPC, say) as much as `offset` says is.
    error_code append(std::string_view bytes);

    /// What the part has from byte `from` on, but no more than `limit` bytes: for its digest, say.
    error_code read(std::uint64_t from, std::size_t limit, std::string& bytes) const;

    /// Has what was appended so far survive a crash of the machine, too.
    /** After an error of syncing the part cannot be resumed: what the disk has of it is unknown. */
    error_code checkpoint();

    /// Puts the part in the target's place, and ends.
    /** Errors: `incomplete_response` if `length` is known and another number of bytes is there;
        after an error of syncing the part cannot be resumed. If only the directory could not be
        synced, the target is in place. */
    error_code finish();

    /// Removes the part, and ends.
    void discard() noexcept;

    /// Ends, as the destructor does.
    void close() noexcept;

private:
    error_code find_target(std::string path);
    error_code lock_part();
    error_code load_state();
    error_code read_record();
    std::string new_state_name() const { return state_name_ + ".new"; }
    error_code write_record(bool sync);
    error_code drop_record() noexcept;
    error_code keep_mode() noexcept;

    directory directory_;
    file_descriptor part_;
    std::string target_name_;
    std::string part_name_;
    std::string state_name_;
    bool replaces_ = false;
    std::optional<std::uint64_t> length_;
    std::optional<partial_record> record_;
    std::uint64_t offset_ = 0;
};

}  // namespace asio_retry::http::detail

#endif
