// Virtual time: events in order, and randomness from a seed, so that a run is the same every time.
// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <asio_retry/attempt.hpp>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <queue>
#include <random>
#include <utility>
#include <vector>

namespace asio_retry::fleet {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

inline constexpr steady_time epoch{1h};

inline double seconds(nanoseconds d) { return std::chrono::duration<double>(d).count(); }
inline nanoseconds from_seconds(double s) {
    return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(s));
}

/// Events of a type, the earliest first, and of those at one time the first that was added.
template <typename Event>
class event_queue {
public:
    void add(steady_time t, Event e) { queue_.push({t, added_++, std::move(e)}); }
    bool empty() const { return queue_.empty(); }
    std::pair<steady_time, Event> next() {
        auto first = queue_.top();
        queue_.pop();
        return {first.time, std::move(first.event)};
    }

private:
    class entry {
    public:
        bool operator<(const entry& other) const {
            return std::pair(time, number) > std::pair(other.time, other.number);
        }
        steady_time time;
        std::uint64_t number;
        Event event;
    };

    std::priority_queue<entry> queue_;
    std::uint64_t added_ = 0;
};

/// Written out where the standard leaves the algorithm open, so that every library draws the same.
class dice {
public:
    explicit dice(std::uint64_t seed) : bits_(seed) {}

    std::uint64_t bits() { return bits_(); }
    /// In [0, 1).
    double uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
    double uniform(double from, double to) { return from + (to - from) * uniform(); }
    std::uint64_t below(std::uint64_t n) { return bits_() % n; }
    bool chance(double p) { return uniform() < p; }
    double exponential(double mean) { return -mean * std::log1p(-uniform()); }
    /// Box, Muller, 1958.
    double normal(double mean, double deviation) {
        const double r = std::sqrt(-2 * std::log1p(-uniform()));
        return mean + deviation * r * std::cos(6.283185307179586 * uniform());
    }

private:
    std::mt19937_64 bits_;
};

}  // namespace asio_retry::fleet
