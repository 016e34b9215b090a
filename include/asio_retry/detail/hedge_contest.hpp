// A hedged call: what its attempts came to, and which of them wins.
// SPDX-License-Identifier: BSL-1.0
#ifndef ASIO_RETRY_DETAIL_HEDGE_CONTEST_HPP
#define ASIO_RETRY_DETAIL_HEDGE_CONTEST_HPP

#include <asio_retry/attempt.hpp>
#include <asio_retry/detail/invoke_attempt.hpp>
#include <asio_retry/detail/outcome.hpp>
#include <asio_retry/detail/saturate.hpp>
#include <asio_retry/detail/spawned_attempt.hpp>
#include <asio_retry/detail/timed_wait.hpp>
#include <asio_retry/hedge_options.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

namespace asio_retry::detail {

/// The delay before an extra attempt, by what was observed or as it is fixed; nothing if neither is
/// known.
template <typename Window>
std::optional<nanoseconds> hedge_delay(const hedge_options& options, const Window& observed) {
    if (options.observes()) {
        if (const auto p95 = observed.p95()) return p95;
    }
    return options.after();
}

/// Used by `run_race`; see there. Refers to what stands in the caller's frame.
template <typename Hedging, typename Operation, typename... Args>
class hedge_contest {
    using types = retry_types<Operation, Args...>;
    using value = typename types::value;
    using executor = typename types::executor;

public:
    hedge_contest(Hedging shared, timer_service& timers, Operation& op, Args&... args)
        : shared_(std::move(shared)),
          timers_(timers),
          op_(op),
          args_(args...),
          changed_(timers),
          start_(timers.now()),
          delay_(hedge_delay(shared_.options(), *shared_.latency())) {}

    timed_wait& changed() noexcept { return changed_; }

    asio::awaitable<void, executor> lane(unsigned n) {
        attempts_[n].emplace(n + 1, steady_time::max());
        started_[n] = timers_.now();
        return std::apply(
            [&](Args&... args) {
                return run_into(outcomes_[n], op_.function(), *attempts_[n], args...);
            },
            args_);
    }

    steady_time due(unsigned n) const noexcept {
        if (!delay_ || n > shared_.options().max_extra()) return steady_time::max();
        return saturating_add(start_, saturating_multiply(*delay_, n));
    }

    bool admits(unsigned, steady_time now) noexcept {
        return !shared_.budget() || shared_.budget()->try_spend(now);
    }

    bool decides(unsigned n) {
        if (winner_ || !succeeded(outcomes_[n])) return false;
        winner_ = n;
        const steady_time now = timers_.now();
        if (shared_.budget()) shared_.budget()->call_succeeded(now);
        // Of a first attempt that was cut off at least so much is known.
        shared_.latency()->record(now - started_[0]);
        return true;
    }

    value finish() {
        outcome<value>& last = outcomes_[winner_.value_or(last_word())];
        if (!last.has_value()) {
            if (last.exception()) std::rethrow_exception(last.exception());
            throw boost::system::system_error(last.error());
        }
        if constexpr (!std::is_void_v<value>) return std::move(last.value());
    }

private:
    /// Which lane speaks where none has won: one that was cancelled, as only the caller can have
    /// done that then; else the first.
    std::size_t last_word() noexcept {
        for (std::size_t n = 0; n < lanes; ++n) {
            if (outcomes_[n].error() == asio::error::operation_aborted) return n;
        }
        return 0;
    }

    bool succeeded(outcome<value>& o) {
        if (o.error() || !o.has_value()) return false;
        if constexpr (std::is_void_v<value>) {
            return true;
        } else {
            try {
                return !op_.judge(o.value()).is_failure();
            } catch (...) {
                o.fail(std::current_exception());
                return false;
            }
        }
    }

    static constexpr std::size_t lanes = hedge_options::most_extra + 1;

    Hedging shared_;
    timer_service& timers_;
    Operation& op_;
    std::tuple<Args&...> args_;
    timed_wait changed_;
    steady_time start_;
    std::optional<nanoseconds> delay_;
    std::optional<unsigned> winner_;
    std::array<std::optional<attempt>, lanes> attempts_;
    std::array<steady_time, lanes> started_{};
    std::array<outcome<value>, lanes> outcomes_;
};

}  // namespace asio_retry::detail

#endif
