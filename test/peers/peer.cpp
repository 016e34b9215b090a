#include "peers/peer.hpp"

#include "support/sockets.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace asio_retry::test {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto patience = 30s;
constexpr int tries = 20;

/// Below the ports that systems hand out by themselves, which the servers of other tests get.
constexpr int first_port = 20'000;
constexpr int ports = 12'000;

/// A name of the abstract kind is held by one process at a time and gone with it: so no two tests
/// that run at once pick one port, although neither can hold the port itself.
int reserve(int port) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) fail("socket");
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const std::string text = "asio_retry_peer_" + std::to_string(port);
    std::memcpy(name.sun_path + 1, text.data(), text.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&name), size) == 0) return socket;
    ::close(socket);
    return -1;
}

bool is_free(int port) {
    try {
        ::close(bind_socket("127.0.0.1", static_cast<std::uint16_t>(port)));
        return true;
    } catch (const std::system_error&) {
        return false;
    }
}

bool takes_connections(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) fail("socket");
    socklen_t size = 0;
    const auto address = to_address("127.0.0.1", port, size);
    const int result = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), size);
    ::close(socket);
    return result == 0;
}

std::string contents_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::string find_program(std::string_view name) {
    for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/usr/local/bin/"}) {
        const std::string path = directory + std::string(name);
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return "";
}

peer::peer(const peer_command& command) {
    for (int i = 0; i < tries; ++i) {
        const int port = first_port + (static_cast<int>(::getpid()) * 7 + i * 101) % ports;
        reserved_ = reserve(port);
        if (reserved_ >= 0 && is_free(port)) {
            port_ = static_cast<std::uint16_t>(port);
            words_ = command(port_);
            if (start()) return;
        }
        end();
        release_port();
    }
    throw std::runtime_error("a peer does not come to listen: " + written());
}

peer::~peer() {
    end();
    release_port();
}

void peer::restart() {
    end();
    if (!start()) throw std::runtime_error("a peer does not listen again: " + written());
}

bool peer::start() {
    std::vector<char*> pointers;
    for (auto& each : words_) pointers.push_back(each.data());
    pointers.push_back(nullptr);
    const auto out = directory_.write("out", "");
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail("fork");
    if (pid_ == 0) {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent) ::_exit(126);
        const int null = ::open("/dev/null", O_RDONLY);
        const int file = ::open(out.c_str(), O_WRONLY | O_APPEND);
        ::dup2(null, STDIN_FILENO);
        ::dup2(file, STDOUT_FILENO);
        ::dup2(file, STDERR_FILENO);
        ::execv(pointers[0], pointers.data());
        ::_exit(127);
    }
    const auto end = clock::now() + patience;
    while (is_running() && clock::now() < end) {
        // Were the port somebody else's, this one would not run on.
        if (takes_connections(port_)) return is_running();
        std::this_thread::sleep_for(5ms);
    }
    return false;
}

bool peer::is_running() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return pid_ > 0;
}

void peer::end() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    ::waitpid(std::exchange(pid_, -1), nullptr, 0);
}

void peer::release_port() {
    if (reserved_ >= 0) ::close(std::exchange(reserved_, -1));
}

std::string peer::url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

std::string peer::secure_url(std::string_view path, std::string_view host) const {
    return "https://" + std::string(host) + ":" + std::to_string(port_) + std::string(path);
}

std::string peer::written() const { return contents_of((directory_.path() / "out").string()); }

}  // namespace asio_retry::test
