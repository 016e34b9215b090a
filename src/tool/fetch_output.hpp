// Where bodies go: standard output, or a file that is whole or as it was.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_OUTPUT_HPP
#define ASIO_RETRY_TOOL_FETCH_OUTPUT_HPP

#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>

namespace asio_retry::tool {

/// What an errno means.
std::string error_text(int error);

/// Ends waits for readers: those that there are, and all that come.
class interruption {
public:
    /// Throws std::system_error.
    interruption();
    ~interruption();
    interruption(const interruption&) = delete;
    interruption& operator=(const interruption&) = delete;

    /// From any thread.
    void set() const noexcept;
    /// Waits until the descriptor, or -1 for none, can be written to or has failed, but not longer
    /// than `most`. Throws std::system_error with ECANCELED where that takes a wait and this is
    /// set.
    void wait_for(int descriptor, std::chrono::milliseconds most) const;

private:
    int event_;
};

/// Writes all of it to a descriptor. Throws std::system_error.
void write_all(int descriptor, std::string_view bytes, const interruption& until);

/// Whether the path leads to something that is no regular file: a device, a pipe.
bool is_special(const std::string& path);

/// Puts the parts into `path`: into a file beside it, which takes its name once it is whole.
/** Keeps the mode of a file that is there, follows a symbolic link, and writes right into what is
    no regular file, say /dev/null; a FIFO is waited for until it has a reader. Throws
    std::system_error; the file is then as it was. */
void replace_file(const std::string& path,
                  std::initializer_list<std::string_view> parts,
                  const interruption& until);

/// An open file that lines are written to.
class line_file {
public:
    /// Truncates or makes it; "-" is standard output. A FIFO is opened once there is a line for it:
    /// it may have no reader yet. Throws std::system_error.
    explicit line_file(const std::string& path);
    ~line_file();
    line_file(const line_file&) = delete;
    line_file& operator=(const line_file&) = delete;

    /// Writes the line and its end in one piece. Throws std::system_error.
    void write(std::string line, const interruption& until);

private:
    std::string path_;
    int descriptor_ = -1;
};

}  // namespace asio_retry::tool

#endif
