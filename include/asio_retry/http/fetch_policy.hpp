// How a fetch is made and repeated: a retry_policy, and what HTTP adds to it.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_HTTP_FETCH_POLICY_HPP
#define ASIO_RETRY_HTTP_FETCH_POLICY_HPP

#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/hedge_options.hpp>
#include <asio_retry/retry_policy.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace asio_retry::http {

class attempt_hook;

/// Which requests may be sent again although some of them may have been processed.
enum class idempotency : std::uint8_t {
    by_method,  ///< GET, HEAD, OPTIONS, TRACE, PUT, DELETE, QUERY, and any with an Idempotency-Key
    always,     ///< all
    generate_key  ///< all: where the method is not idempotent, the client adds an Idempotency-Key
};

/// What becomes of a response that forbids to repeat its request.
/** It says so with `X-Should-Retry: false`, or with a `grpc-retry-pushback-ms` that is negative or
    unreadable (gRFC A6). */
enum class server_veto : std::uint8_t {
    obeyed,  ///< it ends the call, with reason `permanent_failure`
    ignored  ///< it is repeated as its status says
};

/// Whether requests are spread over what is left of the server's quota.
enum class pacing : std::uint8_t { off, on };

/// Whether bodies are asked for in a coding, and decoded.
enum class compression : std::uint8_t {
    off,  ///< none is asked for, and a body that comes in one is handed over as it is
    on    ///< gzip, deflate and br
};

/// The options of a fetch. A value: cheap to copy, compared by its options.
/** Copies share one immutable block until a setter changes one of them. Setters chain, and throw
    std::invalid_argument for an impossible value and then change nothing.
    Thread safety: distinct objects safe, even when copied from one another; a shared object safe to
    read. */
class fetch_policy {
public:
    using duration = std::chrono::nanoseconds;

    fetch_policy() : options_(defaults()) {}

    /// Attempts, timeouts, backoff, observer. The default is `default_retry()`.
    fetch_policy& retry(retry_policy p) {
        edit().retry = std::move(p);
        return *this;
    }
    const retry_policy& retry() const noexcept { return options_->retry; }

    /// 4 attempts of at most 10 s each, 30 s in all; exponential backoff from 100 ms to 5 s with
    /// full jitter; Retry-After up to 30 s.
    static retry_policy default_retry() {
        using std::chrono::milliseconds;
        using std::chrono::seconds;
        return std::move(retry_policy()
                             .max_attempts(4)
                             .attempt_timeout(seconds(10))
                             .total_timeout(seconds(30))
                             .backoff(backoff::exponential(milliseconds(100), seconds(5)))
                             .max_retry_after(seconds(30)));
    }

    /// Bound on making one connection: name lookup, connect and TLS handshake. Above 0; default 5
    /// s.
    /** Cut to what is left of the attempt. Running into it is `error::connect_timeout`, of kind
        timeout. Waiting for a place in the pool is not part of it. */
    template <typename Rep, typename Period>
    fetch_policy& connect_timeout(std::chrono::duration<Rep, Period> d) {
        const duration value = asio_retry::detail::saturating_cast(d);
        if (value <= duration::zero()) {
            throw std::invalid_argument("connect_timeout: must be above 0");
        }
        edit().connect_timeout = value;
        return *this;
    }
    duration connect_timeout() const noexcept { return options_->connect_timeout; }

    /// The statuses that are failures worth a retry. Default 408, 425, 429, 500, 502, 503, 504.
    /** From 400 to 599 each. 408, 425 and 429, and 503 with a Retry-After, count as throttling, the
        others as server. 421 is always repeated, on another connection, as connection_lost. Any
        other status ends the call and is no error. If such a response is cut, what its head says
        holds all the same: a Retry-After, and that the request was not processed. */
    fetch_policy& retry_status(std::vector<unsigned> statuses) {
        for (const unsigned s : statuses) {
            if (s < 400 || s > 599) {
                throw std::invalid_argument("retry_status: " + std::to_string(s) +
                                            " is not a failure; use 400 to 599");
            }
        }
        std::sort(statuses.begin(), statuses.end());
        edit().retry_status = std::move(statuses);
        return *this;
    }
    /// In ascending order.
    const std::vector<unsigned>& retry_status() const noexcept { return options_->retry_status; }

    /// Which requests may be sent again. Default `idempotency::by_method`.
    /** A request that says so itself (`request::repeatable`) has the last word. */
    fetch_policy& idempotency(http::idempotency i) {
        edit().repeats = i;
        return *this;
    }
    http::idempotency idempotency() const noexcept { return options_->repeats; }

    /// Whether a response can forbid to repeat its request. Default `server_veto::obeyed`.
    /** Only failures are ever repeated, so that the word counts with them only. What it leaves as
        it is: the response and its failure kind, and the reasons that come first (the attempts are
        used up, say). */
    fetch_policy& server_veto(http::server_veto v) {
        edit().veto = v;
        return *this;
    }
    http::server_veto server_veto() const noexcept { return options_->veto; }

    /// The field in which a repeated request carries the number of its attempt. Default none.
    /** `X-Retry-Attempt: 2` on the second attempt, say, so that a server can tell new load from
        repeats and turn away the latter first. The first attempt (of each hop of a redirection) has
        no such field, nor has its resend after a stale connection, which is no attempt of its own.
        A request that brings a field of this name keeps it as it is. Empty turns it off.
        @throws std::invalid_argument for a name that no field, or a field of the client's own,
        has. */
    fetch_policy& attempt_header(std::string name);
    const std::string& attempt_header() const noexcept { return options_->attempt_header; }

    /// Called before each attempt, and on a 401. Default none.
    fetch_policy& hook(std::shared_ptr<attempt_hook> h) {
        edit().hook = std::move(h);
        return *this;
    }
    const std::shared_ptr<attempt_hook>& hook() const noexcept { return options_->hook; }

    /// Starts another attempt beside a first one that is slow; the first success wins. Default
    /// none.
    /** Only of requests that may be repeated (see `idempotency`), and neither with a `body_sink`
        nor with a body that can be read only once. The delay counts from when the first
        attempt has a place to run, so that nothing is hedged while it queues, nor in a wait between
        attempts. An extra attempt is paid from the retry budget, follows the limits of the call,
        and is not retried itself. Once an attempt gives a response that is no failure, or one that
        is permanent, the others are cancelled and their connections closed before the call returns.
        If all fail, the call ends as the first one did. Attempts are numbered in order of their
        start. */
    fetch_policy& hedge(hedge_options o) {
        edit().hedge = o;
        return *this;
    }
    fetch_policy& hedge(std::nullopt_t) {
        edit().hedge.reset();
        return *this;
    }
    const std::optional<hedge_options>& hedge() const noexcept { return options_->hedge; }

    /// Whether attempts wait for their turn where the server tells its rate limit (see
    /// `http::rate_limit`). Default `pacing::off`.
    /** The calls to an endpoint and origin are then spread evenly over what is left of the quota,
        before the server has to refuse them. The wait is no part of an attempt. A turn that comes
        after the call's deadline ends the call at once, with reason `deadline_exceeded`. */
    fetch_policy& pacing(http::pacing p) {
        edit().pacing = p;
        return *this;
    }
    http::pacing pacing() const noexcept { return options_->pacing; }

    /// How many redirects in a row are followed. Default 0: a 3xx is a response like any other.
    /** Each hop is fetched, and retried, as a request of its own; all hops share the total timeout
        and the report of the call, in which attempts are numbered on from hop to hop. */
    fetch_policy& max_redirects(unsigned n) {
        edit().max_redirects = n;
        return *this;
    }
    unsigned max_redirects() const noexcept { return options_->max_redirects; }

    /// Bound on a response's header, in bytes, trailer included. Above 0; default 64 KiB. No field
    /// may be longer than that in any case.
    fetch_policy& max_header_size(std::size_t bytes) {
        if (bytes == 0) throw std::invalid_argument("max_header_size: must be above 0");
        edit().max_header_size = bytes;
        return *this;
    }
    std::size_t max_header_size() const noexcept { return options_->max_header_size; }

    /// Bound on a response's body, in bytes. Default 64 MiB.
    /** A larger one is not read to its end. It is permanent, unless its status is worth a retry. */
    fetch_policy& max_body_size(std::uint64_t bytes) {
        edit().max_body_size = bytes;
        return *this;
    }
    std::uint64_t max_body_size() const noexcept { return options_->max_body_size; }

    /// Whether responses may be compressed on their way. Default `compression::off`.
    /** Sends Accept-Encoding, if the request has none of its own, and decodes what comes in gzip,
        deflate or br, or in two of them. The fields Content-Encoding and Content-Length, which tell
        of the encoded body, are then dropped. A coding that is not known, or a body that is not in
        it, is an error of kind permanent. `max_body_size` bounds the encoded and the decoded body
        alike. */
    fetch_policy& compressed(compression c) {
        edit().compressed = c;
        return *this;
    }
    compression compressed() const noexcept { return options_->compressed; }

    /// Bound on decoded bytes for each encoded one, above 1 MiB of them. At least 1; default 200.
    /** Against bodies made to fill memory or disk (`error::excessive_expansion`): text seldom
        shrinks to a fiftieth, deflate can reach a thousandth, and br a millionth. */
    fetch_policy& max_expansion(std::uint64_t factor) {
        if (factor == 0) throw std::invalid_argument("max_expansion: must be at least 1");
        edit().max_expansion = factor;
        return *this;
    }
    std::uint64_t max_expansion() const noexcept { return options_->max_expansion; }

    friend bool operator==(const fetch_policy& a, const fetch_policy& b) {
        return a.options_ == b.options_ || *a.options_ == *b.options_;
    }

private:
    class options {
    public:
        options() = default;
        friend bool operator==(const options&, const options&) = default;

        retry_policy retry = default_retry();
        duration connect_timeout = std::chrono::seconds(5);
        std::vector<unsigned> retry_status = {408, 425, 429, 500, 502, 503, 504};
        std::uint64_t max_body_size = 64 * 1024 * 1024;
        std::uint64_t max_expansion = 200;
        std::size_t max_header_size = 64 * 1024;
        unsigned max_redirects = 0;
        http::idempotency repeats = http::idempotency::by_method;
        http::server_veto veto = http::server_veto::obeyed;
        http::pacing pacing = http::pacing::off;
        compression compressed = compression::off;
        std::string attempt_header;
        std::shared_ptr<attempt_hook> hook;
        std::optional<hedge_options> hedge;
    };

    static const std::shared_ptr<options>& defaults() {
        static const auto shared = std::make_shared<options>();
        return shared;
    }

    options& edit() {
        options_ = std::make_shared<options>(*options_);
        return *options_;
    }

    std::shared_ptr<options> options_;
};

}  // namespace asio_retry::http

#endif
