// SPDX-License-Identifier: BSL-1.0
#include "http/redirect.hpp"

#include <asio_retry/http/error.hpp>

#include <boost/beast/core/string.hpp>

#include <array>
#include <string>
#include <string_view>

namespace asio_retry::http::detail {

namespace {

bool is_redirection(unsigned status) noexcept {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string next_method(const std::string& method, unsigned status) {
    const bool to_get = status == 303 ? method != "HEAD" : status <= 302 && method == "POST";
    return to_get ? "GET" : method;
}

/// RFC 9110 15.4, step 5, and what has no meaning without a body.
bool describes_body(boost::beast::string_view name) noexcept {
    static constexpr std::array<const char*, 5> others = {
        "Digest", "Repr-Digest", "Last-Modified", "Expect", "Idempotency-Key"};
    constexpr boost::beast::string_view prefix = "Content-";
    if (boost::beast::iequals(name.substr(0, prefix.size()), prefix)) return true;
    for (const char* other : others) {
        if (boost::beast::iequals(name, other)) return true;
    }
    return false;
}

bool is_credential(boost::beast::string_view name) noexcept {
    return boost::beast::iequals(name, "Authorization") || boost::beast::iequals(name, "Cookie") ||
           boost::beast::iequals(name, "Proxy-Authorization");
}

std::string_view trimmed(boost::beast::string_view text) noexcept {
    const std::string_view all(text.data(), text.size());
    const auto first = all.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return all.substr(first, all.find_last_not_of(" \t") - first + 1);
}

}  // namespace

hop next_hop(const request& current,
             const target& at,
             unsigned status,
             const request::fields& headers,
             insecure_redirects insecure) {
    const auto [first, last] = headers.equal_range("Location");
    if (!is_redirection(status) || first == last) return {};
    const auto location = trimmed(first->value());
    if (location.empty()) return {};

    target to;
    if (std::next(first) != last || resolve_target(at, location, to)) {
        return hop(error::invalid_redirect);
    }
    if (at.tls && !to.tls && insecure == insecure_redirects::refused) {
        return hop(error::insecure_redirect);
    }

    const bool to_same_origin = same_origin(at, to);
    request next(next_method(current.method(), status), to.display);
    const bool keeps_body = next.method() == current.method();
    for (const auto& field : current.headers()) {
        const auto name = field.name_string();
        if ((keeps_body || !describes_body(name)) && (to_same_origin || !is_credential(name))) {
            next.headers().insert(name, field.value());
        }
    }
    if (to_same_origin && !at.authorization.empty() && next.headers().count("Authorization") == 0) {
        next.header("Authorization", at.authorization);
    }
    if (keeps_body) {
        next.body(current.body());
        if (current.source()) next.body(*current.source());
        if (current.expect_continue().count() != 0) next.expect_continue(current.expect_continue());
        next.idempotency_key(current.idempotency_key());
        next.repeatable(current.repeatable());
    }
    next.deliver_to(current.sink()).observer(current.observer());
    return hop(std::move(next));
}

}  // namespace asio_retry::http::detail
