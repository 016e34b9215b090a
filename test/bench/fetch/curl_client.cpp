// SPDX-License-Identifier: BSL-1.0
#include "bench/fetch/contestants.hpp"

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <vector>

namespace bench {

namespace {

/// A handle and the body it reads; it serves for one request after another.
class transfer {
public:
    transfer(const job& j, CURLM* multi) : easy_(curl_easy_init()), multi_(multi) {
        curl_easy_setopt(easy_, CURLOPT_URL, j.url().c_str());
        curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &take);
        curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
        curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
        curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
        if (j.tls()) curl_easy_setopt(easy_, CURLOPT_CAINFO, j.ca.c_str());
    }
    ~transfer() { curl_easy_cleanup(easy_); }
    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;

    void start() {
        body_.clear();
        curl_multi_add_handle(multi_, easy_);
    }

    void finish(tally& t) {
        curl_multi_remove_handle(multi_, easy_);
        long status = 0;
        curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
        t.end(static_cast<unsigned>(status), body_.size());
    }

private:
    static std::size_t take(const char* bytes, std::size_t size, std::size_t n, void* self) {
        static_cast<transfer*>(self)->body_.append(bytes, size * n);
        return size * n;
    }

    CURL* const easy_;
    CURLM* const multi_;
    std::string body_;
};

/// What libcurl is told of its sockets and of time.
class event_loop {
public:
    explicit event_loop(CURLM* multi) : epoll_(epoll_create1(EPOLL_CLOEXEC)), multi_(multi) {
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &watch);
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &set_timer);
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    }
    ~event_loop() { close(epoll_); }
    event_loop(const event_loop&) = delete;
    event_loop& operator=(const event_loop&) = delete;

    void step() {
        std::array<epoll_event, 128> events{};
        const int n = epoll_wait(epoll_, events.data(), events.size(), static_cast<int>(timeout_));
        int running = 0;
        if (n == 0) curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
        for (int i = 0; i < n; ++i) {
            const epoll_event& e = events.at(static_cast<std::size_t>(i));
            const int what = ((e.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                             ((e.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
                             ((e.events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi_, e.data.fd, what, &running);
        }
    }

private:
    static int watch(CURL*, curl_socket_t s, int what, void* self, void* known) {
        auto& loop = *static_cast<event_loop*>(self);
        epoll_event e{};
        e.data.fd = s;
        e.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
                   ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
        if (what == CURL_POLL_REMOVE) {
            epoll_ctl(loop.epoll_, EPOLL_CTL_DEL, s, nullptr);
        } else {
            epoll_ctl(loop.epoll_, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, s, &e);
            curl_multi_assign(loop.multi_, s, self);
        }
        return 0;
    }

    static int set_timer(CURLM*, long ms, void* self) {
        static_cast<event_loop*>(self)->timeout_ = ms;
        return 0;
    }

    const int epoll_;
    CURLM* const multi_;
    long timeout_ = -1;
};

}  // namespace

void run_curl(const job& j, tally& t) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM* const multi = curl_multi_init();
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(j.connections));
    {
        event_loop loop(multi);
        std::vector<std::unique_ptr<transfer>> transfers;
        std::size_t running = 0;
        for (std::size_t i = 0; i < j.connections && t.begin(); ++i, ++running) {
            transfers.push_back(std::make_unique<transfer>(j, multi));
            transfers.back()->start();
        }
        while (running != 0) {
            loop.step();
            int left = 0;
            while (const CURLMsg* m = curl_multi_info_read(multi, &left)) {
                if (m->msg != CURLMSG_DONE) continue;
                char* known = nullptr;
                curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &known);
                auto& ended = *reinterpret_cast<transfer*>(known);
                ended.finish(t);
                if (t.begin()) {
                    ended.start();
                } else {
                    --running;
                }
            }
        }
    }
    curl_multi_cleanup(multi);
    curl_global_cleanup();
}

}  // namespace bench
