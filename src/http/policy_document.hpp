// A policy file, read: the table that it makes, and where its values come from.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_SRC_HTTP_POLICY_DOCUMENT_HPP
#define ASIO_RETRY_SRC_HTTP_POLICY_DOCUMENT_HPP

#include "http/json_tree.hpp"
#include <asio_retry/http/policy_file.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace asio_retry::http::detail {

enum class value_source : std::uint8_t { library, file_default, endpoint };

/// One value of a policy, as a file would have it.
class policy_value {
public:
    policy_value(std::string p, std::string t, value_source s)
        : path(std::move(p)), text(std::move(t)), source(s) {}

    std::string path;  // as in "backoff.cap"
    std::string text;  // JSON
    value_source source;
};

class policy_document {
public:
    /// Throws policy_file_error, with `file` as the name.
    policy_document(std::string_view text,
                    const std::string& file,
                    const endpoint_policy& base = endpoint_policy());

    const endpoint_table& table() const noexcept { return table_; }

    /// The whole policy of an endpoint, each value with its source.
    std::vector<policy_value> values(endpoint_table::number n) const;

private:
    json_node root_;
    endpoint_policy base_;
    endpoint_table table_;
};

/// The text of a file. Throws policy_file_error if it cannot be read.
std::string read_policy_file(const std::string& path);

/// The JSON Schema of policy files.
std::string policy_schema();

}  // namespace asio_retry::http::detail

#endif
