// Where bodies go: standard output, or a file that is whole or as it was.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_OUTPUT_HPP
#define ASIO_RETRY_TOOL_FETCH_OUTPUT_HPP

#include <initializer_list>
#include <string>
#include <string_view>

namespace asio_retry::tool {

/// What an errno means.
std::string error_text(int error);

/// Writes all of it to a descriptor. Throws std::system_error.
void write_all(int descriptor, std::string_view bytes);

/// Whether the path leads to something that is no regular file: a device, a pipe.
bool is_special(const std::string& path);

/// Puts the parts into `path`: into a file beside it, which takes its name once it is whole.
/** Keeps the mode of a file that is there, follows a symbolic link, and writes right into what is no
    regular file, say /dev/null. Throws std::system_error; the file is then as it was. */
void replace_file(const std::string& path, std::initializer_list<std::string_view> parts);

/// An open file that lines are written to.
class line_file {
public:
    /// Truncates or makes it; "-" is standard output. Throws std::system_error.
    explicit line_file(const std::string& path);
    ~line_file();
    line_file(const line_file&) = delete;
    line_file& operator=(const line_file&) = delete;

    /// Writes the line and its end in one piece. Throws std::system_error.
    void write(std::string line) const;

private:
    int descriptor_;
};

}  // namespace asio_retry::tool

#endif
