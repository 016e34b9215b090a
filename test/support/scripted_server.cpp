// Accepting, the threads of the connections, and what they saw.
#include "scripted_server.hpp"

#include "sockets.hpp"
#include "wire.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>

namespace asio_retry::test {

struct scripted_server::state {
    struct player {
        std::thread thread;
        bool ended = false;
    };

    state(std::vector<connection_script> all, scripted_server_options given)
        : scripts(std::move(all)), options(std::move(given)) {
        listener = bind_socket(options.address_, options.port_);
        port = local_port(listener);
        stop = ::eventfd(0, EFD_CLOEXEC);
        rearm = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (!options.refusing_) listen();
        acceptor = std::thread([this] { accept_all(); });
    }

    ~state() {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto told = ::write(stop, &one, sizeof one);
        acceptor.join();
        for (auto& each : threads) each.thread.join();
        ::close(listener);
        ::close(stop);
        ::close(rearm);
    }

    void listen() {
        if (::listen(listener, 128) != 0) fail("listen");
        listening = true;
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto told = ::write(rearm, &one, sizeof one);
    }

    void refuse() {
        listening = false;
        ::shutdown(listener, SHUT_RD);  // Linux: back to bound, and no longer listening
    }

    void accept_all() {
        for (;;) {
            const bool watch = listening;
            std::array<pollfd, 3> watched{pollfd{stop, POLLIN, 0},
                                          pollfd{rearm, POLLIN, 0},
                                          pollfd{watch ? listener : -1, POLLIN, 0}};
            ::poll(watched.data(), watched.size(), -1);
            if (watched[0].revents != 0) return;
            std::uint64_t ignored = 0;
            [[maybe_unused]] const auto woken = ::read(rearm, &ignored, sizeof ignored);
            if (watched[2].revents != 0) accept_one();
        }
    }

    void accept_one() {
        sockaddr_storage peer{};
        socklen_t length = sizeof peer;
        const int socket =
            ::accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC);
        if (socket < 0) return;
        const int on = 1;
        ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const std::lock_guard lock(mutex);
        const auto index = connections.size();
        connections.emplace_back().client_port = port_of(peer);
        if (index >= scripts.size()) ++unscripted;
        changed.notify_all();
        reap();
        player& one = threads.emplace_back();
        one.thread = std::thread([this, socket, index, &one] {
            play(socket, index);
            const std::lock_guard guard(mutex);
            one.ended = true;
        });
    }

    /// Ends the threads that have played their part: a sanitizer bears only so many.
    void reap() {
        threads.remove_if([](player& each) {
            if (each.ended) each.thread.join();
            return each.ended;
        });
    }

    const connection_script& script_of(std::size_t index) const {
        static const connection_script nothing{reset()};
        if (index < scripts.size()) return scripts[index];
        return options.repeat_last_ && !scripts.empty() ? scripts.back() : nothing;
    }

    void play(int socket, std::size_t index);

    std::vector<connection_script> scripts;
    scripted_server_options options;
    int listener = -1;
    int stop = -1;
    int rearm = -1;
    std::uint16_t port = 0;
    std::atomic<bool> listening{false};

    std::mutex mutex;
    std::condition_variable changed;
    std::deque<connection_record> connections;
    std::vector<received_request> requests;
    std::vector<std::string> problems;
    std::size_t unscripted = 0;
    std::list<player> threads;
    std::thread acceptor;

    class notes;
};

/// What one connection reports, into the server's lists.
class scripted_server::state::notes final : public wire_listener {
public:
    notes(state& server, std::size_t index) : server_(server), index_(index) {}

    void on_head(received_request request) override {
        const std::lock_guard lock(server_.mutex);
        request.connection = index_;
        request_ = server_.requests.size();
        server_.requests.push_back(std::move(request));
        server_.changed.notify_all();
    }
    void on_body(std::string_view body, bool whole) override {
        const std::lock_guard lock(server_.mutex);
        if (request_ >= server_.requests.size()) return;
        server_.requests[request_].body += body;
        server_.requests[request_].body_whole = whole;
        server_.changed.notify_all();
    }
    void update(const std::function<void(connection_record&)>& change) override {
        const std::lock_guard lock(server_.mutex);
        change(server_.connections[index_]);
        server_.changed.notify_all();
    }
    void refuse() override { server_.refuse(); }

    void problem(const std::string& where, const std::string& what) {
        const std::lock_guard lock(server_.mutex);
        server_.problems.push_back("connection " + std::to_string(index_) + ", " + where + ": " +
                                   what);
    }

private:
    state& server_;
    const std::size_t index_;
    std::size_t request_ = static_cast<std::size_t>(-1);
};

void scripted_server::state::play(int socket, std::size_t index) {
    notes listener_notes(*this, index);
    wire connection(socket, stop, options.patience_, listener_notes);
    auto end = connection_end::by_script;
    std::string where = "TLS handshake";
    std::size_t number = 0;
    try {
        if (options.tls_ != nullptr) connection.start_tls(*options.tls_);
        for (const auto& each : script_of(index)) {
            where = "step " + std::to_string(++number) + " " + each.name();
            each.run(connection);
        }
    } catch (const script_stopped&) {
        end = connection_end::by_stop;
    } catch (const std::exception& problem) {
        listener_notes.problem(where, problem.what());
    }
    if (connection.reset_seen()) {
        end = connection_end::reset_by_client;
    } else if (connection.end_seen() && end == connection_end::by_script) {
        end = connection_end::by_client;
    }
    try {
        if (end != connection_end::by_stop) connection.close(wire::notify::yes);
    } catch (...) {
        connection.reset();  // no close_notify for a client that is gone
    }
    listener_notes.update([end](connection_record& record) { record.end = end; });
}

scripted_server::scripted_server(std::vector<connection_script> connections,
                                 scripted_server_options options)
    : state_(std::make_unique<state>(std::move(connections), std::move(options))) {}

scripted_server::~scripted_server() = default;

std::uint16_t scripted_server::port() const { return state_->port; }

std::string scripted_server::host() const {
    const auto& address = state_->options.address_;
    return address.find(':') == std::string::npos ? address : "[" + address + "]";
}

std::string scripted_server::origin() const {
    const std::string scheme = state_->options.tls_ == nullptr ? "http://" : "https://";
    return scheme + host() + ":" + std::to_string(port());
}

std::string scripted_server::url(std::string_view target) const {
    return origin() + std::string(target);
}

void scripted_server::refuse() { state_->refuse(); }
void scripted_server::listen() { state_->listen(); }

std::vector<received_request> scripted_server::requests() const {
    const std::lock_guard lock(state_->mutex);
    return state_->requests;
}

std::vector<connection_record> scripted_server::connections() const {
    const std::lock_guard lock(state_->mutex);
    return {state_->connections.begin(), state_->connections.end()};
}

std::size_t scripted_server::connections_accepted() const {
    const std::lock_guard lock(state_->mutex);
    return state_->connections.size();
}

std::size_t scripted_server::unscripted_connections() const {
    const std::lock_guard lock(state_->mutex);
    return state_->unscripted;
}

std::vector<std::string> scripted_server::problems() const {
    const std::lock_guard lock(state_->mutex);
    return state_->problems;
}

std::string scripted_server::problems_text() const {
    std::string text;
    for (const auto& problem : problems()) text += problem + "\n";
    return text;
}

bool scripted_server::wait_for_requests(std::size_t count, std::chrono::milliseconds limit) const {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, limit, [&] { return state_->requests.size() >= count; });
}

bool scripted_server::wait_for_connections(std::size_t count,
                                           std::chrono::milliseconds limit) const {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(
        lock, limit, [&] { return state_->connections.size() >= count; });
}

bool scripted_server::wait_until_closed(std::chrono::milliseconds limit) const {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, limit, [&] {
        for (const auto& each : state_->connections) {
            if (each.end == connection_end::open) return false;
        }
        return true;
    });
}

}  // namespace asio_retry::test
