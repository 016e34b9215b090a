// An HTTP(S) client whose fetches retry.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_CLIENT_HPP
#define ASIO_RETRY_HTTP_CLIENT_HPP

#include <asio_retry/error.hpp>
#include <asio_retry/http/client_config.hpp>
#include <asio_retry/http/download.hpp>
#include <asio_retry/http/endpoint_registry.hpp>
#include <asio_retry/http/error.hpp>
#include <asio_retry/http/fetch_policy.hpp>
#include <asio_retry/http/request.hpp>
#include <asio_retry/http/response.hpp>
#include <asio_retry/retry_result.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace asio_retry::http {

/// What `try_fetch` answers.
/** Its value is the last response that arrived whole, its error that of the last attempt. After a
    503 and then a refused connection it has both; a call that ended with a response has no error.
    `ok()` tells whether the last attempt gave a response that is no failure. */
using fetch_result = retry_result<response>;

namespace detail {

class client_state;

/// How a call wants to be treated: by a policy of its own, by an endpoint that it knows, or by the
/// endpoint that it belongs to.
class fetch_terms {
public:
    fetch_terms() = default;
    fetch_terms(fetch_policy p) : policy(std::move(p)) {}
    fetch_terms(endpoint_handle e) : endpoint(std::move(e)) {}

    std::optional<fetch_policy> policy;
    endpoint_handle endpoint;
};

}  // namespace detail

/// Fetches over HTTP/1.1 and TLS, repeats what fails, and keeps connections for the next call.
/** One client serves a whole program: its calls share a pool of connections, running name lookups
    and the TLS context. Cheap to move; it cannot be copied. A client may be destroyed with calls in
    flight: they go on to their end.

        client c(co_await boost::asio::this_coro::executor);
        response r = co_await c.get("https://example.com/");

    Every fetch passes the same stations in the same order; the guards are those of its endpoint
    (see `client_config::endpoints`), and what an endpoint does not have is not there:

        endpoint            looked up by method and URL, anew for each hop of a redirection
          hedge             starts a second fetch beside one whose first attempt is slow
            retry loop      ends by the deadline of the call
              retry budget        pays for a retry, before its delay      budget_exhausted
              delay               backoff, or what the server asks for    retry_after_too_long
              circuit breaker     fails at once, waits for nothing        circuit_open
              pacing              waits for a turn in the server's quota  deadline_exceeded
              concurrency limit   waits in its queue                      queue_full
              circuit breaker     asked again after a wait                circuit_open
                attempt           here its timeout begins
                  connection      from the pool, or made
                  exchange        the request is sent, the response read whole
              verdict             told to breaker, budget, limit and pacer; success ends the call

    A resend on a fresh connection (a stale one was found) keeps permit and place, and pays nothing.

    Result: the last response, also if its status is a failure that the policy gave up on: look at
    `status()`. Errors, as the exception of `get` and `fetch`, as `error()` of `try_fetch` and as
    the error_code of `async_fetch`, each only where the last attempt gave no response:
    - `http::error`, each with its cause; those of redirects come with the response that redirected
    - `asio_retry::error::attempt_timeout`: the last attempt ran out of time
    - `asio_retry::error::deadline_exceeded`: the total timeout had passed before the first attempt,
      or would have passed before its turn or place
    - `asio_retry::error::circuit_open`, `asio_retry::error::queue_full`: a guard let no attempt
      through
    - codes of sockets, name lookups and TLS, as the system gave them
    - a code of `http::certificate_category()`: the server's certificate was refused, and why
    - codes of Beast (`beast.http`): in what way the response was malformed
    - `boost::asio::error::operation_aborted`: the call was cancelled.

    Per-operation cancellation: of an awaitable what the awaiting coroutine lets through (by default
    terminal only), of `async_fetch` and `async_try_fetch` terminal, partial and total. At any point
    it ends the call at once; the connection in use is closed.

    Executor: an awaitable runs on the executor of its coroutine; what takes a token runs on the
    client's (on a strand of it, if it is not one) and calls the handler on the executor associated
    with it. Observers run where the call does. Connections belong to the client's executor, whose
    context must outlive the client.

    Thread safety: distinct clients safe; calls of one client may be made from several threads at
    once. Cancel an awaitable from the executor of its coroutine, the others from any thread. */
class client {
public:
    using executor_type = boost::asio::any_io_executor;

    explicit client(executor_type ex, client_config config = client_config());
    client(client&&) noexcept;
    client& operator=(client&&) noexcept;
    ~client();

    executor_type get_executor() const noexcept;
    const client_config& config() const noexcept;

    /// Reads the authorities, certificate and key of `client_config::tls` now, and not for the
    /// first https request. The error of what cannot be used, which every such request would end
    /// with.
    error_code prepare_tls();

    /// GETs the URL under the policy of its endpoint. @throws retry_error if there is no response.
    boost::asio::awaitable<response> get(std::string url);

    /// Sends the request under the policy of its endpoint. @throws retry_error if there is no
    /// response.
    boost::asio::awaitable<response> fetch(request r);
    /// The same under a policy for this call. The guards stay those of the endpoint, but for a
    /// budget or a breaker that the policy brings.
    boost::asio::awaitable<response> fetch(request r, fetch_policy policy);
    /// The same as a request of this endpoint, without a lookup, for as long as redirects stay at
    /// the origin. The handle must lead somewhere.
    boost::asio::awaitable<response> fetch(request r, endpoint_handle endpoint);

    /// Never throws for a failed fetch: answers response, error and report.
    boost::asio::awaitable<fetch_result> try_fetch(request r);
    boost::asio::awaitable<fetch_result> try_fetch(request r, fetch_policy policy);
    boost::asio::awaitable<fetch_result> try_fetch(request r, endpoint_handle endpoint);

    /// Fetches into a file; see `into_file`, which with `request::deliver_to` also serves a call
    /// under a policy of its own, or with another token. The response has no body if it is a 2xx.
    boost::asio::awaitable<response> download(request r,
                                              std::string path,
                                              download_options options = {});
    boost::asio::awaitable<fetch_result> try_download(request r,
                                                      std::string path,
                                                      download_options options = {});

    /// For any completion token. Completion signature: `void(error_code, response)`.
    template <typename Token>
    auto async_fetch(request r, fetch_policy policy, Token&& token) {
        return initiate<void(error_code, response), fetch_handler>(
            std::move(r), std::move(policy), token);
    }
    template <typename Token>
    auto async_fetch(request r, endpoint_handle endpoint, Token&& token) {
        return initiate<void(error_code, response), fetch_handler>(
            std::move(r), std::move(endpoint), token);
    }
    template <typename Token>
    auto async_fetch(request r, Token&& token) {
        return initiate<void(error_code, response), fetch_handler>(
            std::move(r), detail::fetch_terms(), token);
    }

    /// The same with the report. Completion signature: `void(fetch_result)`.
    template <typename Token>
    auto async_try_fetch(request r, fetch_policy policy, Token&& token) {
        return initiate<void(fetch_result), try_fetch_handler>(
            std::move(r), std::move(policy), token);
    }
    template <typename Token>
    auto async_try_fetch(request r, endpoint_handle endpoint, Token&& token) {
        return initiate<void(fetch_result), try_fetch_handler>(
            std::move(r), std::move(endpoint), token);
    }
    template <typename Token>
    auto async_try_fetch(request r, Token&& token) {
        return initiate<void(fetch_result), try_fetch_handler>(
            std::move(r), detail::fetch_terms(), token);
    }

private:
    using state_ptr = std::shared_ptr<detail::client_state>;
    using fetch_handler = boost::asio::any_completion_handler<void(error_code, response)>;
    using try_fetch_handler = boost::asio::any_completion_handler<void(fetch_result)>;

    /// Outlives the client where the token is lazy.
    template <typename ErasedHandler>
    class initiation {
    public:
        using executor_type = client::executor_type;

        explicit initiation(state_ptr state) noexcept : state_(std::move(state)) {}

        executor_type get_executor() const noexcept { return executor_of(*state_); }

        template <typename Handler>
        void operator()(Handler&& handler, request r, detail::fetch_terms terms) const {
            executor_type ex = boost::asio::get_associated_executor(handler, get_executor());
            start(state_,
                  std::move(ex),
                  std::move(r),
                  std::move(terms),
                  ErasedHandler(std::forward<Handler>(handler)));
        }

    private:
        state_ptr state_;
    };

    template <typename Signature, typename ErasedHandler, typename Token>
    auto initiate(request r, detail::fetch_terms terms, Token& token) {
        return boost::asio::async_initiate<Token, Signature>(
            initiation<ErasedHandler>(state_), token, std::move(r), std::move(terms));
    }

    static executor_type executor_of(const detail::client_state& state) noexcept;
    static void start(state_ptr, executor_type, request, detail::fetch_terms, fetch_handler);
    static void start(state_ptr, executor_type, request, detail::fetch_terms, try_fetch_handler);

    state_ptr state_;
};

}  // namespace asio_retry::http

#endif
