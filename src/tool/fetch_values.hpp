// Reads the values of fetch's options. Each throws std::invalid_argument that says what is right.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_TOOL_FETCH_VALUES_HPP
#define ASIO_RETRY_TOOL_FETCH_VALUES_HPP

#include <asio_retry/backoff.hpp>

#include <tool/fetch_options.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::tool {

/// A whole number from `low` to `high`.
unsigned parse_count(std::string_view text, unsigned low, unsigned high);

/// A duration above zero.
std::chrono::nanoseconds parse_limit(std::string_view text);

/// constant:D, linear:D[..CAP], exponential:BASE[..CAP] or decorrelated:BASE..CAP.
backoff parse_backoff(std::string_view text);

/// none, full or equal.
jitter parse_jitter(std::string_view text);

/// "429,500-504": status codes from 400 to 599.
std::vector<unsigned> parse_status_list(std::string_view text);

/// HOST:PORT:ADDR[,ADDR...]; an IPv6 ADDR with or without brackets.
resolve_rule parse_resolve(std::string_view text);

/// A token of RFC 9110, 5.6.2: a method or a field's name.
bool is_token(std::string_view text) noexcept;

/// Adds a `-H` to the options: 'N: v', 'N;' for an empty value, 'N:' to leave N out.
void add_header(fetch_options& options, std::string_view text);

/// Adds a `-d` to the options: the text itself, the bytes of a file with @FILE, those of standard
/// input with @-. A large file is named only, unless another `-d` comes.
void add_data(fetch_options& options, const std::string& text);

/// Whether names of fields are the same; ASCII letters compare without case.
bool same_name(std::string_view a, std::string_view b) noexcept;

/// Whether a `-H` gives this field.
bool has_header(const fetch_options& options, std::string_view name);

}  // namespace asio_retry::tool

#endif
