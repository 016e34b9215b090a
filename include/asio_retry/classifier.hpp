// The default verdicts on an error_code, and the function type with which users replace them.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_CLASSIFIER_HPP
#define ASIO_RETRY_CLASSIFIER_HPP

#include <asio_retry/error.hpp>
#include <asio_retry/failure.hpp>

#include <boost/asio/error.hpp>

#include <functional>
#include <optional>
#include <string_view>
#include <system_error>

namespace asio_retry {

/// A user's verdicts: an answer replaces the default row, `std::nullopt` leaves it in force.
/** Called after each attempt that ended with an error, on the executor of the call; when a policy
    is shared, from several threads at once. Must not throw. */
using error_classifier = std::function<std::optional<verdict>(const error_code&)>;

namespace detail {

class errc_row {
public:
    boost::system::errc::errc_t condition;
    failure_kind kind;
};

inline constexpr errc_row errc_rows[] = {
    {boost::system::errc::operation_canceled, failure_kind::cancelled},
    {boost::system::errc::timed_out, failure_kind::timeout},
    {boost::system::errc::connection_refused, failure_kind::connect},
    {boost::system::errc::host_unreachable, failure_kind::connect},
    {boost::system::errc::network_unreachable, failure_kind::connect},
    {boost::system::errc::network_down, failure_kind::connect},
    {boost::system::errc::address_not_available, failure_kind::connect},
    {boost::system::errc::address_in_use, failure_kind::connect},
    {boost::system::errc::too_many_files_open, failure_kind::connect},
    {boost::system::errc::too_many_files_open_in_system, failure_kind::connect},
    {boost::system::errc::no_buffer_space, failure_kind::connect},
    {boost::system::errc::connection_reset, failure_kind::connection_lost},
    {boost::system::errc::connection_aborted, failure_kind::connection_lost},
    {boost::system::errc::broken_pipe, failure_kind::connection_lost},
    {boost::system::errc::network_reset, failure_kind::connection_lost},
    {boost::system::errc::not_connected, failure_kind::connection_lost},
};

inline failure_kind kind_of(int condition) noexcept {
    for (const errc_row& row : errc_rows) {
        if (row.condition == condition) return row.kind;
    }
    return failure_kind::permanent;
}

/// For categories that have no default condition and answer comparisons instead.
inline failure_kind kind_by_comparison(const error_code& ec) noexcept {
    for (const errc_row& row : errc_rows) {
        if (ec == boost::system::errc::make_error_condition(row.condition)) return row.kind;
    }
    return failure_kind::permanent;
}

/// Categories that live behind heavy headers (OpenSSL, Beast) are known by their names.
inline std::optional<failure_kind> kind_of_stream_end(const error_code& ec) noexcept {
    const std::string_view category = ec.category().name();
    constexpr int ssl_stream_truncated = 1;
    constexpr int beast_end_of_stream = 1;
    constexpr int beast_partial_message = 2;
    constexpr int beast_timeout = 1;
    if (category == "asio.ssl.stream" && ec.value() == ssl_stream_truncated) {
        return failure_kind::connection_lost;
    }
    if (category == "beast.http" &&
        (ec.value() == beast_end_of_stream || ec.value() == beast_partial_message)) {
        return failure_kind::connection_lost;
    }
    if (category == "boost.beast" && ec.value() == beast_timeout) return failure_kind::timeout;
    return std::nullopt;
}

}  // namespace detail

/// The default verdict on an error: success for no error, else a kind of failure.
/** connect: refused, host or network unreachable or down, the resolver's "try again", no local
    address, port, buffer or descriptor left. timeout: timed out. connection_lost: reset, aborted,
    broken pipe, not connected any more, end of file or of stream, partial message, TLS truncation.
    cancelled: operation aborted. permanent: every other error. Rows hold through `std::errc`
    conditions, so that any category which maps to them is understood. Never throws. */
inline verdict default_verdict(const error_code& ec) noexcept {
    if (!ec) return verdict::success();
    const auto condition = ec.default_error_condition();
    if (condition.category() == boost::system::generic_category()) {
        return detail::kind_of(condition.value());
    }
    if (ec == boost::asio::error::host_not_found_try_again) return failure_kind::connect;
    if (ec == boost::asio::error::eof) return failure_kind::connection_lost;
    // A std::error_code inside hides its category behind a stand-in that maps to nothing.
    const auto standard = static_cast<std::error_code>(ec).default_error_condition();
    if (standard.category() == std::generic_category()) {
        return detail::kind_of(standard.value());
    }
    if (const auto kind = detail::kind_of_stream_end(ec)) return *kind;
    return detail::kind_by_comparison(ec);
}

}  // namespace asio_retry

#endif
