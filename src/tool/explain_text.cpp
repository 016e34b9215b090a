// SPDX-License-Identifier: BSL-1.0
#include "http/target.hpp"
#include "http/verdicts.hpp"
#include "http/wire.hpp"

#include <tool/credentials.hpp>
#include <tool/duration.hpp>
#include <tool/explain_text.hpp>
#include <tool/fetch_request.hpp>
#include <tool/schedule.hpp>

#include <algorithm>
#include <array>
#include <stdexcept>

namespace asio_retry::tool {

namespace {

using http::endpoint_key;
using http::endpoint_match;
using http::endpoint_table;
using std::chrono::nanoseconds;

std::string text_of(nanoseconds d) {
    return d == retry_policy::unlimited ? "no limit" : format_duration(d);
}

/// To three digits or so: a schedule is read, not computed with.
nanoseconds rounded(nanoseconds d) {
    if (d == retry_policy::unlimited) return d;
    std::int64_t unit = 1;
    while (d.count() / unit >= 100'000) unit *= 10;
    return nanoseconds(d.count() / unit * unit);
}

std::string range(nanoseconds a, nanoseconds b) {
    a = rounded(a);
    b = rounded(b);
    return a == b ? text_of(a) : text_of(a) + " .. " + text_of(b);
}

/// Lines whose columns stand below one another.
class columns {
public:
    void add(std::vector<std::string> line) { lines_.push_back(std::move(line)); }

    std::string text() const {
        std::vector<std::size_t> widths;
        for (const auto& line : lines_) {
            widths.resize(std::max(widths.size(), line.size()));
            for (std::size_t i = 0; i < line.size(); ++i) {
                widths[i] = std::max(widths[i], line[i].size());
            }
        }
        std::string result;
        for (const auto& line : lines_) {
            std::string row = " ";
            for (std::size_t i = 0; i < line.size(); ++i) {
                row += " " + line[i];
                row.append(widths[i] - line[i].size() + 1, ' ');
            }
            row.erase(row.find_last_not_of(' ') + 1);
            result += row + "\n";
        }
        return result;
    }

private:
    std::vector<std::vector<std::string>> lines_;
};

std::string why(const endpoint_match& m) {
    std::string text;
    switch (m.host_pattern()) {
        case endpoint_match::host_kind::exact: text = "this very host"; break;
        case endpoint_match::host_kind::suffix: text = "a host below " + m.host(); break;
        case endpoint_match::host_kind::any: text = "any host"; break;
    }
    if (!m.is_path_prefix()) {
        text += ", this very path";
    } else {
        text += m.path_text() == "/" ? ", any path" : ", a path that begins with " + m.path_text();
    }
    return text + (m.methods().empty() ? ", any method" : ", a method that is named");
}

std::string matching(const endpoint_table& table,
                     endpoint_table::number n,
                     const endpoint_key& key) {
    std::string text = "  endpoint " + std::string(table.name(n)) + "\n";
    if (n != endpoint_table::default_number) {
        text += "  matches  " + table.match(n).to_string() + " (" + why(table.match(n)) + ")\n";
    } else {
        text += "  matches  what no other endpoint does\n";
    }
    std::string others;
    for (endpoint_table::number i = 1; i <= table.size(); ++i) {
        if (i == n || !table.match(i).covers(key)) continue;
        others += (others.empty() ? "" : ", ") + std::string(table.name(i));
    }
    if (!others.empty())
        text += "  before   " + others + ", which match too but are less specific\n";
    return text;
}

using policy_values = std::vector<http::detail::policy_value>;

/// What an empty file comes to.
policy_values values_of(const http::endpoint_policy& base) {
    return http::detail::policy_document(R"({"version": 1})", "", base)
        .values(endpoint_table::default_number);
}

std::string text_at(const policy_values& list, const std::string& path) {
    const auto found =
        std::find_if(list.begin(), list.end(), [&](const auto& each) { return each.path == path; });
    return found == list.end() ? "" : found->text;
}

std::string values(const policy_values& list) {
    constexpr std::array<const char*, 3> sources{"library", "default", "endpoint"};
    const auto of_library = values_of(http::endpoint_policy());
    const auto of_fetch = values_of(base_policy());
    columns lines;
    for (const auto& each : list) {
        const bool is_of_fetch = each.source == http::detail::value_source::library &&
                                 each.text == text_at(of_fetch, each.path) &&
                                 each.text != text_at(of_library, each.path);
        lines.add({each.path,
                   each.text,
                   is_of_fetch ? "fetch" : sources[static_cast<std::size_t>(each.source)]});
    }
    return lines.text();
}

/// What the schedules do not show: that a request may have to be sent once only.
std::string caveat(const http::request& request, const http::fetch_policy& policy) {
    if (http::detail::may_repeat(request, policy)) return {};
    const http::detail::attempt_facts sent(send_state::full, false, true);
    std::string statuses;
    for (unsigned status = 400; status < 600; ++status) {
        const auto verdict =
            http::detail::judge_response(request, policy, status, std::nullopt, sent);
        if (verdict.kind() == failure_kind::permanent || verdict.veto() != reason::success)
            continue;
        statuses += (statuses.empty() ? "" : ", ") + std::to_string(status);
    }
    return "\nThis " + request.method() +
           " is repeated only where the server cannot have acted on it: after " + statuses +
           ",\nor if none of it was sent. After any other failure there is no second attempt, "
           "unless it "
           "has\nan Idempotency-Key.\n";
}

std::string table_of(const schedule& s) {
    columns lines;
    lines.add({"attempt", "after a delay of", "starts at", "ends by"});
    bool any_cut_off = false;
    for (const auto& a : s.attempts) {
        any_cut_off |= a.may_be_cut_off;
        lines.add({std::to_string(a.number),
                   a.number == 1 ? "-" : range(a.shortest_delay, a.longest_delay),
                   range(a.earliest, a.latest),
                   text_of(rounded(a.end)) + (a.may_be_cut_off ? " *" : "")});
    }
    std::string text = lines.text();
    if (s.max_attempts > s.attempts.size()) {
        text += "  of at most " + std::to_string(s.max_attempts) + " attempts\n";
    }
    if (any_cut_off) text += "  * if at all: the total timeout may come first\n";
    return text + "  at most " + text_of(rounded(s.total)) + " in all" +
           (s.is_total_timeout ? ", which is the total timeout" : "") + "\n";
}

}  // namespace

explanation explain(const http::detail::policy_document& document,
                    const std::string& method,
                    const std::string& url) {
    http::detail::target t;
    if (const error_code ec = http::detail::parse_target(url, t)) {
        throw std::invalid_argument("'" + shown_as_no_url(url) + "': " + ec.message());
    }
    if (!http::detail::is_token(method)) {
        throw std::invalid_argument("--request: '" + method + "' is not a method");
    }
    const endpoint_key key(
        method, t.tls ? http::url_scheme::https : http::url_scheme::http, t.host, t.port, t.path);
    const endpoint_table& table = document.table();
    const auto n = table.find(key);
    const auto request = method + " " + without_credentials(t.display);
    explanation result;
    result.policy = table.policy(n);
    result.title = request + ": endpoint " + std::string(table.name(n));
    result.text = request + "\n" + matching(table, n, key) + "\npolicy\n" +
                  values(document.values(n)) +
                  caveat(http::request(method, url), result.policy.fetch());
    for (const schedule& s : schedules_of(result.policy.fetch().retry())) {
        result.text += "\nschedule if ";
        result.text +=
            s.kind ? "all fail with " + std::string(to_string(*s.kind)) : "every attempt fails";
        result.text += "\n" + table_of(s);
    }
    const nanoseconds longest = result.policy.fetch().retry().max_retry_after();
    result.text += "\nA server that sends Retry-After can make a delay longer, up to " +
                   text_of(longest) + ".\n";
    return result;
}

}  // namespace asio_retry::tool
