// What surrounds a script: the latch and the options.
#include "scripted_server.hpp"

#include <condition_variable>
#include <mutex>

namespace asio_retry::test {

struct gate::state {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
};

gate::gate() : state_(std::make_shared<state>()) {}

void gate::open() {
    const std::lock_guard lock(state_->mutex);
    state_->open = true;
    state_->changed.notify_all();
}

bool gate::is_open() const {
    const std::lock_guard lock(state_->mutex);
    return state_->open;
}

bool gate::wait(std::chrono::milliseconds limit) const {
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, limit, [this] { return state_->open; });
}

scripted_server_options& scripted_server_options::tls(tls_server server) {
    tls_ = std::make_shared<const tls_server>(std::move(server));
    return *this;
}
scripted_server_options& scripted_server_options::address(std::string address) {
    address_ = std::move(address);
    return *this;
}
scripted_server_options& scripted_server_options::port(std::uint16_t port) {
    port_ = port;
    return *this;
}
scripted_server_options& scripted_server_options::refusing() {
    refusing_ = true;
    return *this;
}
scripted_server_options& scripted_server_options::repeat_last() {
    repeat_last_ = true;
    return *this;
}
scripted_server_options& scripted_server_options::patience(std::chrono::milliseconds patience) {
    patience_ = patience;
    return *this;
}

}  // namespace asio_retry::test
