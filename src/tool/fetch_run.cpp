// SPDX-License-Identifier: BSL-1.0
#include <asio_retry/http/client.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <tool/credentials.hpp>
#include <tool/exit_status.hpp>
#include <tool/fetch_certificates.hpp>
#include <tool/fetch_download.hpp>
#include <tool/fetch_head.hpp>
#include <tool/fetch_printer.hpp>
#include <tool/fetch_progress.hpp>
#include <tool/fetch_request.hpp>
#include <tool/fetch_run.hpp>
#include <tool/fetch_timeline.hpp>
#include <tool/usage_error.hpp>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <system_error>
#include <vector>

namespace asio_retry::tool {

namespace {

namespace asio = boost::asio;

std::vector<std::string> shown_urls(const fetch_options& options) {
    std::vector<std::string> urls;
    urls.reserve(options.urls.size());
    for (const auto& url : options.urls) urls.push_back(without_credentials(url));
    return urls;
}

std::string all_of(const http::response::fields& fields, const char* name) {
    std::string values;
    const auto [first, last] = fields.equal_range(name);
    for (auto each = first; each != last; ++each) {
        values += (values.empty() ? "" : ", ") + std::string(each->value());
    }
    return values;
}

bool is_terminal() { return ::isatty(STDERR_FILENO) != 0; }

bool shows_progress(const fetch_options& o) {
    return !o.silent && !o.parallel && !o.timeline && !o.verbose && is_terminal();
}

colour colour_of_standard_error() {
    const char* no_colour =
        std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): never set here
    const bool wanted = is_terminal() && no_colour == nullptr;
    return wanted ? colour::on : colour::off;
}

http::client make_client(asio::io_context& context,
                         const fetch_options& options,
                         const std::shared_ptr<http::endpoint_registry>& endpoints) {
    http::client client(context.get_executor(), make_config(options).endpoints(endpoints));
    check_certificates(client, options);
    return client;
}

class fetch_run {
public:
    fetch_run(const fetch_options& options,
              std::vector<http::request> requests,
              const std::shared_ptr<http::endpoint_registry>& endpoints)
        : options_(options),
          urls_(shown_urls(options)),
          requests_(std::move(requests)),
          endpoints_(endpoints),
          policies_(requests_.size()),
          client_(make_client(context_, options, endpoints)),
          cancel_(requests_.size()),
          downloads_(requests_.size()),
          shows_progress_(shows_progress(options)),
          printer_(options, [this] { asio::post(context_, [this] { stop(); }); }) {
        if (options.timeline || options.verbose) {
            timeline_.emplace(urls_, colour_of_standard_error(), [this](const std::string& text) {
                printer_.show(text);
            });
        }
    }

    int run() {
        if (timeline_) timeline_->print_title();
        await_signal();
        start_more();
        context_.run();
        if (signal_ != 0 && urls_.size() > 1 && !options_.silent) {
            printer_.show("asio-retry: interrupted: " + std::to_string(whole_) + " of " +
                          std::to_string(urls_.size()) + " URLs were fetched\n");
        }
        printer_.join();
        if (signal_ != 0) return exit_signalled + signal_;
        return printer_.failed() ? exit_no_response : status_;
    }

private:
    void start_more() {
        const std::size_t limit = options_.parallel ? options_.parallel_max : 1;
        while (!stopping_ && running_ < limit && next_ < requests_.size()) start(next_++);
    }

    void start(std::size_t url) {
        ++running_;
        auto& request = requests_[url];
        auto policy = endpoints_->find(request.method(), request.url()).policy();
        policies_[url] = policy;
        downloads_[url] = make_download(options_, policy, url);
        request.deliver_to(downloads_[url]);
        request.observer(watch(url));
        if (options_.verbose) printer_.show(quoted_request(request));
        auto done = asio::bind_cancellation_slot(cancel_[url].slot(),
                                                 [this, url](http::fetch_result result) {
                                                     --running_;
                                                     finish(url, std::move(result));
                                                     start_more();
                                                 });
        client_.async_try_fetch(std::move(request), std::move(done));
    }

    std::shared_ptr<observer> watch(std::size_t url) {
        if (timeline_) return timeline_->watch(url);
        if (!shows_progress_ || !downloads_[url]) return nullptr;
        progress_ = std::make_shared<fetch_progress>(
            [this](const std::string& text) { printer_.show(text); });
        return progress_;
    }

    void finish(std::size_t url, http::fetch_result result) {
        if (progress_) std::exchange(progress_, nullptr)->clear();
        if (timeline_) timeline_->end(url);
        // A redirect may have led to another endpoint.
        if (result.has_value())
            policies_[url] = endpoints_->find(options_.method, result->url()).policy();
        finished_call call = new_call(url, result.report());
        const auto to_file = std::exchange(downloads_[url], nullptr);
        call.outcome.error = result.error();
        if (!result.error() && result.has_value()) {
            auto& response = result.value();
            call.outcome.status = static_cast<int>(response.status());
            call.outcome.bytes = response.body().size();
            call.outcome.location = response.headers()["Location"];
            call.outcome.retry_after = all_of(response.headers(), "Retry-After");
            call.head = head_of(response);
            call.body = std::move(response).body();
        }
        if (to_file && result.error() == to_file->file_error()) call.file_error = result.error();
        if (to_file && to_file->is_whole() && call.outcome.has_response()) {
            call.is_saved = true;
            call.outcome.bytes = to_file->bytes();
            call.outcome.has_all = !call.outcome.is_2xx();
        }
        hand_over(std::move(call));
    }

    finished_call new_call(std::size_t url, const retry_report& report) const {
        finished_call call;
        call.url = url;
        call.outcome.method = options_.method;
        call.outcome.url = urls_[url];
        call.outcome.report = report;
        call.outcome.policy = policies_[url];
        return call;
    }

    void hand_over(finished_call call) {
        if (call.outcome.is_whole()) ++whole_;
        const int status = call.outcome.is_whole()       ? exit_success
                           : call.outcome.has_response() ? exit_bad_status
                                                         : exit_no_response;
        status_ = std::max(status_, status);
        printer_.print(std::move(call));
        if (++ended_ == urls_.size()) {
            printer_.when_done([this] { asio::post(context_, [this] { signals_.cancel(); }); });
        }
    }

    void await_signal() {
        signals_.async_wait([this](error_code error, int signal) {
            if (error) return;
            signal_ = signal;
            // A second one ends the program at once.
            signals_.clear();
            printer_.interrupt();
            stop();
        });
    }

    void stop() {
        if (std::exchange(stopping_, true)) return;
        for (auto& each : cancel_) each.emit(asio::cancellation_type::terminal);
        const error_code aborted = asio::error::operation_aborted;
        while (next_ < requests_.size()) {
            auto call = new_call(next_++, retry_report(reason::cancelled, aborted, 0, {}, {}, 0));
            call.outcome.error = aborted;
            hand_over(std::move(call));
        }
    }

    const fetch_options& options_;
    std::vector<std::string> urls_;
    std::vector<http::request> requests_;
    std::shared_ptr<http::endpoint_registry> endpoints_;
    std::vector<std::optional<http::fetch_policy>> policies_;
    asio::io_context context_{1};
    asio::signal_set signals_{context_, SIGINT, SIGTERM};
    http::client client_;
    std::vector<asio::cancellation_signal> cancel_;
    std::vector<std::shared_ptr<download>> downloads_;
    std::optional<timeline> timeline_;
    std::shared_ptr<fetch_progress> progress_;  // of the call that runs
    bool shows_progress_;
    fetch_printer printer_;
    std::size_t next_ = 0;
    std::size_t running_ = 0;
    std::size_t ended_ = 0;
    std::size_t whole_ = 0;
    bool stopping_ = false;
    int signal_ = 0;
    int status_ = exit_success;
};

}  // namespace

int run_fetch(const fetch_options& options) {
    auto requests = make_requests(options);
    const auto endpoints = make_endpoints(options);
    std::optional<fetch_run> run;
    try {
        run.emplace(options, std::move(requests), endpoints);
    } catch (const std::system_error& e) {
        throw usage_error("--report: '" + options.report_file +
                          "' cannot be written: " + e.code().message());
    }
    return run->run();
}

}  // namespace asio_retry::tool
