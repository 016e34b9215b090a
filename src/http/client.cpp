// SPDX-License-Identifier: BSL-1.0
#include "http/client_state.hpp"
#include "http/fetch.hpp"
#include <asio_retry/detail/spawned_attempt.hpp>
#include <asio_retry/http/client.hpp>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/this_coro.hpp>

#include <sys/un.h>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>

namespace asio_retry::http {

namespace asio = boost::asio;

namespace {

using state_ptr = std::shared_ptr<detail::client_state>;

asio::awaitable<response> fetch_or_throw(state_ptr state, request r, detail::fetch_terms terms) {
    std::string operation;
    auto pending = detail::fetch(std::move(state), std::move(r), std::move(terms), &operation);
    fetch_result result = co_await std::move(pending);
    if (result.error()) throw retry_error(result.error(), result.report(), operation);
    co_return std::move(result).value();
}

/// What co_spawn can default-construct.
using spawned_result = std::optional<fetch_result>;

asio::awaitable<spawned_result> fetch_cancellably(state_ptr state,
                                                  request r,
                                                  detail::fetch_terms terms) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    auto pending = detail::fetch(std::move(state), std::move(r), std::move(terms), nullptr);
    co_return co_await std::move(pending);
}

/// Of a fetch that ran out of memory, say.
fetch_result unexpected(const std::exception_ptr& e) {
    const error_code ec = asio_retry::detail::error_of(e);
    retry_report report(reason::permanent_failure, ec, 0, std::chrono::nanoseconds::zero(), {}, 0);
    return {std::nullopt, ec, e, std::move(report)};
}

/// The fetch runs on the client's executor, on a strand of it if need be, so that it can be
/// cancelled from any thread; the handler on its own.
template <typename Handler>
void spawn(state_ptr state,
           asio::any_io_executor handler_executor,
           request r,
           detail::fetch_terms terms,
           asio::cancellation_slot slot,
           Handler handler) {
    auto finish = [h = std::move(handler)](const std::exception_ptr& e,
                                           spawned_result result) mutable {
        if (!result) result.emplace(unexpected(e));
        std::move(h)(std::move(*result));
    };
    const auto ex = asio_retry::detail::attempt_executor(state->executor);
    auto pending = fetch_cancellably(std::move(state), std::move(r), std::move(terms));
    asio::co_spawn(ex,
                   std::move(pending),
                   asio::bind_cancellation_slot(
                       slot, asio::bind_executor(handler_executor, std::move(finish))));
}

}  // namespace

client_config& client_config::resolve(std::string host, std::uint16_t port, std::string address) {
    if (address.starts_with('[') && address.ends_with(']')) {
        address = address.substr(1, address.size() - 2);
    }
    error_code ec;
    asio::ip::make_address(address, ec);
    if (host.empty() || ec) {
        throw std::invalid_argument("resolve: '" + address + "' is not an address for '" + host +
                                    "'; use 127.0.0.1 or ::1, say");
    }
    addresses_.emplace_back(std::move(host), port, std::move(address));
    return *this;
}

client_config& client_config::unix_socket(std::string host, std::uint16_t port, std::string path) {
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (path.empty() || path.size() > longest || path.find('\0') != std::string::npos) {
        throw std::invalid_argument("unix_socket: '" + path +
                                    "' is no path for a socket; use 1 to " +
                                    std::to_string(longest) + " bytes");
    }
    socket_paths_.emplace_back(std::move(host), port, std::move(path));
    return *this;
}

client::client(executor_type ex, client_config config)
    : state_(std::make_shared<detail::client_state>(std::move(ex), std::move(config))) {}

client::client(client&&) noexcept = default;
client& client::operator=(client&&) noexcept = default;
client::~client() = default;

client::executor_type client::get_executor() const noexcept { return state_->executor; }
const client_config& client::config() const noexcept { return state_->config; }

error_code client::prepare_tls() {
    error_code ec;
    state_->tls.get(ec);
    return ec;
}

asio::awaitable<fetch_result> client::try_fetch(request r) {
    return detail::fetch(state_, std::move(r), {}, nullptr);
}

asio::awaitable<fetch_result> client::try_fetch(request r, fetch_policy policy) {
    return detail::fetch(state_, std::move(r), std::move(policy), nullptr);
}

asio::awaitable<fetch_result> client::try_fetch(request r, endpoint_handle endpoint) {
    return detail::fetch(state_, std::move(r), std::move(endpoint), nullptr);
}

// Not through `this`: the client may be gone before the fetch ends.

asio::awaitable<response> client::fetch(request r, fetch_policy policy) {
    return fetch_or_throw(state_, std::move(r), std::move(policy));
}

asio::awaitable<response> client::fetch(request r, endpoint_handle endpoint) {
    return fetch_or_throw(state_, std::move(r), std::move(endpoint));
}

asio::awaitable<response> client::fetch(request r) {
    return fetch_or_throw(state_, std::move(r), {});
}

asio::awaitable<response> client::get(std::string url) {
    return fetch_or_throw(state_, request("GET", std::move(url)), {});
}

asio::awaitable<response> client::download(request r, std::string path, download_options options) {
    r.deliver_to(into_file(std::move(path), options));
    return fetch_or_throw(state_, std::move(r), {});
}

asio::awaitable<fetch_result> client::try_download(request r,
                                                   std::string path,
                                                   download_options options) {
    r.deliver_to(into_file(std::move(path), options));
    return detail::fetch(state_, std::move(r), {}, nullptr);
}

client::executor_type client::executor_of(const detail::client_state& state) noexcept {
    return state.executor;
}

void client::start(
    state_ptr state, executor_type ex, request r, detail::fetch_terms t, fetch_handler h) {
    const auto slot = asio::get_associated_cancellation_slot(h);
    auto finish = [handler = std::move(h)](fetch_result result) mutable {
        const error_code ec = result.error();
        response value = ec ? response() : std::move(result).value();
        std::move(handler)(ec, std::move(value));
    };
    spawn(std::move(state), std::move(ex), std::move(r), std::move(t), slot, std::move(finish));
}

void client::start(
    state_ptr state, executor_type ex, request r, detail::fetch_terms t, try_fetch_handler h) {
    const auto slot = asio::get_associated_cancellation_slot(h);
    spawn(std::move(state), std::move(ex), std::move(r), std::move(t), slot, std::move(h));
}

}  // namespace asio_retry::http
