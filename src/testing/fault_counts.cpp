// SPDX-License-Identifier: BSL-1.0
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <testing/fault_counts.hpp>

namespace asio_retry::testing {
namespace detail {
namespace {

namespace json = boost::json;

// Whoever asks for a new path each time must not fill the memory: what comes later shares a row.
constexpr std::size_t most_paths = 100'000;
constexpr std::string_view other_paths = "(others)";

json::object to_object(const path_counts& counts) {
    json::object faults;
    for (const auto& [name, count] : counts.faults) faults[name] = count;
    json::object object;
    object["requests"] = counts.requests;
    object["received"] = counts.received;
    object["succeeded"] = counts.succeeded;
    object["faults"] = std::move(faults);
    return object;
}

}  // namespace

path_counts& fault_counts::at(std::string_view method, std::string_view path) {
    row_key wanted{path, method};
    auto found = paths_.find(wanted);
    if (found == paths_.end()) {
        if (paths_.size() >= most_paths) wanted = {std::string(other_paths), "*"};
        found = paths_.try_emplace(wanted).first;
        found->second.path = wanted.first;
        found->second.method = wanted.second;
    }
    return found->second;
}

void fault_counts::connection() {
    const std::lock_guard lock(mutex_);
    ++connections_;
}

void fault_counts::malformed() {
    const std::lock_guard lock(mutex_);
    ++malformed_;
}

std::uint64_t fault_counts::request(std::string_view method, std::string_view path) {
    const std::lock_guard lock(mutex_);
    return ++at(method, path).requests;
}

void fault_counts::received(std::string_view method, std::string_view path) {
    const std::lock_guard lock(mutex_);
    ++at(method, path).received;
}

void fault_counts::faulted(std::string_view method, std::string_view path, const fault& what) {
    const std::lock_guard lock(mutex_);
    ++at(method, path).faults[what.name()];
}

void fault_counts::succeeded(std::string_view method, std::string_view path) {
    const std::lock_guard lock(mutex_);
    ++at(method, path).succeeded;
}

void fault_counts::not_succeeded(std::string_view method, std::string_view path) {
    const std::lock_guard lock(mutex_);
    auto& count = at(method, path).succeeded;
    if (count > 0) --count;  // cleared in between, it may be 0
}

server_counts fault_counts::snapshot() const {
    const std::lock_guard lock(mutex_);
    server_counts counts;
    counts.connections = connections_;
    counts.malformed = malformed_;
    counts.paths.reserve(paths_.size());
    for (const auto& [key, row] : paths_) counts.paths.push_back(row);
    return counts;
}

void fault_counts::clear() {
    const std::lock_guard lock(mutex_);
    connections_ = 0;
    malformed_ = 0;
    paths_.clear();
}

std::string to_json(const server_counts& counts) {
    json::array paths;
    for (const auto& row : counts.paths) {
        json::object object;
        object["method"] = row.method;
        object["path"] = row.path;
        for (auto& member : to_object(row)) object.insert(member);
        paths.push_back(std::move(object));
    }
    json::object document;
    document["connections"] = counts.connections;
    document["malformed"] = counts.malformed;
    document["total"] = to_object(counts.total());
    document["paths"] = std::move(paths);
    return json::serialize(document) + "\n";
}

}  // namespace detail

path_counts server_counts::of(std::string_view method, std::string_view path) const {
    for (const auto& row : paths) {
        if (row.method == method && row.path == path) return row;
    }
    path_counts none;
    none.method = method;
    none.path = path;
    return none;
}

path_counts server_counts::total() const {
    path_counts sum;
    for (const auto& row : paths) {
        sum.requests += row.requests;
        sum.received += row.received;
        sum.succeeded += row.succeeded;
        for (const auto& [name, count] : row.faults) sum.faults[name] += count;
    }
    return sum;
}

}  // namespace asio_retry::testing
