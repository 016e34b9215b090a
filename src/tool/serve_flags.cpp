// SPDX-License-Identifier: BSL-1.0
#include <CLI/Error.hpp>
#include <CLI/Option.hpp>
#include <tool/duration.hpp>
#include <tool/serve_flags.hpp>

#include <charconv>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace asio_retry::tool {

using testing::fault;
using testing::fault_kind;
using testing::fault_script;

namespace {

template <class Number>
Number parse_whole(std::string_view text, Number most = std::numeric_limits<Number>::max()) {
    Number number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc{} || end != text.data() + text.size() || number > most) {
        throw std::invalid_argument("'" + std::string(text) + "' is not a whole number from 0 to " +
                                    std::to_string(most));
    }
    return number;
}

double parse_rate(std::string_view text) {
    double rate = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), rate);
    if (failed != std::errc{} || end != text.data() + text.size()) {
        throw std::invalid_argument("'" + std::string(text) +
                                    "' is not a rate; write a number from 0 to 1");
    }
    return rate;
}

void add_rate(fault_script& script, std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) {
        throw std::invalid_argument("'" + std::string(text) +
                                    "' has no rate; write it as in 503:0.2");
    }
    script.defaults().rate(fault::parse(text.substr(0, colon)), parse_rate(text.substr(colon + 1)));
}

void set_latency(fault_script& script, std::string_view text) {
    const auto dots = text.find("..");
    if (dots == std::string_view::npos) {
        script.defaults().latency(parse_duration(text));
    } else {
        script.defaults().latency(parse_duration(text.substr(0, dots)),
                                  parse_duration(text.substr(dots + 2)));
    }
}

void set_fail_first(fault_script& script, std::string_view text) {
    const auto colon = text.find(':');
    const auto count = parse_whole<unsigned>(text.substr(0, colon));
    const auto what =
        colon == std::string_view::npos ? fault::status(503) : fault::parse(text.substr(colon + 1));
    script.defaults().fail_first(count, what);
}

void set_sequence(fault_script& script, std::string_view text) {
    std::vector<fault> faults;
    for (;;) {
        const auto comma = text.find(',');
        faults.push_back(fault::parse(text.substr(0, comma)));
        if (comma == std::string_view::npos) break;
        text.remove_prefix(comma + 1);
    }
    script.defaults().sequence(std::move(faults));
}

}  // namespace

serve_flags::serve_flags(CLI::App& command) : command_(command) {
    group_ = "Server";
    add_server_flags();
    group_ = "Faults";
    add_fault_flags();
    group_ = "Responses";
    add_response_flags();
}

CLI::Option* serve_flags::value(const std::string& names,
                                const char* type,
                                const char* help,
                                reader read) {
    auto* option = command_.add_option(
        names, CLI::callback_t([](const CLI::results_t&) { return true; }), help);
    option->type_name(type)->expected(1)->allow_extra_args(false)->group(group_);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    entries_.emplace_back(option, std::move(read));
    return option;
}

void serve_flags::flag(const std::string& names, const char* help, reader read) {
    auto* option = command_.add_flag(names)->description(help)->group(group_);
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    entries_.emplace_back(option, std::move(read));
}

void serve_flags::rate_of(const std::string& name, fault_kind kind, const char* help) {
    value(name, "RATE", help, [kind](serve_options& o, const std::string& text) {
        o.script.defaults().rate(fault(kind), parse_rate(text));
    });
}

void serve_flags::add_server_flags() {
    // First in the list, so that the other flags change what the file says.
    value("--faults",
          "FILE",
          "A JSON script of the faults; the flags below change its defaults, not its rules",
          [](serve_options& o, const std::string& file) {
              o.script = fault_script::from_file(file);
          });
    value("--port",
          "N",
          "Listen on this port of 127.0.0.1 (0: any free one)",
          [](serve_options& o, const std::string& text) {
              o.port = parse_whole<std::uint16_t>(text);
          });
    auto* cert =
        value("--cert",
              "FILE",
              "Serve HTTPS with this certificate chain (PEM)",
              [](serve_options& o, const std::string& text) { o.certificate_file = text; });
    auto* key = value("--key",
                      "FILE",
                      "The certificate's private key (PEM)",
                      [](serve_options& o, const std::string& text) { o.key_file = text; });
    cert->needs(key);
    key->needs(cert);
    flag("-v,--verbose",
         "One line a request, on standard error",
         [](serve_options& o, const std::string&) { o.verbose = true; });
}

void serve_flags::add_fault_flags() {
    value("--seed",
          "N",
          "Other draws; the same seed repeats a run (1)",
          [](serve_options& o, const std::string& text) {
              o.script.seed(parse_whole<std::uint64_t>(text));
          });
    value("--rate",
          "STATUS:RATE",
          "Answer this share of the requests with STATUS, as in 503:0.2. May be repeated",
          [](serve_options& o, const std::string& text) { add_rate(o.script, text); })
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    rate_of("--reset-rate", fault_kind::reset, "Reset this share of the connections (RST)");
    rate_of("--close-rate", fault_kind::close, "Close this share without an answer (FIN)");
    rate_of("--truncate-rate", fault_kind::truncate, "Cut this share of the answers in half");
    rate_of("--stall-rate", fault_kind::stall, "Leave this share without a word, for ever");
    rate_of("--drip-rate", fault_kind::drip, "Send this share of the answers a byte at a time");
    value("--max-in-a-row",
          "N",
          "After N drawn faults in a row on one path, let one request succeed",
          [](serve_options& o, const std::string& text) {
              o.script.defaults().max_in_a_row(parse_whole<unsigned>(text));
          });
    auto* first =
        value("--fail-first",
              "N[:FAULT]",
              "The first N requests to each path meet FAULT (503), later ones the rates",
              [](serve_options& o, const std::string& text) { set_fail_first(o.script, text); });
    value("--sequence",
          "LIST",
          "The requests to each path meet these in turn, as in 503,reset,200; later ones the rates",
          [](serve_options& o, const std::string& text) { set_sequence(o.script, text); })
        ->excludes(first);
}

void serve_flags::add_response_flags() {
    value("--latency",
          "D|A..B",
          "Wait so long before each answer, or so long at random",
          [](serve_options& o, const std::string& text) { set_latency(o.script, text); });
    value("--drip-interval",
          "D",
          "The pause between two bytes of a slow answer (50ms)",
          [](serve_options& o, const std::string& text) {
              o.script.defaults().drip_interval(parse_duration(text));
          });
    value("--retry-after",
          "VALUE",
          "Send this Retry-After with every 429 and 503",
          [](serve_options& o, const std::string& text) { o.script.defaults().retry_after(text); });
    value("--body-size",
          "N",
          "Answer with a body of N bytes",
          [](serve_options& o, const std::string& text) {
              o.script.defaults().body_size(parse_whole<std::uint64_t>(text));
          });
    flag("--chunked",
         "Send bodies in chunks, without Content-Length",
         [](serve_options& o, const std::string&) { o.script.defaults().chunked(); });
}

serve_options serve_flags::read() const {
    serve_options options;
    for (const auto& each : entries_) {
        if (each.option->count() == 0) continue;
        const auto results = each.option->reduced_results();
        for (const auto& text : results) {
            try {
                each.read(options, text);
            } catch (const std::exception& error) {
                throw CLI::ValidationError(each.option->get_name(), error.what());
            }
        }
    }
    try {
        options.script.validate();
    } catch (const std::invalid_argument& error) {
        throw CLI::ValidationError(error.what());
    }
    return options;
}

}  // namespace asio_retry::tool
