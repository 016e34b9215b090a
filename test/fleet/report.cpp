// Runs the simulations, prints what came of them, and writes it as README.md with pictures.
// Usage: fleet_report [DIRECTORY]
// SPDX-License-Identifier: BSL-1.0
#include "fleet/chart.hpp"
#include "fleet/contention.hpp"
#include "fleet/hedging.hpp"
#include "fleet/outage.hpp"
#include "fleet/random_outage.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace asio_retry;
using namespace asio_retry::fleet;

template <typename... Args>
std::string format(const char* pattern, Args... args) {
    std::array<char, 256> text{};
    std::snprintf(text.data(), text.size(), pattern, args...);
    return text.data();
}

class report {
public:
    std::string text;
    std::vector<std::pair<std::string, chart>> charts;
};

void contention(report& out) {
    const auto exponential = backoff::exponential(10ms, 2s);
    const std::pair<const char*, backoff> schedules[] = {
        {"none", backoff::none()},
        {"exponential, no jitter", backoff(exponential).jitter(jitter::none)},
        {"equal jitter", backoff(exponential).jitter(jitter::equal)},
        {"decorrelated", backoff::decorrelated(10ms, 2s)},
        {"full jitter", backoff(exponential).jitter(jitter::full)},
    };
    chart calls("Writes until each client has had its way", "clients", "writes");
    out.text +=
        "## Contention\n\n"
        "The model of Brooker's \"Exponential Backoff And Jitter\" (AWS, 2015): N clients change "
        "one\n"
        "row under optimistic concurrency control, over a network of 10 ms ± 2 ms. Base 10 ms, "
        "cap\n"
        "2 s, mean of 30 runs. Writes, and the time until the last client was done, for N = "
        "100:\n\n"
        "| backoff | writes | time |\n| --- | ---: | ---: |\n";
    for (const auto& [name, schedule] : schedules) {
        chart::points line;
        for (unsigned n = 10; n <= 200; n += 10) {
            line.emplace_back(n, contend(n, schedule, 30, 1).calls);
        }
        calls.add(name, line);
        const auto hundred = contend(100, schedule, 30, 1);
        out.text +=
            format("| %s | %.0f | %.1f s |\n", name, hundred.calls, hundred.completion_time);
    }
    out.text += "\n![Writes over the number of clients](contention.svg)\n\n";
    out.charts.emplace_back("contention.svg", calls);
}

std::string recovery_text(const outage_result& r) {
    return r.recovery ? format("%.0f s", seconds(*r.recovery)) : "never";
}

void outages(report& out) {
    class row {
    public:
        const char* name;
        unsigned attempts;
        std::optional<budget_options> budget;
    };
    const row rows[] = {
        {"one attempt", 1, std::nullopt},
        {"3 attempts, no budget", 3, std::nullopt},
        {"3 attempts, the default budget", 3, budget_options()},
        {"3 attempts, the AWS SDKs' quota", 3, budget_options::aws()},
        {"3 attempts, gRPC's throttle (10, 0.1)", 3, budget_options::grpc_throttle()},
        {"3 attempts, ratio(0.2, 0)", 3, budget_options::ratio(0.2, 0)},
        {"3 attempts, the default with 1 token a second", 3, budget_options().refill_per_second(1)},
    };
    out.text +=
        "## Outage\n\n"
        "A server that does 300 requests a second, one after the other, wanted or not. Calls come "
        "at\n"
        "200 a second and time out after 1 s. From second 10 to 20 it stands still. How long "
        "after\n"
        "that until calls succeed again, with the load shared by so many clients, each with a "
        "budget\n"
        "of its own (runs of 300 s):\n\n"
        "| policy | 1 client | 10 | 100 | 1,000 |\n| --- | ---: | ---: | ---: | ---: |\n";
    chart goodput("Successful calls a second, of 200; 100 clients", "seconds", "calls a second");
    goodput.shade(10, 20, "outage");
    for (const row& r : rows) {
        out.text += format("| %s |", r.name);
        for (const std::size_t clients : {1U, 10U, 100U, 1000U}) {
            outage_setup s;
            s.max_attempts = r.attempts;
            s.budget = r.budget;
            s.clients = clients;
            s.length = 300s;
            const auto result = run_outage(s);
            out.text += " " + recovery_text(result) + " |";
            if (clients != 100 || &r - rows > 3) continue;
            chart::points line;
            for (std::size_t t = 0; t < 100; ++t) {
                line.emplace_back(t, result.seconds[t].succeeded);
            }
            goodput.add(r.name, line);
        }
        out.text += "\n";
    }
    out.text +=
        "\nNo budget of a client's own protects a server from the first failures of a thousand\n"
        "clients; but one that time refills keeps them at it, and one that is large adds up. This "
        "is\n"
        "why the default holds 100 tokens and gains 0.1 a second.\n\n"
        "![Successful calls over time](outage.svg)\n\n"
        "The same over real sockets, a tenth of the size: `real_sockets build/dev/bin` runs\n"
        "`asio-retry serve` with a capacity and an outage, and the HTTP client against it for 60 "
        "s. It\n"
        "was seen to answer 17 s after the outage with one attempt, 18 s after it with 3 attempts "
        "and\n"
        "the default budget, and never with 3 attempts and none.\n\n";
    out.charts.emplace_back("outage.svg", goodput);
}

void random_outages(report& out) {
    const int runs = 10'000;
    int exceeded = 0;
    double most_without = 0;
    double most_with = 0;
    for (std::uint64_t seed = 1; seed <= runs; ++seed) {
        outage_setup s = draw_outage(seed);
        const auto with = run_outage(s);
        if (static_cast<double>(with.requests) > allowed_requests(s, with)) ++exceeded;
        s.budget = budget_options().capacity(10);
        const auto small = run_outage(s);
        s.budget.reset();
        const auto without = run_outage(s);
        if (without.calls < 50) continue;
        const auto each = [](const outage_result& r) {
            return static_cast<double>(r.requests) / static_cast<double>(r.calls);
        };
        most_without = std::max(most_without, each(without));
        most_with = std::max(most_with, each(small));
    }
    out.text += format(
        "## Random outages\n\n"
        "%d outages: refused, failing or stalled, of random length, load and policy. Requests\n"
        "exceeded what the budget allows in %d of them",
        runs,
        exceeded);
    out.text += format(
        "; the default allows 1.2 for each call in the long\n"
        "run, and bursts of 20. The most for each call was %.2f without a budget, and %.2f with "
        "one\n"
        "like the default but a tenth of the capacity, as the runs are short.\n\n",
        most_without,
        most_with);
}

void hedging(report& out) {
    out.text +=
        "## Hedging\n\n"
        "A server that answers in 5 to 15 ms, but in 1 s once in a hundred times; 200,000 calls. "
        "The\n"
        "hedge follows after the 95th percentile that was observed of late, paid from the default\n"
        "budget.\n\n"
        "| | requests for 100 calls | p50 | p99 | p99.9 |\n| --- | ---: | ---: | ---: | ---: |\n";
    for (const bool hedge : {false, true}) {
        hedging_setup s;
        s.hedge = hedge;
        const auto r = run_hedging(s);
        out.text += format("| %s | %.2f | %.1f ms | %.1f ms | %.1f ms |\n",
                           hedge ? "hedged" : "plain",
                           100.0 * static_cast<double>(r.requests) / static_cast<double>(r.calls),
                           seconds(r.p50) * 1e3,
                           seconds(r.p99) * 1e3,
                           seconds(r.p999) * 1e3);
    }
}

}  // namespace

int main(int argc, char** argv) {
    report out;
    out.text =
        "# What retries do to the others\n\n"
        "Simulations in virtual time, from fixed seeds, of the library's own backoff, retry "
        "decision,\n"
        "budget and latency window. Written by `fleet_report test/fleet`; the claims are held by\n"
        "`fleet_test.cpp`.\n\n";
    contention(out);
    outages(out);
    random_outages(out);
    hedging(out);
    std::cout << out.text;
    if (argc < 2) return 0;
    const std::string directory = std::string(argv[1]) + "/";
    std::ofstream(directory + "README.md") << out.text;
    for (const auto& [name, picture] : out.charts) {
        std::ofstream(directory + name) << picture.svg();
    }
    return 0;
}
