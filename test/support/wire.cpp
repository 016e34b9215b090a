// The transport half of a scripted connection: every wait also watches the server's stop signal.
#include "wire.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

namespace asio_retry::test {

using clock = std::chrono::steady_clock;

wire::wire(int socket, int stop, std::chrono::milliseconds patience, wire_listener& listener)
    : socket_(socket), stop_(stop), patience_(patience), listener_(listener) {}

wire::~wire() {
    if (socket_ >= 0) ::close(socket_);
}

/// Waits for the socket; 0 events waits for the peer's hang-up alone.
void wire::poll_for(short events, const char* what) {
    std::array<pollfd, 2> watched{pollfd{socket_, events, 0}, pollfd{stop_, POLLIN, 0}};
    const auto until = clock::now() + patience_;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
        const int count =
            ::poll(watched.data(), watched.size(), std::max(0, static_cast<int>(left.count())));
        if (watched[1].revents != 0) throw script_stopped{};
        if (count > 0) return;
        if (count < 0 && errno != EINTR)
            throw script_problem(std::generic_category().message(errno));
        if (clock::now() >= until) throw script_problem(std::string("timed out ") + what);
    }
}

/// 0 at the end of the stream, be it FIN or RST.
std::size_t wire::receive_raw(char* data, std::size_t size) {
    if (socket_ < 0) throw script_problem("the script has closed this connection already");
    for (;;) {
        poll_for(POLLIN, "reading");
        const auto count = ::recv(socket_, data, size, MSG_DONTWAIT);
        if (count == 0) end_seen_ = true;
        if (count >= 0) return static_cast<std::size_t>(count);
        if (errno == EAGAIN || errno == EINTR) continue;
        reset_seen_ = true;
        return 0;
    }
}

void wire::note(const char* data, std::size_t size) {
    buffer_.append(data, size);
    listener_.update([&](connection_record& record) { record.received.append(data, size); });
}

bool wire::read_some() {
    if (encrypted_) return feed_tls();
    std::array<char, 16 * 1024> data;
    const auto count = receive_raw(data.data(), data.size());
    if (count > 0) note(data.data(), count);
    return count > 0;
}

void wire::need(std::size_t count, const char* what) {
    while (buffer_.size() < count) {
        if (!read_some()) {
            throw script_problem("the client closed with " + std::to_string(buffer_.size()) +
                                 " of " + std::to_string(count) + " bytes of " + what);
        }
    }
}

void wire::write_raw(std::string_view bytes) {
    if (socket_ < 0) throw script_problem("the script has closed this connection already");
    while (!bytes.empty()) {
        const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(count));
            continue;
        }
        const int error = errno;
        if (error == EAGAIN) {
            poll_for(POLLOUT, "writing");
        } else if (error != EINTR) {
            throw script_problem("cannot write: " + std::generic_category().message(error));
        }
    }
}

void wire::close(notify tls_notify) {
    if (socket_ < 0) return;
    shut_down_writing(tls_notify);
    ::close(socket_);
    socket_ = -1;
}

void wire::reset() {
    if (socket_ < 0) return;
    const linger abort{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    ::close(socket_);
    socket_ = -1;
}

void wire::wait_for_client_to_close() {
    while (read_some()) buffer_.clear();
}

void wire::wait_for_client_to_vanish() {
    // POLLHUP needs both directions closed, POLLRDHUP comes with the client's FIN; both without a
    // read.
    poll_for(POLLRDHUP, "waiting for the client to go");
}

void wire::wait_for(const gate& latch) {
    const auto until = clock::now() + patience_;
    while (!latch.wait(std::chrono::milliseconds(2))) {
        pollfd stopped{stop_, POLLIN, 0};
        if (::poll(&stopped, 1, 0) > 0) throw script_stopped{};
        if (clock::now() >= until) throw script_problem("timed out waiting for the gate");
    }
}

void wire::pause(std::chrono::milliseconds duration) {
    pollfd stopped{stop_, POLLIN, 0};
    if (duration.count() > 0 && ::poll(&stopped, 1, static_cast<int>(duration.count())) > 0) {
        throw script_stopped{};
    }
}

}  // namespace asio_retry::test
