// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/testing/fault_server.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <testing/fault_connection.hpp>
#include <testing/fault_link.hpp>

#include <optional>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace asio_retry::testing {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

void check(const error_code& failed, const std::string& what) {
    if (failed) throw std::system_error(failed, what);
}

}  // namespace

fault_server_options& fault_server_options::port(std::uint16_t number) {
    port_ = number;
    return *this;
}

fault_server_options& fault_server_options::tls(std::string certificate_file,
                                                std::string key_file) {
    certificate_file_ = std::move(certificate_file);
    key_file_ = std::move(key_file);
    return *this;
}

fault_server_options& fault_server_options::idle_timeout(std::chrono::nanoseconds limit) {
    if (limit.count() <= 0) throw std::invalid_argument("idle_timeout is not above 0");
    idle_timeout_ = limit;
    return *this;
}

fault_server_options& fault_server_options::body_limit(std::uint64_t bytes) {
    body_limit_ = bytes;
    return *this;
}

fault_server_options& fault_server_options::log(std::function<void(std::string_view)> sink) {
    log_ = std::move(sink);
    return *this;
}

struct fault_server::impl {
    explicit impl(const fault_script& script)
        : state(std::make_shared<detail::fault_server_state>(script)) {}

    ~impl() {
        context.stop();
        if (thread.joinable()) thread.join();
    }

    void use_tls(const std::string& certificate_file, const std::string& key_file) {
        tls.emplace(asio::ssl::context::tls_server);
        tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
        error_code failed;
        tls->use_certificate_chain_file(certificate_file, failed);
        check(failed, "the certificate file " + certificate_file + " cannot be used");
        tls->use_private_key_file(key_file, asio::ssl::context::pem, failed);
        check(failed, "the key file " + key_file + " cannot be used");
    }

    void listen(std::uint16_t wanted) {
        const tcp::endpoint where(asio::ip::address_v4::loopback(), wanted);
        const auto name = "port " + std::to_string(wanted) + " of 127.0.0.1";
        error_code failed;
        acceptor.open(where.protocol(), failed);
        check(failed, name);
        acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
        check(failed, name);
        acceptor.bind(where, failed);
        check(failed, name);
        acceptor.listen(asio::socket_base::max_listen_connections, failed);
        check(failed, name);
        port = acceptor.local_endpoint().port();
    }

    asio::awaitable<void> accept_all() {
        constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
        asio::steady_timer pause(context);
        for (;;) {
            auto [failed, socket] = co_await acceptor.async_accept(as_result);
            if (failed) {
                // Out of descriptors, say: some will come free.
                pause.expires_after(std::chrono::milliseconds(20));
                co_await pause.async_wait(as_result);
                continue;
            }
            auto link =
                std::make_shared<detail::fault_link>(std::move(socket), tls ? &*tls : nullptr);
            auto connection = std::make_shared<detail::fault_connection>(std::move(link), state);
            asio::co_spawn(
                context, detail::fault_connection::run(std::move(connection)), asio::detached);
        }
    }

    std::shared_ptr<detail::fault_server_state> state;
    std::optional<asio::ssl::context> tls;
    std::uint16_t port = 0;
    asio::io_context context{1};  // after all that the coroutines it destroys refer to
    tcp::acceptor acceptor{context};
    std::thread thread;
};

fault_server::fault_server(const fault_script& script, fault_server_options options)
    : impl_(std::make_unique<impl>(script)) {
    impl_->state->idle_timeout = options.idle_timeout_;
    impl_->state->body_limit = options.body_limit_;
    impl_->state->log = std::move(options.log_);
    if (!options.certificate_file_.empty()) {
        impl_->use_tls(options.certificate_file_, options.key_file_);
    }
    impl_->listen(options.port_);
    asio::co_spawn(impl_->context, impl_->accept_all(), asio::detached);
    impl_->thread = std::thread([server = impl_.get()] { server->context.run(); });
}

fault_server::~fault_server() = default;

std::uint16_t fault_server::port() const { return impl_->port; }

std::string fault_server::origin() const {
    return (impl_->tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port());
}

std::string fault_server::url(std::string_view target) const {
    return origin() + std::string(target);
}

server_counts fault_server::counts() const { return impl_->state->counts.snapshot(); }

void fault_server::clear_counts() { impl_->state->counts.clear(); }

}  // namespace asio_retry::testing
